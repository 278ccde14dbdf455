"""One pace and one retry policy for everybody who talks to a system.

Clocks are lists, so nothing waits.
"""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from pipeline.errors import (
    AnswerUnreadable,
    Refusal,
    RequestRefused,
    ServerFailed,
    SystemStopped,
    Throttled,
    Unreachable,
)
from pipeline.wire.client import make_client
from pipeline.wire.json_body import read_json_object
from pipeline.wire.meter import Meter, Traffic
from pipeline.wire.pace import Halted, Pace
from pipeline.wire.retry import RetryPolicy
from pipeline.wire.system import System
from tests.fuzz.readers import Answer, answering


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def build_system(*answers: httpx.Response | Exception) -> tuple[System, Clock, list[httpx.Request]]:
    """A system that gives these answers one after the other, and the last one for ever."""
    clock, asked, left = Clock(), list[httpx.Request](), list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    made = System(
        name="Sales",
        client=make_client("https://contoso.example", transport=httpx.MockTransport(handle)),
        pace=Pace(sleep=clock.sleep, clock=clock),
        clock=clock,
        chance=lambda: 0.0,
    )
    return made, clock, asked


OK = httpx.Response(200, json={"value": []})
BUSY = httpx.Response(429, headers={"Retry-After": "17"}, json={})
DOWN = httpx.Response(503, json={})


def ask(asked: System) -> dict[str, object]:
    return asked.ask("GET", "x", read_json_object, subject="contacts")


def test_a_throttled_request_waits_as_long_as_asked_and_is_counted() -> None:
    sales, clock, asked = build_system(BUSY, BUSY, OK)
    ask(sales)
    assert clock.slept == [17.0, 17.0]
    assert len(asked) == 3
    assert sales.meter.by_subject()["contacts"] == Traffic(
        requests=3, bytes=16, retries=2, throttled=2, waited=34.0
    )


def test_waits_grow_with_jitter_and_attempts_are_capped() -> None:
    sales, clock, asked = build_system(DOWN)
    with pytest.raises(ServerFailed):
        ask(sales)
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    assert len(asked) == 8


def test_jitter_is_at_most_half_of_a_wait_and_adds_at_most_a_second_to_one_asked_for() -> None:
    policy, failed = RetryPolicy(), ServerFailed("x", again=True, refusal=Refusal(status=503))
    assert policy.wait(failed, 4, 0.0, was_there=True, chance=lambda: 0.0) == 4.0
    assert policy.wait(failed, 4, 0.0, was_there=True, chance=lambda: 1.0) == 8.0
    busy = Throttled("x", again=True, wait=10.0, refusal=Refusal(status=429))
    assert policy.wait(busy, 1, 0.0, was_there=True, chance=lambda: 1.0) == 11.0


def test_time_is_capped_too() -> None:
    sales, clock, _ = build_system(httpx.Response(429, headers={"Retry-After": "400"}, json={}))
    with pytest.raises(Throttled):
        ask(sales)
    assert clock.slept == [400.0, 400.0]


def test_what_would_fail_again_is_not_asked_again() -> None:
    sales, clock, asked = build_system(
        httpx.Response(400, json={"error": {"code": "1", "message": "no"}})
    )
    with pytest.raises(
        RequestRefused, match=r"^Sales \(contoso.example\): refused: no \(HTTP 400\)\.$"
    ):
        ask(sales)
    assert (len(asked), clock.slept) == (1, [])


def test_a_system_that_never_answered_is_given_up_sooner() -> None:
    sales, clock, asked = build_system(httpx.ConnectError("no"))
    with pytest.raises(Unreachable):
        ask(sales)
    assert len(asked) == 3
    sales, clock, asked = build_system(OK, httpx.ConnectError("no"))
    ask(sales)
    with pytest.raises(Unreachable):
        ask(sales)
    assert len(asked) == 9
    assert clock.slept


def test_an_answer_that_is_cut_is_asked_for_again() -> None:
    sales, clock, _ = build_system(httpx.Response(200, content=b'{"value": ['), OK)
    assert ask(sales) == {"value": []}
    assert clock.slept == [0.5]
    sales, _, _ = build_system(httpx.Response(200, content=b'{"value": ['))
    with pytest.raises(AnswerUnreadable, match="answered contacts with incomplete JSON"):
        ask(sales)


def test_a_signed_url_is_not_in_a_failure() -> None:
    sales, _, _ = build_system(httpx.ReadError("cut"))
    with pytest.raises(SystemStopped) as caught:
        sales.ask("GET", "https://contoso.example/x?sig=abcdef", read_json_object)
    assert "sig" not in str(caught.value)


def test_a_cookie_is_never_sent_back() -> None:
    sales, _, asked = build_system(
        httpx.Response(200, headers={"Set-Cookie": "ARRAffinity=1; Path=/"}, json={})
    )
    ask(sales)
    ask(sales)
    assert "cookie" not in asked[1].headers


