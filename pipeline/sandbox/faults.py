"""Faults on the wire, around an application.

Refusals before it is asked, answers spoiled or lost after it has done its work.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.sandbox.sales.limits import throttled
from pipeline.sandbox.wire.faultspec import USUAL_VALUES, Fault, FaultKind, Faults, System
from pipeline.sandbox.wire.server import ABORT

_GATEWAY: Final = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Time-out"}
_ERRORS: Final = (500, 502, 503, 504)
_BUSY: Final = (
    "This request could not be processed at this time due to system experiencing high resource "
    "utilization."
)


@dataclass(kw_only=True)
class Faulty:
    """An application with faults. ``system_of`` names the system that a scope's request is for."""

    app: ASGIApp
    faults: Faults
    system_of: Callable[[Scope], System]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _numbers: Mapping[System, Iterator[int]] = field(
        default_factory=lambda: {
            "sales": itertools.count(1),
            "scm": itertools.count(1),
            "login": itertools.count(1),
        }
    )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or fail to."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        system = self.system_of(scope)
        number = next(self._numbers[system])
        fault = self.faults.of(system, number)
        if fault is None:
            await self.app(scope, receive, send)
            return
        await self._befall(fault, system, number, (scope, receive, send))

    async def _befall(
        self, fault: Fault, system: System, number: int, call: tuple[Scope, Receive, Send]
    ) -> None:
        scope, receive, send = call
        value = USUAL_VALUES.get(fault.kind, 0.0) if fault.value is None else fault.value
        match fault.kind:
            case FaultKind.SLOW:
                await self.sleep(value)
                await self.app(scope, receive, send)
            case FaultKind.RESET:
                await _drain(receive)
                await _break_off(scope)
            case FaultKind.LOST:
                await self.app(scope, receive, _swallow)
                await _break_off(scope)
            case FaultKind.CUT:
                await self.app(scope, receive, _Cut(send=send, share=value).send_part)
                await _break_off(scope, gently=True)
            case FaultKind.THROTTLE | FaultKind.BUSY | FaultKind.ERROR | FaultKind.HTML:
                await _drain(receive)
                await _refusal(fault.kind, system, value, number)(scope, receive, send)


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


def _refusal(kind: FaultKind, system: System, value: float, number: int) -> Response:
    """The answer of a system that did not do what was asked."""
    if kind is FaultKind.THROTTLE:
        return _throttle(system, value)
    if kind is FaultKind.BUSY:
        return _page(HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": f"{value:.0f}"})
    if kind is FaultKind.HTML:
        return _page(HTTPStatus.BAD_GATEWAY, {})
    status = int(value) or _ERRORS[number % len(_ERRORS)]
    if status in _GATEWAY:
        return _page(status, {})
    code = "0x80040216" if system == "sales" else ""
    return _json(status, {"error": {"code": code, "message": "An unexpected error occurred."}}, {})


def _throttle(system: System, seconds: float) -> Response:
    if system == "scm":
        return _json(
            HTTPStatus.TOO_MANY_REQUESTS,
            {"error": {"code": "", "message": _BUSY}},
            {"Retry-After": f"{seconds:.0f}"},
        )
    text = "Number of requests exceeded the limit of 6000 over time window of 300 seconds."
    answer = throttled("requests", text, int(seconds)).answer()
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
