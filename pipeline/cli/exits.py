"""Errors become a sentence and an exit code. A traceback is shown only if it was asked for."""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import json
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, TextIO

import typer
from typer.exceptions import TyperException

from pipeline.cli.signals import catch_signals, make_stopped, was_asked_to_end
from pipeline.cli.terminal import write_err
from pipeline.errors import (
    Defect,
    InvariantBroken,
    P2cError,
    RecordUnreadable,
    Refused,
    Stopped,
    UsageError,
    during,
)
from pipeline.lazy import hide_module, import_lazily
from pipeline.run.opened import get_opened_run, note_opened_run

if TYPE_CHECKING:
    import resource

    from pipeline.audit import verify
    from pipeline.run import folder
else:
    resource = import_lazily("resource")
    folder = import_lazily("pipeline.run.folder")
    verify = import_lazily("pipeline.audit.verify")

_TRACEBACK: Final = "P2C_TRACEBACK"
_HOME: Final = Path(__file__).parents[2]
_OURS: Final = ("pipeline", "schemas", "sql")

_NO_MEMORY: Final = re.compile(
    "(?i)cannot allocate memory|failed to map segment|can't start new thread|bad_alloc"
    "|bad allocation|not enough memory|memory allocation of|could not allocate|failed to allocate"
    "|cannot apply additional memory protection|resource temporarily unavailable"
)
"""What loaders, engines and the operating system say when memory is refused."""

_ROOM: Final = 3 << 30
"""Bytes of addresses that the engines need; much less of it is memory in use."""
_OBJECTS: Final = 10_000
"""New objects after which Python looks for garbage."""
_MORE_MEMORY: Final = (
    "Lower run.morsel_rows or run.memory, or raise the limit of the process (`ulimit -v`), and run "
    "the command again."
)


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
        error = translate_error(self._error)
        if as_object:
            shown = {"code": error.code, "message": error.message, "where": error.where}
            with contextlib.suppress(OSError):  # It may be stdout that failed.
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


def translate_error(error: BaseException) -> P2cError:
    """What stopped p2c, as an error of ours.

    Engines may turn the ``KeyboardInterrupt`` of a signal into an error of their own.
    """
    if was_asked_to_end() and not isinstance(error, Refused | InvariantBroken):
        error = KeyboardInterrupt()
    match error:
        case P2cError():
            return (_blame_folder() if _is_of_a_record(error) else None) or error
        case TyperException():
            return UsageError(error.format_message())
        case typer.Abort() if isinstance(error.__cause__, EOFError):
            return translate_error(error.__cause__)  # A file that is cut off: nobody asked to end.
        case KeyboardInterrupt() | typer.Abort():
            return make_stopped()
        case _ if _is_out_of_memory(error):
            return Stopped(f"the machine has no memory left for p2c. {_MORE_MEMORY}")
        case _:
            return _blame_folder() or _blame_limit() or _make_defect(error)


def _is_of_a_record(error: P2cError) -> bool:
    """Whether a file of a run that is missing, cut or altered may be what an error is about."""
    return isinstance(error, RecordUnreadable) or (
        isinstance(error, Stopped)
        and isinstance(error.__cause__, FileNotFoundError | IsADirectoryError | NotADirectoryError)
    )


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether memory is what an error, or one that led to it, is about."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, MemoryError) or _NO_MEMORY.search(str(found)):
            return True
        found = found.__cause__ or found.__context__
    return False


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


def _blame_limit() -> Stopped | None:
    """That the process may have too little room for its libraries; null if it has enough.

    Engines that cannot load a part of themselves fail in ways of their own, and later.
    """
    if sys.platform == "win32":
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or limit >= _ROOM:
        return None
    return Stopped(
        f"this process may use only {limit >> 20:,} MiB of addresses, too few for p2c. "
        f"{_MORE_MEMORY}"
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

    Pandera would import pandas and Hypothesis wherever they are installed, which takes as long as a
    small plan. Python would look 300 times for garbage while modules are imported.
    """
    gc.set_threshold(_OBJECTS, 10, 10)
    hide_module("pandas")
    hide_module("hypothesis")
    _open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    catch_signals()


def _open_standard_streams() -> None:
    """Give closed standard streams a place, or the next file that is opened would be in theirs.

    What goes to a closed one is lost, as its user asked.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def leave(code: int) -> None:
    """Write what is still to be written, and end the process.

    If a signal asked for it, at once: Python would wait for threads, and those for answers that may
    take minutes. Otherwise when no thread works any more, but without taking all modules and
    engines down in order first, which takes a tenth of a small plan.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # Said already. Python would try again at its end, and make an exit code of its own.
            drop_stream(stream)
    if was_asked_to_end():
        os._exit(code)
    if all(one.daemon or one is threading.main_thread() for one in threading.enumerate()):
        atexit._run_exitfuncs()  # noqa: SLF001 - there is no other way to call them
        os._exit(code)


def drop_stream(stream: TextIO) -> None:
    """Let what a stream still holds, and all that follows, go nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
