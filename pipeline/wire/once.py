"""A request that is sent once: what its failure means for its effect.

What may be asked twice is asked again after a failure of the world. What may not (starting an
import, sending rows) is asked once, and ``LostAnswer`` says that nobody knows whether it happened.
"""

from __future__ import annotations

from typing import Final

import httpx

from pipeline.errors import (
    AnswerUnreadable,
    Refusal,
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


class LostAnswer(Stopped):
    """A request was sent and its answer did not come: nobody knows whether it had its effect."""


class Busy(Stopped):
    """A system is busy or cannot be reached; nothing happened. ``seconds`` is how long to wait."""

    def __init__(self, message: str, *, where: str, seconds: float) -> None:
        super().__init__(message, where=where)
        self.seconds = seconds


class Declined(Stopped):
    """A system understood and refused; nothing happened. ``refusal`` is what it said."""

    def __init__(self, message: str, *, where: str, refusal: Refusal) -> None:
        super().__init__(message, where=where)
        self.refusal = refusal


class SentOnce:
    """Translates the failure of a request that is sent once into what it means for its effect."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, SystemStopped):
            meaning = _translate(error)
            if meaning is not None:
                raise meaning from error


def _translate(error: SystemStopped) -> Stopped | None:
    """The failure by its effect; null where it stays as it is."""
    match error:
        case Throttled():
            return Busy(
                error.message,
                where=error.where,
                seconds=_BUSY_WAIT if error.wait is None else error.wait,
            )
        case RequestRefused():
            return translate_refusal(error)
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


def translate_refusal(refused: RequestRefused) -> Declined:
    """A refusal of a request that may be sent once only, or again."""
    return Declined(refused.message, where=refused.where, refusal=refused.refusal)
