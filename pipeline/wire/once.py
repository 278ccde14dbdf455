"""A request that is sent once: what its failure means for its effect.

What may be asked twice is asked again after a failure of the world. What may not (starting an
import, sending rows) is asked once, and ``LostAnswer`` says that nobody knows whether it happened.
"""

from __future__ import annotations

from typing import Final

import httpx

from pipeline.errors import (
    NO_REFUSAL,
    AnswerUnreadable,
    LoginAway,
    Refusal,
    RequestRefused,
    ServerFailed,
    Stopped,
    SystemStopped,
    Throttled,
    Unreachable,
)

_UNSENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)
_UNSENT_WAIT: Final = 5.0
_BUSY_WAIT: Final = 30.0
"""Seconds to wait when a system is busy and does not say how long (reference B.4)."""


_OF_REQUEST: Final = frozenset({400, 404, 405, 409, 410, 412, 413, 422, 501})
"""Statuses by which a system refuses what was asked; others speak of the way to it."""
_OF_CONTENT: Final = frozenset({400, 409, 412, 413, 422})
"""Those of them that may be about what a request holds, not about its address."""
TOO_LARGE: Final = 413
"""The status of a request with too much in it, whoever refuses it: half of it may pass."""


class LostAnswer(Stopped):
    """A request was sent and its answer did not come: nobody knows whether it had its effect.

    ``refusal`` is what came in the answer's place, if anything did; ``seconds`` is how long the
    system then asked to wait; ``event`` as ``SystemStopped`` has it.
    """

    def __init__(
        self,
        message: str,
        *,
        where: str,
        refusal: Refusal = NO_REFUSAL,
        seconds: float | None = None,
        event: str = "",
    ) -> None:
        super().__init__(message, where=where)
        self.refusal = refusal
        self.seconds = seconds
        self.event = event


class Busy(Stopped):
    """A system is throttling or cannot be reached; nothing happened.

    ``seconds`` is how long to wait. ``throttled`` says that it is there and asked for that.
    """

    def __init__(self, message: str, *, where: str, seconds: float, throttled: bool) -> None:
        super().__init__(message, where=where)
        self.seconds = seconds
        self.throttled = throttled


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
                throttled=True,
            )
        case RequestRefused():
            return translate_refusal(error) if error.status in _OF_REQUEST else None
        case Unreachable() if _is_unsent(error):
            if not error.again:
                return None
            seconds = _UNSENT_WAIT if error.wait is None else error.wait
            return Busy(error.message, where=error.where, seconds=seconds, throttled=False)
        case Unreachable() | ServerFailed() | AnswerUnreadable():
            return LostAnswer(
                error.message,
                where=error.where,
                refusal=error.refusal,
                seconds=error.wait,
                event=error.event,
            )
        case _:
            return None


def _is_unsent(error: Unreachable) -> bool:
    """Whether the request did not get as far as the system."""
    return isinstance(error, LoginAway) or isinstance(error.__cause__, _UNSENT)


def translate_refusal(refused: RequestRefused) -> Declined:
    """A refusal of a request that may be sent once only, or again."""
    return Declined(refused.message, where=refused.where, refusal=refused.refusal)


def refuse_address(declined: Declined) -> Stopped:
    """What a refusal means for a request that holds rows.

    If it is not about what the request holds, no row failed: the run cannot continue. Neither did
    one if the system said nothing: then somebody before it refused.
    """
    said = declined.refusal
    if said.status in _OF_CONTENT and (said.cause or said.code):
        return declined
    return RequestRefused(declined.message, where=declined.where, refusal=said)


def refuse_batch(declined: Declined) -> Stopped:
    """As ``refuse_address``; but who refuses a batch as too large speaks of what it holds."""
    return declined if declined.refusal.status == TOO_LARGE else refuse_address(declined)
