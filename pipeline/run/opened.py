"""The run that a command is about, for those who answer its errors. It loads nothing."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipeline.run.folder import RunFolder

_OPENED: Final[ContextVar[RunFolder | None]] = ContextVar("opened", default=None)


def get_opened_run() -> RunFolder | None:
    """The run that this command is about, if it is about one."""
    return _OPENED.get()


def note_opened_run(run: RunFolder | None) -> None:
    """Remember the run that this command is about."""
    _OPENED.set(run)
