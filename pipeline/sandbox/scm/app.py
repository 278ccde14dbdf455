"""The SCM twin on the wire.

``/data`` and ``/metadata`` for callers with a token, blobs for callers with a signed URL.
"""

from __future__ import annotations

import math
import time
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.sandbox.login.login import Authorize
from pipeline.sandbox.login.origin import find_origin
from pipeline.sandbox.login.tokens import Claims
from pipeline.sandbox.scm import describing
from pipeline.sandbox.scm.dmf.package import PackageError
from pipeline.sandbox.scm.service import ScmService, add_trace
from pipeline.sandbox.scm.twin import ScmTwin
from pipeline.sandbox.wire.asgi import METHODS, make_response, read_operation
from pipeline.sandbox.wire.batch import ODataAnswer, ODataOperation
from pipeline.sandbox.wire.blob_routes import make_blob_routes as blob_routes


def accept_any_token(request: Request) -> Claims | Response:
    """Let in every caller that shows a bearer token, whatever it says."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return Claims(application="", audience="", expires=math.inf)
    return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})


def make_scm_routes(twin: ScmTwin, authorize: Authorize) -> list[BaseRoute]:
    """What one SCM answers to."""

    async def data(request: Request) -> Response:
        refusal = _refusal(twin, authorize(request))
        if refusal is not None:
            return refusal
        operation = await read_operation(request)
        started = time.perf_counter()
        answer = await run_in_threadpool(_answer, twin.service, operation, find_origin(request))
        return make_response(add_trace(answer, time.perf_counter() - started))

    async def metadata(request: Request) -> Response:
        refusal = _refusal(twin, authorize(request))
        if refusal is not None:
            return refusal
        answer = describing.answer_metadata(
            await read_operation(request),
            find_origin(request),
            twin.store.catalogue,
            twin.service.actions.types,
        )
        return make_response(add_trace(answer, 0))

    async def connector(request: Request) -> Response:
        refusal = _refusal(twin, authorize(request))
        if refusal is not None:
            return refusal
        return await run_in_threadpool(_answer_connector, twin, request, await request.body())

    return [
        Route("/api/connector/{verb}/{activity}", connector, methods=["GET", "POST"]),
        Route("/data", data, methods=METHODS),
        Route("/data/{path:path}", data, methods=METHODS),
        Route("/metadata/{path:path}", metadata, methods=METHODS),
        Route("/Metadata/{path:path}", metadata, methods=METHODS),
        *blob_routes(twin.blobs),
    ]


def make_scm_app(twin: ScmTwin, authorize: Authorize = accept_any_token) -> Starlette:
    """One SCM as an application of its own; without a login it takes any token."""
    return Starlette(routes=make_scm_routes(twin, authorize))


def _refusal(twin: ScmTwin, caller: Claims | Response) -> Response | None:
    """The refusal of a caller that is unknown, or unknown here.

    An application must be registered in SCM itself.
    """
    if isinstance(caller, Response):
        return caller
    if twin.applications is not None and caller.application not in twin.applications:
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    return None


def _answer(service: ScmService, operation: ODataOperation, root: str) -> ODataAnswer:
    if operation.method == "POST" and operation.url.partition("?")[0].rstrip("/").endswith(
        "/data/$batch"
    ):
        return service.batch(operation, root)
    return service.handle(operation, root)


def _answer_connector(twin: ScmTwin, request: Request, body: bytes) -> Response:
    """Recurring integrations: a message is enqueued, or its state answered."""
    verb, activity = request.path_params["verb"], request.path_params["activity"]
    if (request.method, verb) == ("GET", "jobstatus"):
        state = twin.messages.state(request.query_params.get("jobId", ""))
        return JSONResponse(state.value if state else "NotFound", status_code=200 if state else 404)
    if (request.method, verb) != ("POST", "enqueue"):
        return JSONResponse({"Message": f"'{verb}' is not part of this twin."}, status_code=501)
    try:
        company = twin.management.known_company(
            request.query_params.get("company") or twin.service.company
        )
    except PackageError as error:
        return JSONResponse({"Message": str(error)}, status_code=400)
    return JSONResponse(twin.messages.enqueue(activity, company, body))
