"""Faults on the wire, around an application.

Refusals before it is asked, answers spoiled or lost after it has done its work.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.sandbox.sales.limits import throttled
from pipeline.sandbox.wire.faultspec import SPELLS, USUAL_VALUES, Fault, FaultKind, Faults, System
from pipeline.sandbox.wire.server import ABORT

_GATEWAY: Final = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Time-out"}
_LONGEST_WAIT: Final = 60.0
"""Seconds that a system under a quota asks to wait, at the most, however long the quota lasts."""
_ERRORS: Final = (500, 502, 503, 504)
_BUSY: Final = (
    "This request could not be processed at this time due to system experiencing high resource "
    "utilization."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mishap:
    """What befalls one request: the fault, its value, and the number of the request."""

    kind: FaultKind
    value: float
    number: int


@dataclass(kw_only=True)
class Schedule:
    """What befalls the requests of all systems, one after the other.

    A spell that began lasts by ``clock``, which counts seconds.
    """

    faults: Faults
    clock: Callable[[], float] = time.monotonic
    _numbers: Mapping[System, Iterator[int]] = field(
        default_factory=lambda: {
            "sales": itertools.count(1),
            "scm": itertools.count(1),
            "login": itertools.count(1),
        }
    )
    _spells: dict[System, tuple[FaultKind, float]] = field(default_factory=dict)
    """The last spell of each system, and when it is over."""

    def next(self, system: System) -> Mishap | None:
        """What befalls the next request to a system; null if nothing does.

        The value of a spell is how many seconds are left of it.
        """
        number = next(self._numbers[system])
        fault = self.faults.of(system, number)
        kind, end = self._spells.get(system, (FaultKind.AWAY, 0.0))
        left = end - self.clock()
        if left > 0:
            return Mishap(kind=kind, value=left, number=number)
        if fault is None:
            return None
        value = _read_value(fault)
        if fault.kind in SPELLS:
            self._spells[system] = fault.kind, self.clock() + value
        return Mishap(kind=fault.kind, value=value, number=number)


def _read_value(fault: Fault) -> float:
    return USUAL_VALUES.get(fault.kind, 0.0) if fault.value is None else fault.value


@dataclass(kw_only=True)
class Faulty:
    """An application with faults. ``system_of`` names the system that a scope's request is for."""

    app: ASGIApp
    schedule: Schedule
    system_of: Callable[[Scope], System]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or fail to."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        system = self.system_of(scope)
        mishap = self.schedule.next(system)
        if mishap is None:
            await self.app(scope, receive, send)
            return
        await self._befall(mishap, system, (scope, receive, send))

    async def _befall(
        self, mishap: Mishap, system: System, call: tuple[Scope, Receive, Send]
    ) -> None:
        scope, receive, send = call
        match mishap.kind:
            case FaultKind.SLOW:
                await self.sleep(mishap.value)
                await self.app(scope, receive, send)
            case FaultKind.RESET:
                await _drain(receive)
                await _break_off(scope)
            case FaultKind.AWAY:
                await _break_off(scope)
            case FaultKind.LOST:
                await self.app(scope, receive, _swallow)
                await _break_off(scope)
            case FaultKind.CUT:
                await self.app(scope, receive, _Cut(send=send, share=mishap.value).send_part)
                await _break_off(scope, gently=True)
            case _:
                await _drain(receive)
                await make_refusal(mishap, system)(scope, receive, send)


@dataclass(kw_only=True, slots=True)
class _Cut:
    """Lets headers pass, and the first part of the body that they promise."""

    send: Send
    share: float
    done: bool = False

    async def send_part(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self.send(message)
        elif not self.done:
            self.done = True
            body: bytes = message.get("body", b"")
            await self.send(
                {**message, "body": body[: int(len(body) * self.share)], "more_body": True}
            )


async def _swallow(_message: Message) -> None:
    """Drop the answer."""


async def _break_off(scope: Scope, *, gently: bool = False) -> None:
    """End the connection, ``gently`` after what was sent.

    Without a server underneath, the caller gets the error itself.
    """
    abort: Any = scope.get("extensions", {}).get(ABORT)
    if abort is None:
        raise ConnectionResetError("The sandbox broke the connection off, as --faults asked it to.")
    abort(gently=gently)
    await asyncio.sleep(
        0
    )  # the server has to notice before it would complain of the missing answer


async def _drain(receive: Receive) -> None:
    """Read the body, as a gateway would before it answers."""
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return


def make_refusal(mishap: Mishap, system: System) -> Response:
    """The answer of a system that did not do what was asked."""
    value = mishap.value
    match mishap.kind:
        case FaultKind.THROTTLE | FaultKind.QUOTA:
            return _throttle(system, min(value, _LONGEST_WAIT))
        case FaultKind.BUSY:
            return _page(HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": f"{value:.0f}"})
        case FaultKind.CLOSED:
            return _page(HTTPStatus.SERVICE_UNAVAILABLE, {})
        case FaultKind.HTML:
            return _page(HTTPStatus.BAD_GATEWAY, {})
        case _:
            return _fail(system, int(value) or _ERRORS[mishap.number % len(_ERRORS)])


def _fail(system: System, status: int) -> Response:
    if status in _GATEWAY:
        return _page(status, {})
    code = "0x80040216" if system == "sales" else ""
    return _json(status, {"error": {"code": code, "message": "An unexpected error occurred."}}, {})


def _throttle(system: System, seconds: float) -> Response:
    if system == "scm":
        return _json(
            HTTPStatus.TOO_MANY_REQUESTS,
            {"error": {"code": "", "message": _BUSY}},
            {"Retry-After": f"{math.ceil(seconds)}"},
        )
    text = "Number of requests exceeded the limit of 6000 over time window of 300 seconds."
    answer = throttled("requests", text, math.ceil(seconds)).answer()
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))


def _json(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    return Response(
        orjson.dumps(body),
        status_code=status,
        headers={**headers, "Content-Type": "application/json"},
    )


def _page(status: int, headers: Mapping[str, str]) -> Response:
    """What a gateway says in the system's place."""
    words = f"{int(status)} {_GATEWAY[int(status)]}"
    text = (
        f"<html>\r\n<head><title>{words}</title></head>\r\n"
        f"<body><center><h1>{words}</h1></center></body>\r\n</html>\r\n"
    )
    return Response(text, status_code=status, headers=dict(headers), media_type="text/html")
