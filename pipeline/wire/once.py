"""A request that is sent once: what its failure means for its effect.

What may be asked twice is asked again after a failure of the world; what may not (starting an
import, sending rows) is asked once, and ``LostAnswer`` says that nobody knows whether it happened.
"""

from __future__ import annotations

import re
from typing import Final

import httpx

from pipeline.errors import (
    AnswerUnreadable,
    RequestRefused,
    ServerFailed,
    Stopped,
    SystemStopped,
    Throttled,
    Unreachable,
)

_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNSENT_WAIT: Final = 5.0
_BUSY_WAIT: Final = 30.0
"""Seconds to wait when a system is busy and does not say how long (reference B.4)."""

_WORDS: Final = re.compile(r"\Arefused(?:: (?P<text>.*))? \(HTTP \d+\)\.\Z", re.DOTALL)


class LostAnswer(Stopped):
    """A request was sent and its answer did not come: nobody knows whether it had its effect."""


class Busy(Stopped):
    """A system is busy or cannot be reached; nothing happened. ``seconds`` is how long to wait."""

    def __init__(self, message: str, *, where: str, seconds: float) -> None:
        super().__init__(message, where=where)
        self.seconds = seconds


class Declined(Stopped):
    """A system understood and refused; nothing happened.

    ``text`` is its own message, ``detail`` its own code.
    """

    def __init__(
        self, message: str, *, where: str, status: int, text: str, detail: str = ""
    ) -> None:
        super().__init__(message, where=where)
        self.status = status
        self.text = text
        self.detail = detail


class Told:
    """What a failure of a request that is sent once means for its effect."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, SystemStopped):
            told = _told(error)
            if told is not None:
                raise told from error


def _told(error: SystemStopped) -> Stopped | None:
    match error:
        case Throttled():
            return Busy(
                error.message,
                where=error.where,
                seconds=_BUSY_WAIT if error.wait is None else error.wait,
            )
        case RequestRefused():
            return declined(error)
        case Unreachable() if isinstance(error.__cause__, _UNSENT):
            return (
                Busy(error.message, where=error.where, seconds=_UNSENT_WAIT)
                if error.again
                else None
            )
        case Unreachable() | ServerFailed() | AnswerUnreadable():
            return LostAnswer(error.message, where=error.where)
        case _:
            return None


def declined(refused: RequestRefused) -> Declined:
    """A refusal, with the system's own words."""
    words = _WORDS.match(refused.message)
    text = (words["text"] or "") if words else refused.message
    return Declined(
        refused.message,
        where=refused.where,
        status=refused.status or 0,
        text=text,
        detail=refused.detail,
    )
