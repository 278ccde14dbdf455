"""The SCM twin on the wire: ``/data`` for who has a token, the blob storage for who has a signed URL."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeAlias
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.sandbox.batch import Answer, Operation
from pipeline.sandbox.blob_routes import routes as blob_routes
from pipeline.sandbox.scm.service import Service, with_trace
from pipeline.sandbox.scm.twin import Twin

Authorize: TypeAlias = Callable[[Request], Response | None]
"""Answers null to let a request in, else the refusal."""

_METHODS: Final = ["GET", "POST", "PATCH", "PUT", "DELETE"]


def routes(twin: Twin, authorize: Authorize) -> list[BaseRoute]:
    """What one SCM answers to."""

    async def data(request: Request) -> Response:
        refusal = authorize(request)
        if refusal is not None:
            return refusal
        operation = await _operation(request)
        started = time.perf_counter()
        answer = await run_in_threadpool(_answer, twin.service, operation, root_of(request))
        return _response(with_trace(answer, time.perf_counter() - started))

    return [
        Route("/data", data, methods=_METHODS),
        Route("/data/{path:path}", data, methods=_METHODS),
        *blob_routes(twin.blobs),
    ]


def app(twin: Twin, authorize: Authorize) -> Starlette:
    """One SCM as an application of its own."""
    return Starlette(routes=routes(twin, authorize))


def root_of(request: Request) -> str:
    """Scheme and host as the caller sees them, without a slash at the end."""
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme).partition(",")[0].strip()
    host = request.headers.get("x-forwarded-host") or request.headers.get("host") or request.url.netloc
    return f"{scheme}://{host.partition(',')[0].strip()}"


async def _operation(request: Request) -> Operation:
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    raw = request.scope.get("raw_path") or quote(request.url.path).encode()
    url = raw.decode("ascii").partition("?")[0]
    query = request.scope.get("query_string", b"").decode("latin-1")
    return Operation(method=request.method, url=f"{url}?{query}" if query else url, headers=headers, body=body)


def _answer(service: Service, operation: Operation, root: str) -> Answer:
    if operation.method == "POST" and operation.url.partition("?")[0].rstrip("/").endswith("/data/$batch"):
        return service.batch(operation, root)
    return service.handle(operation, root)


def _response(answer: Answer) -> Response:
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))
