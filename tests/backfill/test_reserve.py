"""One reservation for a whole run.

Live creates never collide with it, and a lost answer never makes a second one.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from pipeline.backfill.reserve import RESERVE, find_base
from pipeline.errors import InvariantBroken, PlanRefused, Stopped, SystemStopped
from pipeline.run.journal import read_journal
from tests.scenes.writing import Scene

START = 5000


@pytest.fixture
def at(scene: Scene) -> Scene:
    """A Sales whose counter stands at 5000."""
    scene.set_counter(START)
    return scene


def is_counter(request: httpx.Request) -> bool:
    return request.method == "PATCH" and "p2cautonumber" in request.url.path


def base_of(scene: Scene) -> int | None:
    return find_base(read_journal(scene.run.journal).entries)


def results(scene: Scene) -> list[str]:
    lines = [one.payload for one in read_journal(scene.run.journal).entries if one.event == "done"]
    return [one["result"] for one in lines if one["effect"] == RESERVE]


@pytest.mark.parametrize(
    ("highest", "base"), [(0, START), (START - 1, START), (START, START + 1), (9000, 9001)]
)
def test_the_base_is_behind_the_counter_and_the_highest_number(
    at: Scene, highest: int, base: int
) -> None:
    at.write(highest=highest)
    assert base_of(at) == base
    assert at.counter()["msdynce_numbersequence"] == base + 7
    assert at.numbers()[0] == f"CON-{base:05d}-BACK00"


def test_creates_that_take_numbers_in_between_make_it_try_again(at: Scene) -> None:
    left = [1, 2, 3]

    def before(request: httpx.Request) -> None:
        if is_counter(request) and left:
            left.pop()
            at.create("In between")

    at.wire.before = before
    at.write()
    assert results(at) == ["changed"] * 3 + ["reserved"]
    assert base_of(at) == START + 3
    numbers = [row["msdynce_contactnumber"] for row in at.contacts().values()]
    assert None not in numbers
    assert len({str(number).split("-")[1] for number in numbers}) == len(numbers)


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("creates", [0, 1, 20])
def test_after_a_lost_answer_the_row_tells_whether_it_had_its_effect(
    at: Scene, effect: bool, creates: int
) -> None:
    left = [True]

    def before(request: httpx.Request) -> httpx.Response | None:
        if not (is_counter(request) and left):
            return None
        left.clear()
        if effect:
            at.wire.answer(request)
        for number in range(creates):
            at.create(f"In between {number}")
        raise httpx.ReadError("reset")

    at.wire.before = before
    at.write()
    assert base_of(at) == (START if effect else START + creates)
    assert results(at) == (["void"] if creates and not effect else []) + ["reserved"]
    numbers = [row["msdynce_contactnumber"] for row in at.contacts().values()]
    assert len({str(number).split("-")[1] for number in numbers}) == len(numbers)


@pytest.mark.parametrize("effect", [True, False])
def test_killed_between_intent_and_answer_it_is_looked_up_not_repeated(
    at: Scene, effect: bool
) -> None:
    def before(request: httpx.Request) -> None:
        if is_counter(request):
            if effect:
                at.wire.answer(request)
            raise KeyboardInterrupt

    at.wire.before = before
    with pytest.raises(KeyboardInterrupt):
        at.write()
    at.calm()
    at.create("Behind")
    at.write()
    assert base_of(at) == (START if effect else START + 1)
    assert at.counter()["msdynce_numbersequence"] == START + 8
    intents = [
        one
        for one in read_journal(at.run.journal).entries
        if one.event == "intent" and one.payload["effect"] == RESERVE
    ]
    assert len(intents) == (1 if effect else 2)


def test_a_second_sending_that_comes_behind_the_first_finds_it(at: Scene) -> None:
    """The answer is lost, the row is as it was, and the first sending has its effect only then."""
    waiting: list[httpx.Request] = []

    def before(request: httpx.Request) -> None:
        if is_counter(request):
            if waiting:
                at.wire.answer(waiting[0])
                at.calm()
            else:
                waiting.append(request)
                raise httpx.ReadError("reset")

    at.wire.before = before
    at.write()
    assert (base_of(at), results(at)) == (START, ["reserved"])
    assert at.counter()["msdynce_numbersequence"] == START + 7


def test_throttling_of_the_reservation_is_waited_for(at: Scene) -> None:
    left = [True]

    def before(request: httpx.Request) -> httpx.Response | None:
        if is_counter(request) and left:
            left.clear()
            return httpx.Response(429, headers={"Retry-After": "40"})
        return None

    at.wire.before = before
    begin = at.clock.seconds
    at.write()
    assert (base_of(at), at.clock.seconds - begin >= 40) == (START, True)


def test_an_answer_that_is_always_lost_stops_the_run(at: Scene) -> None:
    def before(request: httpx.Request) -> None:
        if is_counter(request):
            raise httpx.ReadError("reset")

    at.wire.before = before
    with pytest.raises(Stopped, match="broke the connection off"):
        at.write()
    at.calm()
    at.write()
    assert base_of(at) == START


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"msdynce_prefix": "XYZ"}, "prefix or suffix length changed"),
        ({"msdynce_suffixlength": 4}, "prefix or suffix length changed"),
        ({"msdynce_numbersequence": 999_999_995}, "more than 20 characters"),
    ],
)
def test_a_counter_that_does_not_fit_the_plan_any_more_is_refused(
    at: Scene, changes: dict[str, Any], words: str
) -> None:
    at.ask("PATCH", f"msdynce_p2cautonumbers({at.counter()['msdynce_p2cautonumberid']})", **changes)
    with pytest.raises(PlanRefused, match=words):
        at.write()
    assert at.numbers() == [None] * 7
    assert results(at) == []


def test_a_counter_that_is_missing_or_there_twice_is_refused(at: Scene) -> None:
    row = at.counter()
    twice = {"value": [row, row]}
    at.wire.before = lambda request: (
        httpx.Response(200, json=twice) if "p2cautonumber" in request.url.path else None
    )
    with pytest.raises(PlanRefused, match="2 counters"):
        at.write()
    at.calm()
    at.ask("DELETE", f"msdynce_p2cautonumbers({row['msdynce_p2cautonumberid']})")
    with pytest.raises(PlanRefused, match="no counter"):
        at.write()


def test_a_counter_that_a_create_set_back_is_put_behind_our_numbers_again(at: Scene) -> None:
    def before(request: httpx.Request) -> None:
        if request.url.path.endswith("$batch"):
            at.set_counter(START + 1)

    at.wire.before = before
    written = at.write(size=7)
    assert at.counter()["msdynce_numbersequence"] == START + 7
    assert written.findings == [("counter_fell_back", str(START + 1))]


@pytest.mark.parametrize("count", [0, 6, 8])
def test_ranks_that_do_not_fit_what_is_reserved_break_the_run_before_anything_is_sent(
    at: Scene, count: int
) -> None:
    with pytest.raises(InvariantBroken, match="7 ranks"):
        at.write(count=count)
    assert not at.wire.seen


def test_an_update_of_the_counter_that_is_delivered_twice_leaves_a_gap_and_says_so(
    at: Scene,
) -> None:
    left = [True]

    def deliver_first(request: httpx.Request) -> None:
        if is_counter(request) and left:
            left.clear()
            at.wire.answer(request)

    at.wire.before = deliver_first
    written = at.write()
    assert results(at) == ["void", "reserved"]
    assert base_of(at) == START + 7
    assert written.findings == [("number_gap", f"{START} to {START + 6}")]


@pytest.mark.parametrize("number", [None, "many", True, 1e300, [5000]])
def test_a_counter_without_a_number_stops_the_run(at: Scene, number: object) -> None:
    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH" or "p2cautonumber" not in request.url.path:
            return None
        row = {"@odata.etag": "1", **at.counter(), "msdynce_numbersequence": number}
        return httpx.Response(200, json={"value": [row]})

    at.wire.before = answer
    with pytest.raises(SystemStopped, match=r"without a number|is an object or a list"):
        at.write()
    assert base_of(at) is None


@pytest.mark.parametrize("content", [b"", b"<html>blocked</html>", b"done"])
def test_a_proxy_that_says_200_has_not_moved_the_counter(at: Scene, content: bytes) -> None:
    """The update never arrives, and its answer is no answer of Sales."""
    left = [1]

    def answer(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, content=content) if is_counter(request) and left.pop(0) else None

    at.wire.before = lambda request: answer(request) if left else None
    at.write()
    assert at.counter()["msdynce_numbersequence"] == START + 7
    assert at.numbers()[0] == f"CON-{START:05d}-BACK00"
