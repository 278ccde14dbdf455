"""Errors → a sentence and an exit code. Nobody reads a traceback who did not ask for it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final

import typer
from typer.exceptions import TyperException

from pipeline.errors import Defect, InvariantBroken, P2cError, Refused, Stopped, UsageError, during

_TRACEBACK: Final = "P2C_TRACEBACK"
_HOME: Final = Path(__file__).parents[2]
_OURS: Final = ("pipeline", "schemas", "sql")

_asked_to_end = threading.Event()
"""Set by a signal: engines may turn the ``KeyboardInterrupt`` that it raises into an error of their
own."""


class Caught(contextlib.AbstractContextManager["Caught", bool]):
    """Catches whatever ends a command, but for a call of ``sys.exit``."""

    def __init__(self) -> None:
        self._error: BaseException | None = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, SystemExit | GeneratorExit):
            return False
        self._error = error
        return error is not None

    def told(self, command: str, *, as_object: bool) -> int:
        """Tell the error on stderr, and with ``--json`` as an object on stdout; its exit code."""
        if self._error is None:
            return 0
        if os.environ.get(_TRACEBACK):
            traceback.print_exception(self._error)
        error = _translated(self._error)
        if as_object:
            told = {"code": error.code, "message": error.message, "where": error.where}
            sys.stdout.write(json.dumps({"command": command, "error": told}) + "\n")
            sys.stdout.flush()
        sys.stderr.write(f"p2c: {error}\n")
        return error.exit_code


def answer_errors(work: Callable[[], int], command: str, *, as_object: bool) -> int:
    """Do the work of a command; its exit code, or that of the error that ended it."""
    caught = Caught()
    with caught, during(command or "p2c"):
        return work()
    return caught.told(command, as_object=as_object)


def _translated(error: BaseException) -> P2cError:
    """What stopped p2c, as a sentence."""
    if _asked_to_end.is_set() and not isinstance(error, Refused | InvariantBroken):
        error = KeyboardInterrupt()
    match error:
        case P2cError():
            return error
        case TyperException():
            return UsageError(error.format_message())
        case KeyboardInterrupt() | typer.Abort():
            return Stopped("stopped from outside; the same command goes on.")
        case MemoryError():
            return Stopped(
                "the machine has no memory left. Lower run.morsel_rows or run.memory, and call "
                "again."
            )
        case _:
            return _defect(error)


def _defect(error: BaseException) -> Defect:
    """An error that nobody foresaw. Its own text is left out: it may hold values."""
    frames = [
        (Path(one.filename).relative_to(_HOME), one.lineno)
        for one in traceback.extract_tb(error.__traceback__)
        if any(Path(one.filename).is_relative_to(_HOME / folder) for folder in _OURS)
    ]
    place = f"{frames[-1][0].as_posix()} line {frames[-1][1]}" if frames else ""
    return Defect(
        f"this is a defect of p2c: {type(error).__name__}. Please report it with the traceback, "
        f"which {_TRACEBACK}=1 prints; "
        "look through it first, it may hold personal data.",
        where=place,
    )


def prepare_process() -> None:
    """Take what terminals and operating systems do.

    Text that they cannot write, and signals that ask to end.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(*_: object) -> None:
    _asked_to_end.set()
    raise KeyboardInterrupt
