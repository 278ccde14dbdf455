"""Signals that ask to end: heard wherever a command waits, and answered soon.

Python hears signals in the main thread only, between two steps of it. A sort of an engine is one
step, and so are waits inside libraries. So a thread listens as well: it ends queries under way, and
the process, if the main thread does not end it in time. That is no more than a kill: the same
command continues.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.errors import Stopped
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.flow import frames
    from sql import session
else:
    frames = import_lazily("pipeline.flow.frames")
    session = import_lazily("sql.session")

_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP")
_GLANCE: Final = 0.5
_TICK: Final = 0.05
_UNHEARD: Final = 1.5
"""Seconds after a signal in which the main thread must have heard it."""
_HEARD: Final = 2.5
"""Seconds more that it may take to end then: to tell those who watch, to clean up."""
_SHOW_CURSOR: Final = "\x1b[?25h"


@dataclass(slots=True)
class _Ending:
    """Whether the process was asked to end, and whether the main thread has heard of it."""

    asked: threading.Event = field(default_factory=threading.Event)
    heard: threading.Event = field(default_factory=threading.Event)


_ENDING: Final = _Ending()


def catch_signals() -> None:
    """Let signals that ask to end raise ``KeyboardInterrupt``, unless they are ignored."""
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def hear_signals(command: str, *, as_object: bool) -> None:
    """Let signals end waits, queries and, at the latest, the process from now on.

    Importing Polars lets the operating system restart what a signal interrupts; so it is imported
    before that is switched off again. Where signals are not ours, only that is done.
    """
    _ = frames.read_frames
    with contextlib.suppress(ValueError, OSError):
        signal.siginterrupt(signal.SIGINT, True)
    if not any(_is_ours(getattr(signal, name, None)) for name in _NAMES):
        return
    ear, mouth = socket.socketpair()
    mouth.setblocking(False)
    signal.set_wakeup_fd(mouth.detach(), warn_on_full_buffer=False)
    listener = threading.Thread(
        target=_listen, args=(ear, command, as_object), name="signals", daemon=True
    )
    listener.start()


def was_asked_to_end() -> bool:
    """Whether a signal asked to end. What fails afterwards may be a consequence.

    Whoever asks is the main thread, which has heard of it.
    """
    if _ENDING.asked.is_set():
        _ENDING.heard.set()
    return _ENDING.asked.is_set()


def wait_for_end() -> None:
    """Wait until a signal asks to end.

    It does as ``KeyboardInterrupt``. Windows delivers none into a wait without an end.
    """
    try:
        while True:
            time.sleep(_GLANCE)
    finally:
        _ENDING.heard.set()


def make_stopped() -> Stopped:
    """That somebody ended the command."""
    return Stopped("stopped from outside. Run the same command again to continue.")


def _interrupt(*_: object) -> None:
    _ENDING.asked.set()
    raise KeyboardInterrupt


def _is_ours(number: int | None) -> bool:
    return number is not None and signal.getsignal(number) is _interrupt


def _listen(ear: socket.socket, command: str, as_object: bool) -> None:
    """Wait for a signal that asks to end, and see to it that the process does."""
    with ear:
        while not _is_ours(next(iter(ear.recv(1)), None)):
            pass
    _ENDING.asked.set()
    begun = time.monotonic()
    while time.monotonic() - begun < (_UNHEARD + _HEARD if _ENDING.heard.is_set() else _UNHEARD):
        session.interrupt_sessions()
        time.sleep(_TICK)
    _leave_now(command, as_object=as_object)


def _leave_now(command: str, *, as_object: bool) -> None:
    """End the process. The main thread may hold the streams, so they are not used."""
    error = make_stopped()
    if as_object:
        shown = {"code": error.code, "message": error.message, "where": error.where}
        _write(1, json.dumps({"command": command, "error": shown}) + "\n")
    cursor = _SHOW_CURSOR if sys.stderr.isatty() else ""
    _write(2, f"{cursor}p2c: {error}\n")
    os._exit(error.exit_code)


def _write(number: int, text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(number, text.encode())
