"""Who may ask, and how: the token in the address, no foreign host or origin, reading only."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS: Final = ("GET", "HEAD")
NAMES: Final = ("localhost", "127.0.0.1", "[::1]")
"""What a browser on this machine may call it."""

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer, also on refusals."""


def make_token() -> str:
    """A secret for the address of one command."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressGuard:
    """Passes on what may be answered, with the token as the application's root.

    The name of the host is looked at because a foreign page can have its own name lead to this
    machine; a cookie would not keep it out, and other ports of this machine would get it, too.
    """

    app: ASGIApp
    token: str
    port: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refuse(scope)
        if refusal is not None:
            await refusal(scope, receive, send_guarded)
        else:
            await self.app({**scope, "root_path": f"/{self.token}"}, receive, send_guarded)

    def _refuse(self, scope: Scope) -> PlainTextResponse | None:
        headers, hosts = Headers(scope=scope), [f"{name}:{self.port}" for name in NAMES]
        if not _are_all(headers.getlist("host"), hosts) or not headers.getlist("host"):
            return PlainTextResponse("This is not the address that p2c printed.", 421)
        origins = [f"http://{host}" for host in hosts]
        if not _are_all(headers.getlist("origin"), origins):
            return PlainTextResponse("Another page asked. Open the address yourself.", 403)
        given = scope["path"].split("/")[1]
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            return PlainTextResponse("Open the whole address that p2c printed.", 404)
        if scope["method"] not in METHODS:
            text = "Nothing can be changed here."
            return PlainTextResponse(text, 405, headers={"Allow": ", ".join(METHODS)})
        return None


def _are_all(found: Collection[str], known: Collection[str]) -> bool:
    return all(one.lower() in known for one in found)