def test_the_systems_hint_decides_how_many_requests_go_at_once() -> None:
    sales, _, _ = build_system(httpx.Response(200, headers={"x-ms-dop-hint": "12"}, json={}))
    assert sales.pace.limit == 4
    ask(sales)
    assert sales.pace.limit == 12
    assert Pace(ceiling=3).limit == 3


def test_a_hint_does_not_lift_the_projects_own_cap() -> None:
    pace = Pace(ceiling=8)
    pace.hint(52)
    assert pace.limit == 8
    pace.hint(0)
    assert pace.limit == 1


def test_throttling_slows_down_everybody() -> None:
    clock = Clock()
    pace = Pace(sleep=clock.sleep, clock=clock)
    pace.hint(8)
    pace.slow_down(30.0)
    assert pace.limit == 4
    with pace.slot():
        assert clock.slept == [30.0]
    pace.slow_down(5.0)
    pace.slow_down(5.0)
    pace.slow_down(5.0)
    assert pace.limit == 1
    for _ in range(20 * 7):
        pace.answered()
    assert pace.limit == 8


def test_a_new_hint_does_not_lift_the_brake_of_a_throttled_run() -> None:
    pace = Pace()
    pace.hint(8)
    pace.slow_down(1.0)
    pace.hint(8)
    assert pace.limit == 4


def test_no_more_requests_are_under_way_than_allowed() -> None:
    pace, most, now, lock = Pace(ceiling=3), 0, 0, threading.Lock()

    def work() -> None:
        nonlocal most, now
        with pace.slot():
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.005)
            with lock:
                now -= 1

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 3


def test_a_run_that_is_halted_wakes_everybody_up() -> None:
    pace, ended = Pace(ceiling=1), list[str]()

    def wait() -> None:
        try:
            pace.sleep(60)
        except Halted:
            ended.append("sleeper")

    def queue() -> None:
        try:
            with pace.slot():
                pass
        except Halted:
            ended.append("queuer")

    with pace.slot():
        threads = [threading.Thread(target=wait), threading.Thread(target=queue)]
        for thread in threads:
            thread.start()
        time.sleep(0.02)
        pace.halt()
        for thread in threads:
            thread.join(timeout=5)
    assert sorted(ended) == ["queuer", "sleeper"]


def test_figures_per_thousand_rows_are_data() -> None:
    meter = Meter()
    meter.add("contacts", Traffic(requests=2, bytes=6_000))
    meter.add("contacts", Traffic(rows=4_000))
    meter.add("accounts", Traffic(requests=1))
    traffic = meter.by_subject()["contacts"]
    assert (traffic.requests_per_1000, traffic.bytes_per_1000) == (0.5, 1500.0)
    assert meter.by_subject()["accounts"].requests_per_1000 is None
    assert meter.total().requests == 3


@pytest.mark.parametrize("wait", ["864000", "901", "1e300"])
def test_a_wait_that_is_too_long_is_not_waited_for_but_named(wait: str) -> None:
    long = httpx.Response(429, headers={"Retry-After": wait}, json={})
    sales, clock, _ = build_system(long)
    with pytest.raises(Throttled, match=r"run\.wait_system allows 900 s"):
        ask(sales)
    assert clock.slept == []


@pytest.mark.parametrize("wait", ["inf", "nan", "soon", "-5", "Wed, 21 Oct 2015 07:28:00 -0000"])
def test_a_wait_that_is_none_counts_as_none(wait: str) -> None:
    headers = {"Retry-After": wait, "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    sales, clock, _ = build_system(httpx.Response(429, headers=headers, json={}), OK)
    ask(sales)
    assert clock.slept == ([] if wait == "-5" else [30.0])


def test_a_long_wait_is_told_once_a_minute() -> None:
    clock = Clock()
    told: list[float] = []
    pace = Pace(sleep=clock.sleep, clock=clock, tell=told.append)
    pace.wait(150.0)
    pace.wait(5.0)
    assert told == [150.0, 90.0, 30.0]
    assert clock.slept == [60.0, 60.0, 30.0, 5.0]


def test_many_who_wait_say_so_once() -> None:
    clock = Clock()
    told: list[float] = []
    pace = Pace(sleep=lambda _: None, clock=clock, tell=told.append)
    for _ in range(10):
        pace.wait(40.0)
    assert told == [40.0]


@pytest.mark.parametrize("hint", ["²", "9" * 5000, "-3", "3.5", "٣"])
def test_a_hint_that_is_no_number_is_left_out(hint: str) -> None:
    answer = Answer(headers=(("x-ms-dop-hint", hint),), body=b"{}")
    asked = answering(answer)
    before = asked.pace.limit
    assert ask(asked) == {}
    assert asked.pace.limit == before
