"""What Starlette and the twins hand to each other: requests as operations, answers as responses."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from pipeline.sandbox.wire.batch import ODataAnswer, ODataOperation

METHODS: Final = ("GET", "POST", "PATCH", "PUT", "DELETE")
"""What OData services answer to."""


async def read_operation(request: Request) -> ODataOperation:
    """The operation that a request is: HEAD is read as GET."""
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    raw = request.scope.get("raw_path") or quote(request.url.path).encode()
    path = raw.decode("ascii").partition("?")[0]
    query = request.scope.get("query_string", b"").decode("latin-1")
    return ODataOperation(
        method="GET" if request.method == "HEAD" else request.method,
        url=f"{path}?{query}" if query else path,
        headers=headers,
        body=body,
    )


def make_response(answer: ODataAnswer) -> Response:
    """The response that an answer is."""
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))
