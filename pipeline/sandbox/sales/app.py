"""The Sales twin on the wire: ``/api/data`` for who has a token and is a user."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from pipeline.sandbox.login.login import Authorize
from pipeline.sandbox.login.origin import find_origin
from pipeline.sandbox.login.tokens import Claims
from pipeline.sandbox.sales.failures import SalesFailure
from pipeline.sandbox.sales.twin import SalesTwin
from pipeline.sandbox.wire.asgi import METHODS, read_operation
from pipeline.sandbox.wire.batch import ODataAnswer, ODataOperation

_LONGEST: Final = 32_768
_CHUNK: Final = 2**18
_AFFINITY: Final = "ARRAffinity=5a1e5; path=/; HttpOnly"


class Chunked(Response):
    """A body sent in pieces, each when the one before has left: large ones pile up nowhere."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send head and pieces."""
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        for start in range(0, len(self.body), _CHUNK):
            await send(
                {
                    "type": "http.response.body",
                    "body": self.body[start : start + _CHUNK],
                    "more_body": True,
                }
            )
        await send({"type": "http.response.body", "body": b""})


def make_sales_routes(twin: SalesTwin, authorize: Authorize) -> list[Route]:
    """What one Sales environment answers to."""

    async def data(request: Request) -> Response:
        claims = authorize(request)
        if isinstance(claims, Response):
            return claims
        operation = await read_operation(request)
        answer = await run_in_threadpool(_answer, twin, operation, find_origin(request), claims)
        return _response(twin, answer, claims, request.method)

    return [Route("/api/data/{path:path}", data, methods=[*METHODS, "HEAD"])]


def _answer(twin: SalesTwin, operation: ODataOperation, origin: str, claims: Claims) -> ODataAnswer:
    if len(operation.url) > _LONGEST and not operation.url.endswith("/$batch"):
        return ODataAnswer(
            status=HTTPStatus.REQUEST_URI_TOO_LONG,
            headers={"Content-Type": "text/plain"},
            body=b"The request URL is too long.",
        )
    try:
        caller = twin.find_caller(claims.application)
        twin.limits.enter(claims.application)
    except SalesFailure as failure:
        return failure.answer()
    begin = time.perf_counter()
    try:
        return twin.service.handle(operation, origin, caller)
    finally:
        twin.limits.leave(claims.application, time.perf_counter() - begin)


def _response(twin: SalesTwin, answer: ODataAnswer, claims: Claims, method: str) -> Response:
    identity = str(uuid.uuid4())
    named: Mapping[str, str] = {
        "x-ms-service-request-id": identity,
        "REQ_ID": identity,
        "x-ms-dop-hint": str(twin.dop),
        "Set-Cookie": _AFFINITY,
        "Cache-Control": "no-cache",
        "Allow": "OPTIONS,GET,HEAD,POST",
        **twin.limits.headers(claims.application),
    }
    body = b"" if method == "HEAD" else answer.body
    return Chunked(body, status_code=answer.status, headers={**named, **answer.headers})
