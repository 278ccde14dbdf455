"""Who the caller thinks it is talking to.

Scheme and host of its request, as forwarded if somebody stands between.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS: Final = {"http": 80, "https": 443}


def find_origin(request: Request) -> str:
    """Scheme and host as the caller sees them, without a slash at the end."""
    scheme = _first(request.headers.get("x-forwarded-proto", request.url.scheme))
    host = _first(
        request.headers.get("x-forwarded-host") or request.headers.get("host") or request.url.netloc
    )
    return f"{scheme}://{host}"


def is_same_origin(one: str, other: str) -> bool:
    """Whether two URLs name one system.

    All loopback names are one, and a path makes no difference.
    """
    return _parts(one) == _parts(other)


def _first(text: str) -> str:
    return text.partition(",")[0].strip()


def _parts(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    try:
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        port = None
    return parts.scheme, "localhost" if host in _LOOPBACK else host, port
