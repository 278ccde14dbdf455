"""The blob storage behind Data management.

Upload and download by signed URLs, as Azure's block blobs do it.

Put Blob, Put Block and Put Block List, Get, Head and Delete: enough for Azure's own uploaders. A
URL carries its rights and its end; nothing else lets anybody in. ``blob_routes.py`` puts it on the
wire.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from pipeline.sandbox.wire import xmltree
from pipeline.sandbox.wire.xmltree import XmlError

ACCOUNT: Final = "p2csandbox"
CONTAINER: Final = "dmf"
BLOB_VERSION: Final = "2025-07-05"

_SMALL_UNTIL: Final = "2019-12-12"
_SMALL_PUT: Final = 256 * 2**20
_LARGE_PUT: Final = 5000 * 2**20
_BLOCK: Final = 4000 * 2**20
_MOST_BLOCKS: Final = 50_000
_MOST_BLOCK_ID: Final = 64


@dataclass(kw_only=True, slots=True)
class Blob:
    """One blob. ``content`` is null until a block list commits what was put."""

    created: float
    content: bytes | None = None
    blocks: dict[str, bytes] = field(default_factory=dict)
    committed: dict[str, bytes] = field(default_factory=dict)
    content_type: str = "application/octet-stream"
    changed: float = 0.0
    etag: str = ""


class BlobError(Exception):
    """Azure's refusal: a status, a code and a text."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


