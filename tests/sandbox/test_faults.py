from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from pipeline.errors import UsageError
from pipeline.sandbox.faults import Faulty, Schedule
from pipeline.sandbox.wire.faultspec import FaultKind, Faults, System, parse_faults
from pipeline.sandbox.wire.server import bind_port, run_server
from tests.scenes.sales_caller import Caller

Serve = Callable[[str], tuple["Desk", str]]


class Desk:
    """An application that remembers what it did."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def work(self, request: Request) -> Response:
        body = await request.body()
        self.done.append(f"{request.method} {body.decode()}")
        return Response(b"x" * 100_000)

    def faulty(self, spec: str, clock: Callable[[], float] = time.monotonic, **more: Any) -> Faulty:
        app = Starlette(routes=[Route("/{path:path}", self.work, methods=["GET", "POST"])])
        schedule = Schedule(faults=parse_faults(spec), clock=clock)
        return Faulty(app=app, schedule=schedule, system_of=_system_of, **more)


def _system_of(scope: Scope) -> System:
    path: str = scope["path"].strip("/")
    return "login" if path == "login" else "scm" if path == "scm" else "sales"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve a desk on a real socket."""
    with contextlib.ExitStack() as stack:

        def start(spec: str) -> tuple[Desk, str]:
            desk = Desk()
            port, sockets = stack.enter_context(bind_port(0))
            stack.enter_context(run_server(desk.faulty(spec), sockets, None))
            return desk, f"http://localhost:{port}/"

        yield start


def ask(app: Faulty, path: str = "sales", method: str = "GET") -> httpx.Response:
    async def call() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://x"
        ) as client:
            return await client.request(
                method, f"/{path}", content=b"body" if method == "POST" else None
            )

    return asyncio.run(call())


def test_a_specification_is_read_as_a_whole() -> None:
    found = parse_faults(
        "throttle=0.5:7, scm.cut@3+5:0.25,login.error=1:503,seed=9,token=60,dop=2,limits=100:10"
    )
    throttle, cut, error = found.faults
    assert (throttle.kind, throttle.system, throttle.rate, throttle.value) == (
        FaultKind.THROTTLE,
        None,
        0.5,
        7,
    )
    assert (cut.kind, cut.system, sorted(cut.at), cut.value) == (FaultKind.CUT, "scm", [3, 5], 0.25)
    assert (error.kind, error.system, error.rate, error.value) == (FaultKind.ERROR, "login", 1, 503)
    assert (found.seed, found.token, found.dop, found.limits) == (9, 60, 2, (100, 10))
    assert parse_faults("") == Faults()


def test_all_problems_of_a_specification_are_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        parse_faults("fire=1,throttle=2,cut,seed=x,token=0.5")
    text = str(caught.value)
    assert text.startswith("--faults: 'fire' is not a fault; there are throttle, busy,")
    assert "4 further problems" in text
    assert "'throttle=2': a rate is between 0 and 1." in text


def test_a_schedule_is_the_same_for_the_same_seed_and_near_its_rate() -> None:
    def hits(seed: int, system: System) -> list[int]:
        faults = parse_faults(f"slow=0.1,seed={seed}")
        return [number for number in range(1, 2001) if faults.of(system, number)]

    assert hits(1, "sales") == hits(1, "sales")
    assert hits(1, "sales") != hits(2, "sales")
    assert hits(1, "sales") != hits(1, "scm")
    assert 140 < len(hits(1, "sales")) < 260
    assert hits(1, "login") == []


def test_faults_befall_the_requests_and_systems_they_name() -> None:
    desk = Desk()
    app = desk.faulty("scm.busy@2,throttle@3")
    assert [ask(app, "scm").status_code for _ in range(4)] == [200, 503, 429, 200]
    assert [ask(app, "sales").status_code for _ in range(4)] == [200, 200, 429, 200]
    assert [ask(app, "login").status_code for _ in range(4)] == [200] * 4


def test_throttling_has_the_documented_bodies() -> None:
    app = Desk().faulty("throttle=1:17")
    sales, scm = ask(app, "sales", "POST"), ask(app, "scm")
    assert (sales.status_code, sales.headers["Retry-After"]) == (429, "17")
    assert sales.json()["error"]["code"] == "0x80072322"
    assert sales.json()["error"]["message"].startswith(
        "Number of requests exceeded the limit of 6000"
    )
    assert (scm.status_code, scm.headers["Retry-After"]) == (429, "17")
    assert "high resource utilization" in scm.json()["error"]["message"]


@pytest.mark.parametrize(
    ("spec", "status", "kind"),
    [
        ("busy=1:5", 503, "text/html"),
        ("html=1", 502, "text/html"),
        ("error=1:500", 500, "application/json"),
        ("error=1:504", 504, "text/html"),
    ],
)
def test_errors_come_before_the_work_is_done(spec: str, status: int, kind: str) -> None:
    desk = Desk()
    response = ask(desk.faulty(spec), method="POST")
    assert (response.status_code, response.headers["content-type"].partition(";")[0]) == (
        status,
        kind,
    )
    assert desk.done == []
    assert response.headers.get("Retry-After") == ("5" if spec == "busy=1:5" else None)


