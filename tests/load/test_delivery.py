"""The delivery of a unit, for every conversation: stopped, lost, throttled, refused, changed."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from pipeline.errors import Stopped
from tests.scenes.delivering import ROW_BY_ROW, STAGES, Stage, answer_rows, make_stage
from tests.scenes.loading import Halt, halting
from tests.scenes.loads import MakeScene

MakeStage = Callable[..., Stage]
Whole = Callable[..., dict[str, Any]]

REQUESTS = {"upserts": 5, "undo": 4, "updates": 6, "updates undone": 3, "updates in bulk": 8}
"""Of a delivery of few rows that nothing disturbs."""

LINES = {"upserts": 9, "undo": 7, "updates": 6, "updates undone": 4, "updates in bulk": 6}
"""What it writes into the journal."""

EVERY_STAGE = pytest.mark.parametrize("name", STAGES)
EVERY_ROW = pytest.mark.parametrize("name", ROW_BY_ROW)
EVERY_REQUEST = pytest.mark.parametrize(
    ("name", "step"), [(name, step) for name, count in REQUESTS.items() for step in range(count)]
)
EVERY_LINE = pytest.mark.parametrize(
    ("name", "step"), [(name, step) for name, count in LINES.items() for step in range(count)]
)

_WHOLE: dict[tuple[str, bool], dict[str, Any]] = {}


@pytest.fixture
def stages(scenes: MakeScene, tmp_path: Path) -> Iterator[MakeStage]:
    """Makes stages; each has a run, a twin and a clock of its own."""
    opened: list[Stage] = []

    def make(name: str, *, few: bool = False, rival: bool = False) -> Stage:
        home = tmp_path / f"sales{len(opened)}"
        opened.append(make_stage(name, scenes, home, few=few, rival=rival))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def whole(stages: MakeStage) -> Whole:
    """The end state of a delivery that nothing disturbed."""

    def of(name: str, *, few: bool = False) -> dict[str, Any]:
        if (name, few) not in _WHOLE:
            stage = stages(name, few=few, rival=few)
            lines = len(stage.journal())
            stage.deliver()
            if few:
                assert len(stage.wire.seen) == REQUESTS[name], stage.wire.seen
                assert len(stage.journal()) - lines == LINES[name]
            _WHOLE[name, few] = stage.state()
        return _WHOLE[name, few]

    return of


def continues(stage: Stage, whole: dict[str, Any]) -> None:
    """The same command again, with nothing in its way."""
    stage.calm()
    stage.deliver()
    assert stage.state() == whole


@EVERY_REQUEST
def test_stopped_before_any_request(stages: MakeStage, whole: Whole, name: str, step: int) -> None:
    stage, halt = stages(name, few=True, rival=True), halting(step)
    stage.wire.before = lambda _request: halt()
    with pytest.raises(Halt):
        stage.deliver()
    continues(stage, whole(name, few=True))


@EVERY_REQUEST
def test_stopped_after_any_request_before_its_answer(
    stages: MakeStage, whole: Whole, name: str, step: int
) -> None:
    stage, halt = stages(name, few=True, rival=True), halting(step)

    def lose(_request: httpx.Request, response: httpx.Response) -> httpx.Response:
        halt()
        return response

    stage.wire.after = lose
    with pytest.raises(Halt):
        stage.deliver()
    continues(stage, whole(name, few=True))


@EVERY_LINE
def test_stopped_before_any_line_of_the_journal(
    stages: MakeStage,
    whole: Whole,
    name: str,
    step: int,
) -> None:
    """The journal asks for the time before it writes a line."""
    stage = stages(name, few=True, rival=True)
    stage.clock.asked = halting(step)
    with pytest.raises(Halt):
        stage.deliver()
    stage.clock.asked = lambda: None
    continues(stage, whole(name, few=True))


@EVERY_STAGE
def test_what_was_delivered_to_the_end_is_not_sent_again(stages: MakeStage, name: str) -> None:
    stage = stages(name, few=True, rival=True)
    stage.deliver()
    state = stage.state()
    stage.wire.seen.clear()
    stage.deliver()
    assert stage.state() == state
    assert not [one for one in stage.wire.seen if not one.startswith("GET")]


@EVERY_STAGE
def test_each_request_has_its_hash_in_the_journal_before_it_is_sent(
    stages: MakeStage, name: str
) -> None:
    stage, sent = stages(name), []

    def look(request: httpx.Request) -> None:
        if request.url.path.endswith(("$batch", "UpdateMultiple")):
            [*_, last] = [one.payload for one in stage.journal() if one.event == "intent"]
            sent.append((last["request"], hashlib.sha256(request.read()).hexdigest()))

    stage.wire.before = look
    stage.deliver()
    assert len(sent) == stage.units
    assert all(written == found for written, found in sent)


def lost(error: Exception) -> Callable[[], httpx.Response]:
    def answer() -> httpx.Response:
        raise error

    return answer


LOST: dict[str, Callable[[], httpx.Response]] = {
    "the connection breaks": lost(httpx.ReadError("broken")),
    "a gateway answers": lambda: httpx.Response(502, html="<h1>Bad Gateway</h1>"),
    "the system is not there for now": lambda: httpx.Response(503, headers={"Retry-After": "9"}),
}
CUT: dict[str, Callable[[], httpx.Response]] = {
    "the page is not an answer": lambda: httpx.Response(200, html="<h1>Sign in</h1>"),
    "the answer is cut off": lambda: httpx.Response(
        200, content=b"--b", headers={"Content-Type": "multipart/mixed; boundary=b"}
    ),
}
"""Answers of a batch; ``UpdateMultiple`` answers with nothing at all."""


@pytest.mark.parametrize("effect", [True, False], ids=["arrived", "never arrived"])
@pytest.mark.parametrize(
    ("name", "how"),
    [*((name, how) for name in STAGES for how in LOST),
     *((name, how) for name in ROW_BY_ROW for how in CUT)],
)  # fmt: skip
def test_a_lost_answer_is_looked_up_and_only_what_did_not_arrive_is_sent_again(
    stages: MakeStage, whole: Whole, name: str, how: str, effect: bool
) -> None:
    stage = stages(name)

    def lose(request: httpx.Request) -> httpx.Response:
        if effect:
            stage.answer(request)
        return (LOST | CUT)[how]()

    stage.disturb(1, lose)
    stage.deliver()
    assert stage.state() == whole(name)
    assert stage.changes() == stage.units + (not effect)
    expected = ["answered"] * stage.units
    assert sorted(stage.results()) == [*expected, *([] if effect else ["unanswered"])]


@EVERY_STAGE
def test_answers_that_are_lost_again_and_again_stop_the_command(
    stages: MakeStage, whole: Whole, name: str
) -> None:
    stage = stages(name)
    stage.disturb(1000, lambda _request: httpx.Response(502))
    words = (
        rf"did not answer {stage.tries} requests with the same rows; the last time it failed \(H"
    )
    with pytest.raises(Stopped, match=words):
        stage.deliver()
    continues(stage, whole(name))


@EVERY_ROW
def test_a_row_that_changes_after_its_answer_was_lost_is_not_written_again(
    stages: MakeStage, name: str
) -> None:
    stage = stages(name)

    def lose(request: httpx.Request) -> httpx.Response:
        stage.answer(request)
        stage.change(1)
        raise httpx.ReadError("broken")

    stage.disturb(1, lose)
    stage.deliver()
    done = stage.words.done
    assert stage.said()[0] == stage.words.changed_then
    assert [one for one, _ in stage.said()[1:]] == ["updated", done]
    assert stage.changes() == stage.units


@EVERY_STAGE
def test_a_row_that_changes_before_it_is_sent_is_left_alone_and_the_others_are_not(
    stages: MakeStage, name: str
) -> None:
    stage = stages(name)
    if stage.in_bulk:
        stage.change(1)
    else:
        stage.disturb(1, lambda _request: stage.change(1))
    stage.deliver()
    assert stage.said() == [stage.words.changed, ("updated", None), (stage.words.done, None)]


@EVERY_STAGE
def test_a_busy_system_is_given_the_time_that_it_asks_for(
    stages: MakeStage, whole: Whole, name: str
) -> None:
    stage = stages(name)
    stage.disturb(1, lambda _request: httpx.Response(429, headers={"Retry-After": "77"}))
    begin = stage.clock.seconds
    stage.deliver()
    assert stage.state() == whole(name)
    assert 77 <= stage.clock.seconds - begin < 78
    assert stage.changes() == stage.units + 1
    assert sorted(stage.results()) == [*["answered"] * stage.units, "busy"]


def refusing(error: Exception) -> Callable[[], httpx.Response]:
    def answer() -> httpx.Response:
        raise error

    return answer


def unreachable(cause: OSError) -> Exception:
    error = httpx.ConnectError("not reached")
    error.__cause__ = cause
    return error


AWAY: dict[str, tuple[Callable[[], httpx.Response], str]] = {
    "it throttles": (
        lambda: httpx.Response(429, headers={"Retry-After": "30"}),
        r"asks us to wait \(HTTP 429\)",
    ),
    "it throttles at once": (
        lambda: httpx.Response(429, headers={"Retry-After": "0"}),
        r"asks us to wait \(HTTP 429\)",
    ),
    "it throttles for an hour": (
        lambda: httpx.Response(429, headers={"Retry-After": "3600"}),
        r"asks us to wait 3,600 s, and run\.wait_system allows 900 s\. Run",
    ),
    "it throttles for ever": (
        lambda: httpx.Response(429, headers={"Retry-After": "1e999"}),
        r"asks us to wait \(HTTP 429\)",
    ),
    "nothing listens": (
        refusing(unreachable(ConnectionRefusedError())),
        "nothing listens at this address",
    ),
    "its name is not found for now": (
        refusing(unreachable(socket.gaierror(socket.EAI_AGAIN, "later"))),
        "its name has no address",
    ),
    "its name is not found": (
        refusing(unreachable(socket.gaierror(socket.EAI_NONAME, "no"))),
        "its name has no address",
    ),
    "no connection in time": (refusing(httpx.ConnectTimeout("slow")), "no connection within 15 s"),
    "the proxy refuses": (refusing(httpx.ProxyError("no")), "behind a proxy that refuses"),
    "it is closed": (
        lambda: httpx.Response(503, html="<h1>Down for maintenance</h1>"),
        r"did not answer \d requests|web page \(HTTP 503\)",
    ),
}
"""How a system is away for whole requests, and what the command then says."""


@EVERY_STAGE
@pytest.mark.parametrize("how", AWAY)
def test_a_system_that_stays_away_stops_the_command_and_no_row_fails_by_it(
    stages: MakeStage, whole: Whole, name: str, how: str
) -> None:
    stage, (answer, words) = stages(name), AWAY[how]
    stage.disturb(1000, lambda _request: answer())
    with pytest.raises(Stopped, match=words) as caught:
        stage.deliver()
    assert caught.value.exit_code == 3
    continues(stage, whole(name))


@EVERY_STAGE
def test_an_outage_in_the_middle_is_waited_out(stages: MakeStage, whole: Whole, name: str) -> None:
    stage = stages(name)
    stage.disturb(5, lambda _request: refusing(unreachable(ConnectionRefusedError()))())
    begin = stage.clock.seconds
    stage.deliver()
    assert stage.state() == whole(name)
    assert 30 < stage.clock.seconds - begin < 60


@EVERY_STAGE
def test_a_line_says_about_once_a_minute_that_the_system_is_waited_for(
    stages: MakeStage, name: str
) -> None:
    stage, notes = stages(name), list[str]()
    stage.listen(lambda step: notes.extend([step.note] if step.note else []))
    stage.disturb(4, lambda _request: httpx.Response(429, headers={"Retry-After": "40"}))
    stage.deliver()
    label = "Sales (sales.test)" if "updates" in name else "SCM (scm.test)"
    assert notes == [f"{label} throttles: 3 rows waiting, for {minutes} min" for minutes in (1, 2)]


@pytest.mark.parametrize("name", ["upserts", "updates", "updates in bulk"])
def test_a_system_that_was_never_there_is_not_waited_for_as_long(
    stages: MakeStage, name: str
) -> None:
    stage = stages(name)
    stage.wire.before = lambda _request: refusing(unreachable(ConnectionRefusedError()))()
    begin = stage.clock.seconds
    with pytest.raises(Stopped, match="nothing listens at this address"):
        stage.deliver()
    assert stage.clock.seconds - begin < 15


@EVERY_ROW
@pytest.mark.parametrize("status", [b"429 Too Many Requests", b"503 Service Unavailable"])
def test_a_row_that_the_system_is_too_busy_for_is_sent_again_alone(
    stages: MakeStage, whole: Whole, name: str, status: bytes
) -> None:
    stage = stages(name)
    busy = status + b'\r\nRetry-After: 9\r\n\r\n{"error":{"message":"busy"}}'
    stage.disturb(1, lambda request: answer_rows(stage, request, {1: b"HTTP/1.1 " + busy}))
    begin = stage.clock.seconds
    stage.deliver()
    assert stage.state() == whole(name)
    assert stage.changes() == stage.units + 1
    intents = [one.payload for one in stage.journal() if one.event == "intent"]
    assert 1 in [one["operations"] for one in intents if one.get("attempt") == 2]
    if b"429" in status:
        assert 9 <= stage.clock.seconds - begin < 10


@EVERY_ROW
def test_a_row_that_is_to_wait_for_days_stops_the_command_which_then_goes_on(
    stages: MakeStage, whole: Whole, name: str
) -> None:
    stage = stages(name)
    days = b'429 X\r\nRetry-After: 864000\r\n\r\n{"error":{"message":"busy"}}'
    stage.disturb(1, lambda request: answer_rows(stage, request, {1: b"HTTP/1.1 " + days}))
    begin = stage.clock.seconds
    with pytest.raises(Stopped, match=r"wait 864,000 s, and run\.wait_system allows 900 s"):
        stage.deliver()
    assert stage.clock.seconds - begin < 60
    stage.deliver()
    assert stage.state() == whole(name)


BUSY = b'HTTP/1.1 429 X\r\nRetry-After: 1\r\n\r\n{"error":{"message":"still busy"}}'
STUCK = b'HTTP/1.1 500 X\r\n\r\n{"error":{"message":"deadlock"}}'
"""What is about the row itself: others change the same records."""
REFUSED = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n"
    b'{"error":{"code":"0x80040220","message":"Not like that"}}'
)


@EVERY_ROW
def test_a_row_that_stays_in_conflict_with_others_fails_and_the_rest_do_not(
    stages: MakeStage, name: str
) -> None:
    stage = stages(name)
    stage.disturb(1000, lambda request: answer_rows(stage, request, {1: STUCK}))
    stage.deliver()
    failed = ("failed", stage.words.busy)
    assert stage.said() == [failed, ("updated", None), (stage.words.done, None)]
    assert stage.changes() == stage.units + stage.tries


@EVERY_ROW
@pytest.mark.parametrize("status", [b"408", b"429", b"503"])
@pytest.mark.parametrize("reached", [1, 1000], ids=["stops there", "goes through all"])
def test_a_row_that_alone_stays_throttled_waits_for_the_same_command(
    stages: MakeStage, whole: Whole, name: str, status: bytes, reached: int
) -> None:
    """The others get their turn before."""
    stage, said = stages(name), {1: BUSY.replace(b"429", status)}
    stage.disturb(1000, lambda request: answer_rows(stage, request, said, reached=reached))
    begin = stage.clock.seconds
    words = r"throttles: it had no time for 1 row \(\S+\) in \d requests"
    with pytest.raises(Stopped, match=words) as stopped:
        stage.deliver()
    assert stopped.value.exit_code == 3
    assert stage.clock.seconds - begin >= stage.tries - 1
    ended = [one for one in stage.journal() if one.payload.get("final")]
    assert len(ended) == stage.units - 1, "the units behind it had their turn"
    continues(stage, whole(name))


@EVERY_ROW
def test_a_throttled_row_does_not_fail_with_one_that_is_busy_itself(
    stages: MakeStage, name: str
) -> None:
    stage = stages(name)
    said = {1: b'HTTP/1.1 500 X\r\n\r\n{"error":{"message":"deadlock"}}', 3: BUSY}

    def answer(request: httpx.Request) -> httpx.Response | None:
        ours = request.url.path.endswith("$batch") and any(
            stage.mark(place) in request.read() for place in said
        )
        return answer_rows(stage, request, said) if ours else None

    stage.wire.before = answer
    with pytest.raises(Stopped, match=r"throttles: it had no time for 1 row \(\S+\) in \d req"):
        stage.deliver()
    stage.calm()
    stage.deliver()
    assert stage.said()[2] == (stage.words.done, None)


@EVERY_ROW
@pytest.mark.parametrize("reached", [1, 1000], ids=["stops at the first", "goes through all"])
def test_rows_that_all_find_the_system_throttling_do_not_fail(
    stages: MakeStage, whole: Whole, name: str, reached: int
) -> None:
    stage = stages(name)
    everyone = {1: BUSY, 2: BUSY, 3: BUSY}

    def throttle(request: httpx.Request) -> httpx.Response | None:
        ours = request.url.path.endswith("$batch") and any(
            stage.mark(place) in request.read() for place in everyone
        )
        return answer_rows(stage, request, everyone, reached=reached) if ours else None

    stage.wire.before = throttle
    with pytest.raises(Stopped, match=r"throttles: it had no time for 3 rows in \d requests"):
        stage.deliver()
    continues(stage, whole(name))


@EVERY_ROW
def test_a_row_in_doubt_is_looked_at_before_it_is_given_up_as_busy(
    stages: MakeStage, name: str
) -> None:
    """Its first request arrives late: after the look that follows the lost answer."""
    stage, held = stages(name), list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        if not held:
            held.append(request)
            raise httpx.ReadError("broken")
        if stage.changes() == stage.tries + 2:
            stage.answer(held[0])
        return answer_rows(stage, request, {1: STUCK})

    stage.disturb(1000, answer)
    stage.deliver()
    assert stage.changes() > stage.tries + 2
    assert stage.said()[0] == (stage.words.done, None)


@EVERY_ROW
def test_rows_in_doubt_are_looked_at_before_their_request_is_declined(
    stages: MakeStage, whole: Whole, name: str
) -> None:
    stage, held = stages(name), list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        if not held:
            held.append(request)
            raise httpx.ReadError("broken")
        stage.answer(held[0])
        return httpx.Response(422, json={"error": {"code": "x", "message": "not read"}})

    stage.disturb(2, answer)
    stage.deliver()
    assert stage.state() == whole(name)


@EVERY_STAGE
def test_what_the_system_said_instead_of_an_answer_is_shown(stages: MakeStage, name: str) -> None:
    stage = stages(name)
    error = {"message": "An error has occurred.", "innererror": {"message": "The log is full."}}
    stage.disturb(1000, lambda _request: httpx.Response(500, json={"error": error}))
    with pytest.raises(Stopped, match=r"the last time it said: The log is full\. Run the same"):
        stage.deliver()


@EVERY_ROW
def test_rows_behind_one_that_stays_busy_get_their_turn_at_a_server_that_stops_there(
    stages: MakeStage, name: str
) -> None:
    stage = stages(name)
    stage.disturb(1000, lambda request: answer_rows(stage, request, {1: STUCK}, reached=1))
    stage.deliver()
    failed = ("failed", stage.words.busy)
    assert stage.said() == [failed, ("updated", None), (stage.words.done, None)]


@EVERY_ROW
def test_a_server_that_stops_at_the_first_failure_is_asked_for_the_rest(
    stages: MakeStage, name: str
) -> None:
    stage = stages(name)
    stage.disturb(1, lambda request: answer_rows(stage, request, {1: REFUSED}, reached=1))
    stage.deliver()
    refused = ("failed", stage.words.refused)
    assert stage.said() == [refused, ("updated", None), (stage.words.done, None)]
    assert stage.changes() == stage.units + 1


@EVERY_ROW
def test_a_refused_row_is_not_asked_again_and_the_others_are_delivered(
    stages: MakeStage, name: str
) -> None:
    stage = stages(name)
    stage.disturb(1000, lambda request: answer_rows(stage, request, {1: REFUSED, 3: BUSY}))
    stage.deliver()
    refused = ("failed", stage.words.refused)
    assert stage.said() == [refused, ("updated", None), (stage.words.done, None)]
    assert stage.changes() == stage.units + 1
    stage.deliver()
    assert stage.said()[0] == refused
    assert stage.changes() == stage.units + 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("No resources were found.", "SCM does not have this record any more. SCM said: No res"),
        ("Approval is pending.", "An approval workflow in SCM holds changes of this record. SCM "),
        ("Not like that", "SCM said: Not like that"),
    ],
)
def test_what_an_undo_was_refused_for_comes_without_the_advice_for_loads(
    stages: MakeStage, text: str, told: str
) -> None:
    """Neither a plan nor a retry takes rows back."""
    stage = stages("undo")
    refused = REFUSED.replace(b"Not like that", text.encode())
    stage.disturb(1000, lambda request: answer_rows(stage, request, {1: refused}))
    stage.deliver()
    assert stage.said()[0] == ("failed", "undo_refused")
    [message] = pl.read_parquet(stage.run.outcomes)["message"].drop_nulls()
    assert message.startswith(told)
    assert not re.search("plan again|retry", message, re.IGNORECASE)


@EVERY_ROW
def test_a_request_that_the_system_does_not_read_fails_its_rows_alone(
    stages: MakeStage, name: str
) -> None:
    stage = stages(name)
    not_read = {"error": {"code": "x", "message": "not read"}}
    stage.disturb(1, lambda _request: httpx.Response(400, json=not_read))
    outcomes = stage.deliver()
    assert outcomes["failed"] == 3
    assert stage.said() == [("failed", stage.words.refused_whole)] * 3
    assert stage.changes() == stage.units


@EVERY_ROW
@pytest.mark.parametrize("status", [400, 409, 412, 422])
@pytest.mark.parametrize("body", [b"", b'{"statusCode":400,"message":"no"}', b'{"error":{}}'])
def test_a_refusal_without_the_systems_own_words_stops_the_command_and_fails_no_row(
    stages: MakeStage, whole: Whole, name: str, status: int, body: bytes
) -> None:
    """Somebody before the system refused."""
    stage = stages(name)
    stage.disturb(1, lambda _request: httpx.Response(status, content=body))
    with pytest.raises(Stopped, match=rf"refused \(HTTP {status}\)") as stopped:
        stage.deliver()
    assert stopped.value.exit_code == 3
    continues(stage, whole(name))


TOO_LARGE: dict[str, Callable[[], httpx.Response]] = {
    "the system": lambda: httpx.Response(413, json={"error": {"code": "x", "message": "too big"}}),
    "a gateway": lambda: httpx.Response(413, html="<h1>Request Entity Too Large</h1>"),
    "nobody says who": lambda: httpx.Response(413),
}
"""Who refuses a request as too large."""


@EVERY_STAGE
@pytest.mark.parametrize("who", TOO_LARGE)
def test_a_request_that_is_too_large_is_sent_in_parts(
    stages: MakeStage, whole: Whole, name: str, who: str
) -> None:
    stage = stages(name)

    def answer(request: httpx.Request) -> httpx.Response | None:
        rows = sum(stage.mark(place) in request.read() for place in (1, 2, 3))
        return TOO_LARGE[who]() if rows > 1 and request.method == "POST" else None

    stage.wire.before = answer
    stage.deliver()
    assert stage.state() == whole(name)
    assert stage.results().count("too_large") == 1


@EVERY_STAGE
@pytest.mark.parametrize("who", TOO_LARGE)
def test_a_row_that_alone_is_too_large_fails_and_the_others_do_not(
    stages: MakeStage, name: str, who: str
) -> None:
    stage = stages(name)
    stage.disturb(1000, lambda _request: TOO_LARGE[who]())
    stage.deliver()
    failed = ("failed", stage.words.too_large)
    assert stage.said() == [failed, ("updated", None), (stage.words.done, None)]


@EVERY_ROW
def test_a_row_that_is_refused_within_a_request_as_too_large_fails_in_these_words(
    stages: MakeStage, name: str
) -> None:
    stage, said = stages(name), {1: b"HTTP/1.1 413 Too Large\r\n\r\n"}
    stage.disturb(1000, lambda request: answer_rows(stage, request, said))
    stage.deliver()
    failed = ("failed", stage.words.too_large)
    assert stage.said() == [failed, ("updated", None), (stage.words.done, None)]


@EVERY_ROW
@pytest.mark.parametrize("answer", [b"401 X\r\n\r\n", b"500 X\r\n\r\n<html>Sign in</html>"])
def test_an_answer_about_the_way_to_the_system_fails_no_row(
    stages: MakeStage, whole: Whole, name: str, answer: bytes
) -> None:
    """A token that ends within a batch; a page in the place of an answer."""
    stage = stages(name)
    stage.disturb(1000, lambda request: answer_rows(stage, request, {1: b"HTTP/1.1 " + answer}))
    status = answer[:3].decode()
    words = (
        rf"gave no clear answer to {stage.tries} requests .*the last time rows got HTTP {status},"
    )
    with pytest.raises(Stopped, match=words):
        stage.deliver()
    continues(stage, whole(name))


@EVERY_ROW
@pytest.mark.parametrize("status", [402, 404, 405, 407, 414, 431, 451, 501])
def test_a_refusal_that_is_not_about_rows_stops_the_command_and_fails_none(
    stages: MakeStage, whole: Whole, name: str, status: int
) -> None:
    stage = stages(name)
    stage.disturb(1, lambda _request: httpx.Response(status, json={"error": {"message": "no"}}))
    with pytest.raises(Stopped, match=rf"refused: no \(HTTP {status}\)") as stopped:
        stage.deliver()
    assert stopped.value.exit_code == 3
    assert stage.results()[-1] == "not_sent"
    continues(stage, whole(name))


@EVERY_ROW
@pytest.mark.parametrize("status", [202, 206, 304, 499, 520, 524, 999])
def test_after_a_status_that_says_nothing_rows_that_arrived_are_looked_up(
    stages: MakeStage, whole: Whole, name: str, status: int
) -> None:
    stage = stages(name)

    def answer(request: httpx.Request) -> httpx.Response:
        stage.answer(request)
        return httpx.Response(status, json={"error": {"message": "no"}})

    stage.disturb(1, answer)
    stage.deliver()
    assert stage.state() == whole(name)


@EVERY_STAGE
def test_a_system_that_denies_us_stops_the_command_before_the_rest_is_wasted(
    stages: MakeStage, whole: Whole, name: str
) -> None:
    stage = stages(name)
    stage.disturb(1, lambda _request: httpx.Response(403, json={"error": {"message": "no"}}))
    with pytest.raises(Stopped, match="does not allow"):
        stage.deliver()
    assert stage.results()[-1] == "not_sent"
    continues(stage, whole(name))
