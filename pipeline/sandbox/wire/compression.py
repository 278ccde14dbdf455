"""Answers are packed with gzip for clients that accept it, as both systems do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from isal import isal_zlib
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LEAST: Final = 1024
"""Bytes below which packing gains nothing."""
_LEVEL: Final = 1
_GZIP: Final = 31
_PACKED: Final = ("application/json", "application/xml", "text/", "multipart/mixed")
"""Blobs are packages: packed already, and stored byte for byte."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compressed:
    """An application whose long texts are packed on the way out."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, packed if the request says ``Accept-Encoding: gzip``."""
        accepted = (
            Headers(scope=scope).get("accept-encoding", "") if scope["type"] == "http" else ""
        )
        names = {
            part.partition(";")[0].strip().lower()
            for part in accepted.split(",")
            if "q=0" not in part.replace(" ", "")
        }
        await self.app(scope, receive, _Packer(send=send).packed if "gzip" in names else send)


@dataclass(kw_only=True, slots=True)
class _Packer:
    """Holds the head back until it has seen how the body begins."""

    send: Send
    head: Message | None = None
    gzip: Any = field(init=False, default=None)

    async def packed(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.head = message
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self.head is not None:
            await self._begin(self.head, long=len(body) >= _LEAST)
        if self.gzip is not None:
            body = self.gzip.compress(body) + (b"" if more else self.gzip.flush())
        if body or not more:
            await self.send({**message, "body": body})

    async def _begin(self, head: Message, *, long: bool) -> None:
        headers = MutableHeaders(raw=list(head["headers"]))
        if long and headers.get("content-type", "").startswith(_PACKED):
            self.gzip = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)
            headers["Content-Encoding"] = "gzip"
            headers.add_vary_header("Accept-Encoding")
            del headers["Content-Length"]
        self.head = None
        await self.send({**head, "headers": headers.raw})