def test_errors_without_a_status_take_turns() -> None:
    app = Desk().faulty("error=1")
    assert {ask(app).status_code for _ in range(8)} == {500, 502, 503, 504}


SPELLS = {
    "quota": (429, "application/json", "60"),
    "closed": (503, "text/html", None),
}


@pytest.mark.parametrize(("kind", "answer"), SPELLS.items(), ids=SPELLS)
def test_a_spell_befalls_every_request_of_its_system_until_it_is_over(
    kind: str, answer: tuple[int, str, str | None]
) -> None:
    now = [0.0]
    app = Desk().faulty(f"scm.{kind}@2:90", clock=lambda: now[0])
    assert ask(app, "scm").status_code == 200
    for seconds in (0.0, 29.0):
        now[0] = seconds
        found = ask(app, "scm", "POST")
        said = found.headers["Content-Type"].partition(";")[0], found.headers.get("Retry-After")
        assert (found.status_code, *said) == answer
    assert ask(app, "sales").status_code == 200
    now[0] = 90.0
    assert ask(app, "scm").status_code == 200


def test_a_quota_asks_to_wait_until_it_is_over() -> None:
    now = [0.0]
    app = Desk().faulty("scm.quota@1:90", clock=lambda: now[0])
    ask(app, "scm")
    now[0] = 75.0
    assert ask(app, "scm").headers["Retry-After"] == "15"


def test_a_system_that_is_away_does_nothing_and_answers_nothing() -> None:
    now, desk = [0.0], Desk()
    app = desk.faulty("scm.away@1:90", clock=lambda: now[0])
    for seconds in (0.0, 89.0):
        now[0] = seconds
        with pytest.raises(ConnectionResetError):
            ask(app, "scm", "POST")
    assert desk.done == []
    now[0] = 90.0
    assert ask(app, "scm").status_code == 200


def test_slow_answers_take_their_time_and_are_whole() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    desk = Desk()
    assert len(ask(desk.faulty("slow=1:2.5", sleep=sleep)).content) == 100_000
    assert slept == [2.5]


def test_a_reset_connection_did_nothing(serve: Serve) -> None:
    desk, url = serve("reset@1")
    with httpx.Client(trust_env=False) as client:
        with pytest.raises(httpx.NetworkError):
            client.post(url, content=b"one")
        assert client.post(url, content=b"two").status_code == 200
    assert desk.done == ["POST two"]


def test_a_lost_answer_had_its_effect(serve: Serve) -> None:
    desk, url = serve("lost@1")
    with httpx.Client(trust_env=False) as client, pytest.raises(httpx.NetworkError):
        client.post(url, content=b"one")
    assert desk.done == ["POST one"]


def test_a_cut_body_promises_more_than_it_holds(serve: Serve) -> None:
    desk, url = serve("cut@1:0.1")
    got: list[bytes] = []
    with httpx.Client(trust_env=False) as client, client.stream("GET", url) as response:
        assert (response.status_code, response.headers["content-length"]) == (200, "100000")
        with pytest.raises(httpx.RemoteProtocolError):
            got.extend(response.iter_raw())
    assert sum(map(len, got)) == 10_000
    assert desk.done == ["GET "]


def test_without_a_server_underneath_the_caller_gets_the_error_itself() -> None:
    with pytest.raises(ConnectionResetError):
        ask(Desk().faulty("reset=1"))


# Service protection


def test_six_thousand_requests_in_five_minutes_and_no_more() -> None:
    with Caller(enforced=True, requests=3) as sales:
        assert [sales.ask("GET", "WhoAmI").status_code for _ in range(3)] == [200] * 3
        sales.clock.pass_(seconds=100)
        response = sales.ask("GET", "WhoAmI")
        assert (response.status_code, response.headers["Retry-After"]) == (429, "200")
        error = response.json()["error"]
        assert error == {
            "code": "0x80072322",
            "message": (
                "Number of requests exceeded the limit of 3 over time window of 300 seconds."
            ),
        }
        assert sales.ask("GET", "WhoAmI").headers["Retry-After"] == "201"
        sales.clock.pass_(seconds=200)
        assert (
            sales.ask("GET", "WhoAmI").headers["x-ms-ratelimit-burst-remaining-xrm-requests"] == "2"
        )


def test_work_and_concurrency_are_limited_as_well() -> None:
    with Caller(enforced=True, work=0.0) as sales:
        assert sales.ask("GET", "WhoAmI").json()["error"]["code"] == "0x80072321"
    with Caller(enforced=True, concurrency=0) as sales:
        response = sales.ask("GET", "WhoAmI")
        assert (
            response.json()["error"]["message"]
            == "Number of concurrent requests exceeded the limit of 0."
        )
        assert response.json()["error"]["code"] == "0x80072326"


def test_nothing_is_limited_unless_it_is_asked_for() -> None:
    with Caller(requests=1) as sales:
        assert [sales.ask("GET", "WhoAmI").status_code for _ in range(3)] == [200] * 3
