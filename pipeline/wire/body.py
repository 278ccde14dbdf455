"""The bodies of answers.

Those packed with gzip are unpacked at once, by isal, which takes half as long as zlib.
"""

from __future__ import annotations

from typing import Final, cast

import httpx
from isal import isal_zlib

_GZIP: Final = 31
_BROKEN: Final = cast("type[Exception]", isal_zlib.error)
_LENGTH: Final = 4
"""Bytes at the end of gzip that say how long the text is."""
_LARGEST: Final = 64 * 1024 * 1024
"""Memory that a body may claim up front; more is taken as it comes."""


def read_body(response: httpx.Response) -> tuple[httpx.Response, int]:
    """Read the body of an answer that is a stream.

    Returns:
        The answer with its body, and how many bytes came over the wire.

    Raises:
        httpx.HTTPError: the body broke off, or is not packed as its headers say.
    """
    if (
        response.is_stream_consumed
        or response.headers.get("content-encoding", "").strip().lower() != "gzip"
    ):
        response.read()
        return response, response.num_bytes_downloaded or len(response.content)
    packed = b"".join(response.iter_raw())
    kept = [
        pair
        for pair in response.headers.multi_items()
        if pair[0] not in {"content-encoding", "content-length"}
    ]
    text = _unpack(packed, response.request) if packed else b""
    return httpx.Response(
        response.status_code, headers=kept, content=text, request=response.request
    ), len(packed)


def _unpack(packed: bytes, request: httpx.Request) -> bytes:
    room = min(int.from_bytes(packed[-_LENGTH:], "little") + 1, _LARGEST)
    try:
        unpacked: bytes = isal_zlib.decompress(packed, _GZIP, room)
    except _BROKEN as error:
        raise httpx.DecodingError(str(error), request=request) from error
    return unpacked
