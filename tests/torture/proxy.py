"""A proxy between p2c and both systems, at the socket, that does harm by a seed.

What befalls the n-th request to a system is the same for the same seed, however requests interleave
with those to the other system.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

Way = str
HONEST: Final = (
    "delay", "reset_before", "reset_after", "half_close", "cut", "cut_head", "html_200", "html_502",
    "redirect", "silence",
)  # fmt: skip
"""Ways to fail that whoever looks closely can see."""
HIDDEN: Final = ("cut_hidden", "twice", "stale")
"""Ways that look like success: an answer cut with a matching length, a request delivered twice, an
answer that was given before."""
WAYS: Final = (*HONEST, *HIDDEN)

_SIZE: Final = 1 << 16
_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>Web filter</title></head>"
    b"<body>This page is not available.</body></html>"
)
_LENGTH: Final = re.compile(rb"(?im)^content-length:[ \t]*(\d+)")
_CHUNKED: Final = re.compile(rb"(?im)^transfer-encoding:.*chunked")
_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """A request or an answer as it is on the wire."""

    head: bytes
    body: bytes

    @property
    def whole(self) -> bytes:
        """All of it."""
        return self.head + self.body

    @property
    def first_line(self) -> bytes:
        """Method and path, or the status."""
        return self.head.split(b"\r\n", 1)[0]


class Gone(Exception):
    """The other side closed the connection."""


@dataclass(kw_only=True)
class Stream:
    """A connection that is read text by text."""

    socket: socket.socket
    kept: bytes = b""

    def read(self, *, bodiless: bool = False) -> Text:
        """The next text. Raises ``Gone``."""
        while b"\r\n\r\n" not in self.kept:
            self._more()
        head, self.kept = self.kept.split(b"\r\n\r\n", 1)
        head += b"\r\n\r\n"
        length = _LENGTH.search(head)
        if bodiless:
            return Text(head=head, body=b"")
        if _CHUNKED.search(head):
            return Text(head=head, body=self._read_chunks())
        return Text(head=head, body=self._take(int(length.group(1)) if length else 0))

    def _more(self) -> None:
        with contextlib.suppress(OSError):
            found = self.socket.recv(_SIZE)
            if found:
                self.kept += found
                return
        raise Gone

    def _take(self, size: int) -> bytes:
        while len(self.kept) < size:
            self._more()
        taken, self.kept = self.kept[:size], self.kept[size:]
        return taken

    def _read_chunks(self) -> bytes:
        found = b""
        while True:
            while b"\r\n" not in self.kept:
                self._more()
            line = self.kept.split(b"\r\n", 1)[0]
            size = int(line.split(b";")[0], 16)
            found += self._take(len(line) + 2 + size + 2)
            if not size:
                return found


@dataclass(kw_only=True)
class Proxy:
    """Listens on sockets, by the port on this machine that requests go on to.

    Of all requests the share ``rate`` fails in one of ``ways``.
    """

    listening: Mapping[int, Sequence[socket.socket]]
    ways: Sequence[Way]
    seed: int
    rate: float
    is_calm: bool = False
    seen: dict[bytes, Text] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)

    def calm(self) -> None:
        """Pass everything on from now on."""
        self.is_calm = True

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve to the end of the block."""
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.ended.set()
            thread.join()

    def _accept(self) -> None:
        ports = {one: port for port, found in self.listening.items() for one in found}
        while not self.ended.is_set():
            ready, _, _ = select.select(list(ports), [], [], 0.05)
            for one in ready:
                with contextlib.suppress(OSError):
                    client, _ = one.accept()
                    client.setblocking(True)
                    threading.Thread(
                        target=self._serve, args=(client, ports[one]), daemon=True
                    ).start()
        for one in ports:
            one.close()

    def _serve(self, client: socket.socket, port: int) -> None:
        stream = Stream(socket=client)
        with client, contextlib.suppress(Gone, OSError):
            while True:
                request = stream.read()
                way, chance = self._choose(port)
                if not self._befall(way, chance, client, request, port):
                    return

    def _choose(self, port: int) -> tuple[Way | None, random.Random]:
        with self.lock:
            number = self.counts[port] = self.counts.get(port, 0) + 1
        place = list(self.listening).index(port)
        text = f"{self.seed}/{place}/{number}"
        chance = random.Random(hashlib.sha256(text.encode()).digest())  # noqa: S311
        if self.is_calm or chance.random() >= self.rate:
            return None, chance
        return chance.choice(self.ways), chance

    def _befall(
        self,
        way: Way | None,
        chance: random.Random,
        client: socket.socket,
        request: Text,
        port: int,
    ) -> bool:
        """Answer, or fail to; whether the connection goes on."""
        if way in _UNSENT:
            return _fail_before(way, client)
        if way == "delay":
            time.sleep(chance.uniform(0.01, 0.2))
        if way == "twice":
            self._ask(request, port)
        kept = self.seen.get(request.first_line)
        if way == "stale" and kept is not None:
            client.sendall(kept.whole)
            return True
        answer = self._ask(request, port)
        if request.first_line.startswith(b"GET "):
            self.seen[request.first_line] = answer
        return _fail_after(way, chance, client, answer)

    def _ask(self, request: Text, port: int) -> Text:
        """Pass a request on, over a connection of its own."""
        head = re.sub(rb"(?im)^connection:.*\r\n", b"", request.head)
        head = head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        with socket.create_connection((_HOST, port)) as server:
            server.sendall(head + request.body)
            bodiless = request.head.startswith(b"HEAD ")
            answer = Stream(socket=server).read(bodiless=bodiless)
        plain = re.sub(rb"(?im)^connection:.*\r\n", b"", answer.head)
        return Text(head=plain, body=answer.body)


_UNSENT: Final = ("reset_before", "html_200", "html_502", "redirect", "silence")


def _fail_before(way: Way, client: socket.socket) -> bool:
    match way:
        case "reset_before":
            _reset(client)
        case "html_200" | "html_502":
            status = b"200 OK" if way == "html_200" else b"502 Bad Gateway"
            client.sendall(_make_page(status))
            return True
        case "redirect":
            head = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:9/login\r\n"
            client.sendall(head + b"Content-Length: 0\r\n\r\n")
            return True
        case _:
            client.recv(1)
    return False


def _fail_after(
    way: Way | None, chance: random.Random, client: socket.socket, answer: Text
) -> bool:
    """Whether the connection goes on."""
    share = chance.uniform(0.1, 0.9)
    match way:
        case "reset_after":
            _reset(client)
        case "half_close":
            client.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                client.settimeout(1)
                client.recv(1)
        case "cut":
            client.sendall(answer.head + answer.body[: int(len(answer.body) * share)])
        case "cut_head":
            client.sendall(answer.head[: int(len(answer.head) * share)])
        case "cut_hidden" if _LENGTH.search(answer.head):
            body = answer.body[: int(len(answer.body) * share)]
            length = b"Content-Length: %d" % len(body)
            client.sendall(_LENGTH.sub(length, answer.head) + body)
        case _:
            client.sendall(answer.whole)
            return True
    return False


def _make_page(status: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(_PAGE)) + _PAGE


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
