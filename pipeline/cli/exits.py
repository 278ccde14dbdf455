"""Errors become a sentence and an exit code. A traceback is shown only if it was asked for."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

import typer
from typer.exceptions import TyperException

from pipeline.cli.terminal import write_err
from pipeline.errors import Defect, InvariantBroken, P2cError, Refused, Stopped, UsageError, during
from pipeline.lazy import hide_module, import_lazily
from pipeline.run.opened import get_opened_run, note_opened_run

if TYPE_CHECKING:
    from pipeline.audit import verify
    from pipeline.flow import frames
    from pipeline.run import folder
else:
    frames = import_lazily("pipeline.flow.frames")
    folder = import_lazily("pipeline.run.folder")
    verify = import_lazily("pipeline.audit.verify")

_TRACEBACK: Final = "P2C_TRACEBACK"
_HOME: Final = Path(__file__).parents[2]
_GLANCE: Final = 0.5
_OURS: Final = ("pipeline", "schemas", "sql")

_asked_to_end = threading.Event()
"""Set by a signal. Engines may turn the ``KeyboardInterrupt`` of it into an error of their own."""


class Caught(contextlib.AbstractContextManager["Caught", bool]):
    """Catches whatever ends a command, except ``sys.exit``."""

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

    def report(self, command: str, *, as_object: bool) -> int:
        """Print the error to stderr, with ``--json`` also as an object to stdout.

        Returns its exit code; 0 if there was no error.
        """
        if self._error is None:
            return 0
        if os.environ.get(_TRACEBACK):
            write_err("".join(traceback.format_exception(self._error)).rstrip("\n"))
        error = _translate(self._error)
        if as_object:
            shown = {"code": error.code, "message": error.message, "where": error.where}
            sys.stdout.write(json.dumps({"command": command, "error": shown}) + "\n")
            sys.stdout.flush()
        write_err(f"p2c: {error}")
        return error.exit_code


def answer_errors(work: Callable[[], int], command: str, *, as_object: bool) -> int:
    """Do the work of a command; its exit code, or that of the error that ended it."""
    caught = Caught()
    note_opened_run(None)
    with caught, during(command or "p2c"):
        return work()
    return caught.report(command, as_object=as_object)


def _translate(error: BaseException) -> P2cError:
    """What stopped p2c, as an error of ours."""
    if _asked_to_end.is_set() and not isinstance(error, Refused | InvariantBroken):
        error = KeyboardInterrupt()
    match error:
        case P2cError():
            return error
        case TyperException():
            return UsageError(error.format_message())
        case KeyboardInterrupt() | typer.Abort():
            return Stopped("stopped from outside. Run the same command again to continue.")
        case MemoryError():
            return Stopped(
                "the machine has no memory left. Lower run.morsel_rows or run.memory and run the "
                "command again."
            )
        case _:
            return _blame_folder() or _make_defect(error)


def _blame_folder() -> InvariantBroken | None:
    """What is wrong with the run that the command was about; null if nothing is.

    Files of a run are read as p2c wrote them. Where one was altered, reading it may fail anywhere.
    """
    path = get_opened_run()
    if path is None:
        return None
    run = folder.RunFolder(path)
    wrong = [one for one in verify.verify_folder(run).checks if one.status in verify.ALTERED]
    if not wrong:
        return None
    return InvariantBroken(
        f"the run folder was altered: {wrong[0].sentence} `p2c verify {run.run}` lists all.",
        where=run.run,
    )


def _make_defect(error: BaseException) -> Defect:
    """An error that nobody expected. Its own text is left out: it may hold values."""
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
    """Get ready for terminals that cannot write a text, and for signals that ask to end.

    Pandera would import pandas wherever it is installed, which takes as long as a small plan.
    """
    hide_module("pandas")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def hear_signals() -> None:
    """Let Ctrl-C end waits from now on.

    Importing Polars lets the operating system restart what a signal interrupts; so it is imported
    before that is switched off again.
    """
    _ = frames.read_frames
    with contextlib.suppress(ValueError, OSError):
        signal.siginterrupt(signal.SIGINT, True)


def wait_for_end() -> None:
    """Wait until a signal asks to end.

    It does as ``KeyboardInterrupt``. Windows delivers none into a wait without an end.
    """
    while True:
        time.sleep(_GLANCE)


def leave(code: int) -> None:
    """End the process now if a signal asked for it.

    Python would wait for threads, and those for answers that may take minutes.
    """
    if not _asked_to_end.is_set():
        return
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _interrupt(*_: object) -> None:
    _asked_to_end.set()
    raise KeyboardInterrupt
