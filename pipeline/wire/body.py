"""The bodies of answers, unpacked as they come, and no more of them than fits in memory.

Those packed with gzip are unpacked by isal, which takes half as long as zlib.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

import httpx
from isal import isal_zlib

from pipeline.wire.json_body import MalformedError

LARGEST: Final = 256 << 20
"""Bytes of an answer, unpacked. A page of Sales has a few megabytes, SCM's metadata some dozens."""

_WINDOWS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""What isal calls the ways in which an answer may be packed."""
_BROKEN: Final = cast("type[Exception]", isal_zlib.error)
_PACKING: Final = {b"content-encoding", b"content-length"}


def read_body(response: httpx.Response, largest: int = LARGEST) -> tuple[httpx.Response, int]:
    """Read the body of an answer that is a stream.

    Returns:
        The answer with its body, and how many bytes came over the wire.

    Raises:
        httpx.HTTPError: the body broke off, or is not packed as its headers say.
        MalformedError: it has more than ``largest`` bytes, packed or unpacked.
    """
    if response.is_stream_consumed:
        response.read()
        return response, response.num_bytes_downloaded or len(response.content)
    pieces = _Counted(response.iter_raw(), largest)
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing in {"", "identity"}:
        content = b"".join(pieces)
    elif packing in _WINDOWS:
        unpacked = _unpack(pieces, _WINDOWS[packing], response.request)
        content = b"".join(_Counted(unpacked, largest))
    else:
        raise httpx.DecodingError("packed in an unknown way", request=response.request)
    kept = [pair for pair in response.headers.raw if pair[0].lower() not in _PACKING]
    whole = httpx.Response(
        response.status_code, headers=kept, content=content, request=response.request
    )
    return whole, pieces.bytes


class _Counted:
    """Pieces of bytes that are refused as soon as they are too many."""

    def __init__(self, pieces: Iterator[bytes], most: int) -> None:
        self._pieces, self._most = pieces, most
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.bytes += len(piece)
            if self.bytes > self._most:
                raise MalformedError(f"more than {self._most >> 20:,} MiB")
            yield piece


_PIECE: Final = 4 << 20
"""Bytes that are unpacked at once."""


def _unpack(pieces: _Counted, window: int, request: httpx.Request) -> Iterator[bytes]:
    """Unpack one member after the other: gzip may have several."""
    member = None
    try:
        for piece in pieces:
            rest = piece
            while rest:
                member = isal_zlib.decompressobj(window) if member is None else member
                yield member.decompress(rest, _PIECE)
                rest = member.unused_data if member.eof else member.unconsumed_tail
                member = None if member.eof else member
        while member is not None and not member.eof:
            more = member.decompress(b"", _PIECE)
            if not more:
                raise httpx.DecodingError("it was cut", request=request)
            yield more
    except _BROKEN as error:
        raise httpx.DecodingError(str(error), request=request) from error