class BlobStore:
    """Blobs in memory, and the secret that signs their URLs.

    ``clock`` gives seconds since 1970; blobs live ``seconds``.
    """

    def __init__(self, clock: Callable[[], float], *, seconds: float = 7 * 86400.0) -> None:
        self._clock = clock
        self._seconds = seconds
        self._secret = secrets.token_bytes(32)
        self._blobs: dict[str, Blob] = {}
        self._lock = threading.Lock()

    # for the twin itself

    def url(self, root: str, name: str, *, rights: str, seconds: float) -> str:
        """A URL under ``root`` that gives these rights (of ``rcwd``) on one blob for so long."""
        end = dt.datetime.fromtimestamp(self._clock() + seconds, dt.UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
        claims = {"sv": BLOB_VERSION, "se": end, "sr": "b", "sp": rights}
        query = urlencode({**claims, "sig": self._signature(name, claims)})
        return f"{root}/{ACCOUNT}/{CONTAINER}/{quote(name)}?{query}"

    def put(
        self, name: str, content: bytes, content_type: str = "application/octet-stream"
    ) -> None:
        """Store a blob whole."""
        with self._lock:
            self._store(name, content, content_type)

    def read(self, name: str) -> bytes | None:
        """The content of a blob, null when there is none (any more)."""
        with self._lock:
            blob = self._find_alive(name)
            return blob.content if blob else None

    def fetch(self, url: str) -> bytes:
        """The content behind a signed URL of this store. Raises ``BlobError``."""
        parts = urlsplit(url)
        account, container, name = (
            unquote(part) for part in [*parts.path.lstrip("/").split("/", 2), "", ""][:3]
        )
        if (account, container) != (ACCOUNT, CONTAINER):
            raise BlobError(
                HTTPStatus.NOT_FOUND, "ResourceNotFound", "The specified resource does not exist."
            )
        self.check(name, dict(parse_qsl(parts.query)), "r")
        return self.content_of(name).content or b""

    def check(self, name: str, query: Mapping[str, str], right: str) -> None:
        """Whether a URL's signature gives one of the rights. Raises ``BlobError``."""
        if "sig" not in query:
            raise BlobError(
                HTTPStatus.UNAUTHORIZED, "NoAuthenticationInformation", "The URL is not signed."
            )
        claims = {claim: query.get(claim, "") for claim in ("sv", "se", "sr", "sp")}
        if not hmac.compare_digest(query["sig"], self._signature(name, claims)):
            raise BlobError(
                HTTPStatus.FORBIDDEN, "AuthenticationFailed", "Signature did not match."
            )
        if dt.datetime.fromisoformat(claims["se"]).timestamp() < self._clock():
            raise BlobError(
                HTTPStatus.FORBIDDEN,
                "AuthenticationFailed",
                "Signature not valid in the specified time frame.",
            )
        if not set(right) & set(claims["sp"]):
            text = "This request is not authorized to perform this operation using this permission."
            raise BlobError(HTTPStatus.FORBIDDEN, "AuthorizationPermissionMismatch", text)

    # the operations of Azure

    def content_of(self, name: str) -> Blob:
        """A committed blob. Raises ``BlobError``."""
        with self._lock:
            blob = self._find_alive(name)
            if blob is None or blob.content is None:
                raise BlobError(
                    HTTPStatus.NOT_FOUND, "BlobNotFound", "The specified blob does not exist."
                )
            return blob

    def blocks_of(self, name: str) -> Blob:
        """A blob that may have uncommitted blocks only. Raises ``BlobError``."""
        with self._lock:
            blob = self._find_alive(name)
            if blob is None:
                raise BlobError(
                    HTTPStatus.NOT_FOUND, "BlobNotFound", "The specified blob does not exist."
                )
            return blob

    def put_blob(self, name: str, content: bytes, headers: Mapping[str, str]) -> Blob:
        """Put Blob."""
        if headers.get("x-ms-blob-type") != "BlockBlob":
            text = (
                "An HTTP header that's mandatory for this request is not specified or not "
                "'BlockBlob': x-ms-blob-type."
            )
            raise BlobError(HTTPStatus.BAD_REQUEST, "MissingRequiredHeader", text)
        small = headers.get("x-ms-version", BLOB_VERSION) < _SMALL_UNTIL
        _fits(content, _SMALL_PUT if small else _LARGE_PUT)
        _same_hash(content, headers)
        with self._lock:
            self._may_write(name, headers)
            return self._store(name, content, _type(headers))

    def put_block(self, name: str, block: str, content: bytes, headers: Mapping[str, str]) -> None:
        """Put Block: kept until a block list commits it."""
        if not block or len(block) > 2 * _MOST_BLOCK_ID:
            raise BlobError(
                HTTPStatus.BAD_REQUEST, "InvalidQueryParameterValue", "The block id is not valid."
            )
        _fits(content, _BLOCK)
        _same_hash(content, headers)
        with self._lock:
            blob = self._find_alive(name) or self._blobs.setdefault(
                name, Blob(created=self._clock())
            )
            if any(len(known) != len(block) for known in blob.blocks):
                text = "The specified blob or block content is invalid: block ids differ in length."
                raise BlobError(HTTPStatus.BAD_REQUEST, "InvalidBlobOrBlock", text)
            blob.blocks[block] = content

    def put_block_list(self, name: str, body: bytes, headers: Mapping[str, str]) -> Blob:
        """Put Block List: the blob becomes the blocks that it names, in their order."""
        wanted = _block_list(body)
        with self._lock:
            self._may_write(name, headers)
            blob = self._find_alive(name) or Blob(created=self._clock())
            sources = {
                "Latest": blob.committed | blob.blocks,
                "Uncommitted": blob.blocks,
                "Committed": blob.committed,
            }
            try:
                chosen = {block: sources[kind][block] for kind, block in wanted}
            except KeyError as error:
                raise BlobError(
                    HTTPStatus.BAD_REQUEST,
                    "InvalidBlockList",
                    "The specified block list is invalid.",
                ) from error
            stored = self._store(
                name, b"".join(chosen[block] for _, block in wanted), _type(headers)
            )
            stored.committed = chosen
            return stored

    def delete(self, name: str) -> None:
        """Delete Blob."""
        self.content_of(name)
        with self._lock:
            self._blobs.pop(name, None)

    # inside

    def _signature(self, name: str, claims: Mapping[str, str]) -> str:
        text = "\n".join(
            [ACCOUNT, CONTAINER, name, *(claims[claim] for claim in ("sv", "se", "sr", "sp"))]
        )
        return base64.b64encode(hmac.digest(self._secret, text.encode(), "sha256")).decode()

    def _find_alive(self, name: str) -> Blob | None:
        blob = self._blobs.get(name)
        if blob is not None and blob.created + self._seconds < self._clock():
            del self._blobs[name]
            return None
        return blob

    def _may_write(self, name: str, headers: Mapping[str, str]) -> None:
        blob = self._find_alive(name)
        if headers.get("if-none-match") == "*" and blob is not None and blob.content is not None:
            raise BlobError(
                HTTPStatus.CONFLICT, "BlobAlreadyExists", "The specified blob already exists."
            )

    def _store(self, name: str, content: bytes, content_type: str) -> Blob:
        now = self._clock()
        etag = f'"0x{secrets.token_hex(8).upper()}"'
        blob = Blob(created=now, content=content, content_type=content_type, changed=now, etag=etag)
        self._blobs[name] = blob
        return blob


def _type(headers: Mapping[str, str]) -> str:
    return (
        headers.get("x-ms-blob-content-type")
        or headers.get("content-type")
        or "application/octet-stream"
    )


def _fits(content: bytes, most: int) -> None:
    if len(content) > most:
        text = (
            f"The request body is too large and exceeds the maximum permissible limit of {most} "
            "bytes."
        )
        raise BlobError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestBodyTooLarge", text)


def _same_hash(content: bytes, headers: Mapping[str, str]) -> None:
    expected = headers.get("content-md5")
    if (
        expected
        and expected
        != base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    ):
        text = (
            "The MD5 value specified in the request did not match with the MD5 value calculated by "
            "the server."
        )
        raise BlobError(HTTPStatus.BAD_REQUEST, "Md5Mismatch", text)


def _block_list(body: bytes) -> list[tuple[str, str]]:
    try:
        root = xmltree.parse_xml(body)
    except XmlError as error:
        raise BlobError(
            HTTPStatus.BAD_REQUEST,
            "InvalidXmlDocument",
            "XML specified is not syntactically valid.",
        ) from error
    if len(root) > _MOST_BLOCKS:
        raise BlobError(
            HTTPStatus.BAD_REQUEST,
            "BlockListTooLong",
            "The block list may not contain more than 50,000 blocks.",
        )
    return [(child.tag, child.text or "") for child in root]
