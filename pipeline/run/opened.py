"""The folder of the run that a command is about, for those who answer its errors.

It loads nothing, so that ``p2c --help`` need not either.
"""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path
from typing import Final

_OPENED: Final[ContextVar[Path | None]] = ContextVar("opened", default=None)


def get_opened_run() -> Path | None:
    """The folder of the run that this command is about, if it is about one."""
    return _OPENED.get()


def note_opened_run(path: Path | None) -> None:
    """Say which run this command is about; null as a new command begins."""
    _OPENED.set(path)
