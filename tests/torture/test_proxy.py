"""The proxy does what its names say, and the same again for the same seed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.torture.proxy import WAYS, Proxy, Stream, Way

BODY = b"0123456789" * 20


class Server:
    """Answers every request with :data:`BODY`; counts them."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                self.requests.append(Stream(socket=client).read().first_line)
                head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)
                client.sendall(head + BODY)


@contextmanager
def through(*ways: Way, rate: float = 1.0, seed: int = 1) -> Iterator[tuple[httpx.Client, Server]]:
    server, listening = Server(), socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    proxy = Proxy(listening={server.port: [listening]}, ways=ways, seed=seed, rate=rate)
    with proxy.running(), httpx.Client(base_url=url, timeout=0.5, trust_env=False) as client:
        yield client, server
    server.socket.close()


def test_nothing_befalls_a_request_at_rate_zero() -> None:
    with through(*WAYS, rate=0.0) as (client, server):
        answer = client.post("/a", content=b"x" * 70_000)
    assert (answer.content, server.requests) == (BODY, [b"POST /a HTTP/1.1"])


@pytest.mark.parametrize(
    ("way", "error", "arrived"),
    [
        ("reset_before", httpx.ReadError, 0),
        ("silence", httpx.ReadTimeout, 0),
        ("reset_after", httpx.ReadError, 1),
        ("half_close", httpx.RemoteProtocolError, 1),
        ("cut", httpx.RemoteProtocolError, 1),
        ("cut_head", httpx.RemoteProtocolError, 1),
    ],
)
def test_a_failure_is_seen(way: Way, error: type[Exception], arrived: int) -> None:
    with through(way) as (client, server), pytest.raises(error):
        client.post("/a")
    assert len(server.requests) == arrived


@pytest.mark.parametrize(
    ("way", "status", "arrived"),
    [("html_200", 200, 0), ("html_502", 502, 0), ("redirect", 302, 0), ("twice", 200, 2)],
)
def test_another_answer_is_given(way: Way, status: int, arrived: int) -> None:
    with through(way) as (client, server):
        assert client.post("/a").status_code == status
    assert len(server.requests) == arrived


def test_a_hidden_cut_looks_whole() -> None:
    with through("cut_hidden") as (client, _):
        answer = client.get("/a").content
    assert 0 < len(answer) < len(BODY)
    assert BODY.startswith(answer)


def test_a_stale_answer_asks_nobody() -> None:
    with through("stale") as (client, server):
        assert [client.get("/a").content for _ in range(3)] == [BODY] * 3
    assert len(server.requests) == 1


def test_the_same_seed_does_the_same() -> None:
    def answers(seed: int) -> list[int]:
        with through("html_502", "redirect", rate=0.5, seed=seed) as (client, _):
            return [client.get("/a").status_code for _ in range(30)]

    assert answers(1) == answers(1) != answers(2)
