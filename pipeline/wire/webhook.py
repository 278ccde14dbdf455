"""A message to a webhook: a few quick attempts, and no more. Its address is a secret.

Its answer is a status; what else it says is not read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import httpx
from pydantic import JsonValue

from pipeline.wire.client import make_client

_TIMEOUT: Final = httpx.Timeout(10.0)
_WAITS: Final = (1.0, 3.0)
"""Seconds between attempts."""
_QUICK: Final = httpx.Timeout(1.0)
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


def post_message(
    url: str,
    content: JsonValue,
    sleep: Callable[[float], object],
    *,
    quick: bool = False,
    transport: httpx.BaseTransport | None = None,
) -> str:
    """Send a message as JSON.

    Args:
        url: the whole address.
        content: the message.
        sleep: waits between attempts.
        quick: try once, for a second: somebody waits for the end.
        transport: replaces the network in tests.

    Returns:
        Why it was not taken, without the address; blank if it was.
    """
    failure = ""
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        return "its address is not one"
    waits, timeout = ((), _QUICK) if quick else (_WAITS, _TIMEOUT)
    with make_client(url, transport=transport, connections=1, timeout=timeout) as http:
        for wait in (0.0, *waits):
            if wait:
                sleep(wait)
            try:
                with http.stream("POST", address, json=content) as answer:
                    status = answer.status_code
            except httpx.RequestError as error:
                failure = f"there was no answer ({type(error).__name__})"
                continue
            if httpx.codes.is_success(status):
                return ""
            failure = f"it answered with HTTP status {status}"
            if status not in _PASSING:
                break
    return failure
