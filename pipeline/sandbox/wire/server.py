"""The wire under the twins: sockets on the loopback interface, TLS, one uvicorn in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import trustme
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.errors import Stopped

ABORT: Final = "p2c.abort"
"""The extension of the scope with which a server breaks the connection off: a function of
``gently``."""

HOST: Final = "localhost"

_ADDRESSES: Final = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_PATIENCE: Final = 30.0
_LONGEST_HEAD: Final = 2**18
_KEEP_ALIVE: Final = 75
_TRIES: Final = 20
_WAIT: Final = 0.005


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """PEM files: the CA's certificate, and the server's certificate with its key."""

    ca: Path
    certificate: Path


class BreakableProtocol(H11Protocol):
    """HTTP/1.1 whose applications can break the connection off."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Put the way to do it into every scope."""
        super().__init__(*arguments, **options)
        inner = self.app

        async def breakable(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {**scope.get("extensions", {}), ABORT: self._break_off}
            await inner(scope, receive, send)

        self.app = breakable

    def _break_off(self, *, gently: bool) -> None:
        if gently:
            self.transport.close()
            return
        plain = self.transport.get_extra_info("socket")
        if plain is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


@dataclass(frozen=True, kw_only=True, slots=True)
class ByPort:
    """Several applications behind one server; each has a port."""

    apps: dict[int, ASGIApp]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the port's application does."""
        await self.apps[scope["server"][1]](scope, receive, send)


def make_tls(folder: Path) -> Tls:
    """A new CA and a certificate for this machine's loopback names, in a folder."""
    authority = trustme.CA(organization_name="p2c sandbox")
    server = authority.issue_cert(HOST, "127.0.0.1", "::1")
    tls = Tls(ca=folder / "ca.pem", certificate=folder / "server.pem")
    authority.cert_pem.write_to_path(tls.ca)
    server.private_key_and_cert_chain_pem.write_to_path(tls.certificate)
    tls.certificate.chmod(0o600)
    return tls


@contextlib.contextmanager
def bind_port(port: int, what: str = "sandbox") -> Iterator[tuple[int, list[socket.socket]]]:
    """A port, 0 for any, on all loopback addresses that there are.

    Raises ``Stopped``, of ``what`` wants the port, if it is taken.
    """
    found, sockets = _bind(port, what)
    try:
        yield found, sockets
    finally:
        for one in sockets:
            one.close()


def _bind(port: int, what: str) -> tuple[int, list[socket.socket]]:
    for attempt in range(1, _TRIES + 1):
        try:
            return _bound(port)
        except OSError as error:
            if port or attempt == _TRIES:
                text = (
                    f"port {port} of the loopback interface cannot be used: {error.strerror}. Name "
                    "another one with --port."
                )
                raise Stopped(text, where=what) from error
    raise AssertionError  # the last attempt returned or raised


def _bound(port: int) -> tuple[int, list[socket.socket]]:
    found: list[socket.socket] = []
    try:
        for family, address in _ADDRESSES:
            one = _listen(family, address, found[0].getsockname()[1] if found else port)
            found += [one] if one is not None else []
    except OSError:
        for one in found:
            one.close()
        raise
    return found[0].getsockname()[1], found


def _listen(family: socket.AddressFamily, address: str, port: int) -> socket.socket | None:
    """A socket; null where the machine has no such address."""
    try:
        one = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        return None
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        one.bind((address, port))
    except OSError as error:
        one.close()
        if error.errno == errno.EADDRNOTAVAIL:
            return None
        raise
    return one


@contextlib.contextmanager
def run_server(
    app: ASGIApp,
    sockets: Sequence[socket.socket],
    tls: Tls | None,
    *,
    patience: float = _PATIENCE,
) -> Iterator[None]:
    """Serve in a thread of its own, from when it accepts connections to the end of the block.

    At the end, answers that are being made have so many seconds left.
    """
    _quieten()
    config = uvicorn.Config(
        app,
        http=BreakableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        ssl_certfile=str(tls.certificate) if tls else None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=asyncio.run, args=(_serve(server, sockets),), name="sandbox", daemon=True
    )
    thread.start()
    _await_start(server, thread)
    try:
        yield
    finally:
        server.should_exit = server.force_exit = True
        thread.join(patience)


async def _serve(server: uvicorn.Server, sockets: Sequence[socket.socket]) -> None:
    """Serve until asked to end.

    Connections that are still open are then broken off, however slow their other ends are.
    """
    await server.serve(sockets=list(sockets))
    for connection in list(server.server_state.connections):
        if isinstance(connection, BreakableProtocol):
            connection.transport.abort()
    await asyncio.sleep(_WAIT)


def _quieten() -> None:
    """Let uvicorn report broken applications only, not answers that faults cut off."""
    logger = logging.getLogger("uvicorn.error")
    logger.setLevel(logging.ERROR)
    if not logger.filters:
        logger.addFilter(
            lambda record: not record.getMessage().startswith("ASGI callable returned without")
        )


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    end = time.monotonic() + _PATIENCE
    while not server.started:
        if not thread.is_alive() or time.monotonic() > end:
            raise Stopped("the server did not start on the loopback interface.", where=HOST)
        time.sleep(_WAIT)
