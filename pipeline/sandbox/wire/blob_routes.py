"""The blob storage on the wire: Azure's REST operations on ``/<account>/<container>/<blob>``."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.sandbox.wire.blob import ACCOUNT, BLOB_VERSION, CONTAINER, Blob, BlobError, BlobStore

_RANGE: Final = re.compile(r"bytes=(\d+)-(\d*)")
_WRITES: Final = {"PUT": "cw", "DELETE": "d"}


def make_blob_routes(store: BlobStore) -> list[Route]:
    """Where the blobs are."""

    async def endpoint(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answer, store, request, body)

    path = f"/{ACCOUNT}/{CONTAINER}/{{name:path}}"
    return [Route(path, endpoint, methods=["GET", "HEAD", "PUT", "DELETE"])]


def _answer(store: BlobStore, request: Request, body: bytes) -> Response:
    name = str(request.path_params["name"])
    try:
        _no_token(request)
        store.check(name, request.query_params, _WRITES.get(request.method, "r"))
        return _OPERATIONS[request.method](store, name, request, body)
    except BlobError as error:
        return _refusal(error, head=request.method == "HEAD")


def _no_token(request: Request) -> None:
    if "authorization" in request.headers:
        text = (
            "Authentication information is not given in the correct format: the URL is signed and "
            "needs no header."
        )
        raise BlobError(HTTPStatus.BAD_REQUEST, "InvalidAuthenticationInfo", text)


def _put(store: BlobStore, name: str, request: Request, body: bytes) -> Response:
    part = request.query_params.get("comp", "")
    match part:
        case "":
            return _response(
                HTTPStatus.CREATED, _headers_of(store.put_blob(name, body, request.headers))
            )
        case "block":
            store.put_block(name, request.query_params.get("blockid", ""), body, request.headers)
            return _response(HTTPStatus.CREATED)
        case "blocklist":
            return _response(
                HTTPStatus.CREATED, _headers_of(store.put_block_list(name, body, request.headers))
            )
        case _:
            text = f"The value '{part}' of query parameter comp is not supported here."
            raise BlobError(HTTPStatus.BAD_REQUEST, "UnsupportedQueryParameter", text)


def _get(store: BlobStore, name: str, request: Request, _body: bytes) -> Response:
    if request.query_params.get("comp") == "blocklist":
        return _response(
            HTTPStatus.OK, {"Content-Type": "application/xml"}, _block_list(store.blocks_of(name))
        )
    blob = store.content_of(name)
    content = blob.content or b""
    headers = _headers_of(blob) | {
        "Content-Type": blob.content_type,
        "Accept-Ranges": "bytes",
        "x-ms-blob-type": "BlockBlob",
    }
    asked = _RANGE.fullmatch(
        request.headers.get("x-ms-range") or request.headers.get("range") or ""
    )
    if not asked:
        return _response(HTTPStatus.OK, headers, content)
    first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
    if first > last:
        text = "The range specified is invalid for the current size of the resource."
        raise BlobError(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "InvalidRange", text)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return _response(HTTPStatus.PARTIAL_CONTENT, headers, content[first : last + 1])


def _head(store: BlobStore, name: str, _request: Request, _body: bytes) -> Response:
    blob = store.content_of(name)
    headers = _headers_of(blob) | {"Content-Type": blob.content_type, "x-ms-blob-type": "BlockBlob"}
    return _response(HTTPStatus.OK, headers | {"Content-Length": str(len(blob.content or b""))})


def _delete(store: BlobStore, name: str, _request: Request, _body: bytes) -> Response:
    store.delete(name)
    return _response(HTTPStatus.ACCEPTED)


_OPERATIONS: Final[Mapping[str, Callable[[BlobStore, str, Request, bytes], Response]]] = {
    "PUT": _put,
    "GET": _get,
    "HEAD": _head,
    "DELETE": _delete,
}


def _headers_of(blob: Blob) -> dict[str, str]:
    changed = dt.datetime.fromtimestamp(blob.changed, dt.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {"ETag": blob.etag, "Last-Modified": changed}


def _block_list(blob: Blob) -> bytes:
    root = ET.Element("BlockList")
    for kind, blocks in (("CommittedBlocks", blob.committed), ("UncommittedBlocks", blob.blocks)):
        listed = ET.SubElement(root, kind)
        for block, content in blocks.items():
            one = ET.SubElement(listed, "Block")
            ET.SubElement(one, "Name").text = block
            ET.SubElement(one, "Size").text = str(len(content))
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _response(
    status: int, headers: Mapping[str, str] | None = None, content: bytes = b""
) -> Response:
    own = {
        "x-ms-version": BLOB_VERSION,
        "x-ms-request-id": str(uuid.uuid4()),
        "x-ms-request-server-encrypted": "true",
    }
    return Response(content, status_code=status, headers=own | dict(headers or {}))


def _refusal(error: BlobError, *, head: bool) -> Response:
    text = f"<Error><Code>{error.code}</Code><Message>{escape(error.text)}</Message></Error>"
    body = b"" if head else f'<?xml version="1.0" encoding="utf-8"?>{text}'.encode()
    return _response(
        error.status, {"x-ms-error-code": error.code, "Content-Type": "application/xml"}, body
    )
