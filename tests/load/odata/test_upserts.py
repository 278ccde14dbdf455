"""OData into SCM: one changeset per row, created or updated as planned, nothing twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import httpx
import polars as pl
import pytest

from pipeline.run.journal import read_journal
from pipeline.run.summary import reach_verdict
from pipeline.sandbox.scm.entities import ENTITIES
from pipeline.sandbox.scm.switches import Switches
from pipeline.wire import multipart
from pipeline.wire.multipart import BatchOperation
from tests.scenes.delivering import Loading, answer_rows
from tests.scenes.loading import OURS, RIVAL, Scene, number
from tests.scenes.loads import MakeScene
from tests.scenes.small import contactid

SECOND = OURS | {
    "CUSTOMERACCOUNT": number(2),
    "PARTYNUMBER": number(2),
    "PRIMARYCONTACTEMAIL": "old@example.com",
    "SALESMEMO": "old",
}
THERE = [SECOND, RIVAL]
NOTHING_FAILED = {"failed": 0, "unknown": 0}


def batches(scene: Scene) -> int:
    return scene.wire.count("$batch")


def is_batch(request: httpx.Request) -> bool:
    return request.url.path.endswith("$batch")


def first_batch(
    answer: Callable[[], httpx.Response],
) -> Callable[[httpx.Request], httpx.Response | None]:
    left = 1

    def before(request: httpx.Request) -> httpx.Response | None:
        nonlocal left
        if not left or not is_batch(request):
            return None
        left = 0
        return answer()

    return before


def test_every_row_has_its_outcome_and_a_bad_one_fails_alone(scenes: MakeScene) -> None:
    scene = scenes(there=THERE)
    loaded = scene.load("odata", odata_rows=100)
    assert loaded.outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert batches(scene) == 3
    outcomes = scene.outcomes()
    assert outcomes[f"usmf/{number(4)}"] == ("failed", "refused_party")
    assert outcomes[f"usmf/{number(2)}"] == ("updated", None)
    assert scene.persons() == {number(place) for place in (6, 7, 8)}
    table = pl.read_parquet(scene.run.batches)
    assert table["status"].unique().to_list() == ["answered"]
    assert table.select("file", "execution_id").null_count().row(0) == (3, 3)
    assert table["bytes"].min() > 100  # type: ignore[operator]


def test_blank_values_are_sent_as_empty_and_clear_what_was_there(scenes: MakeScene) -> None:
    scene = scenes(there=THERE)
    scene.load("odata")
    row = scene.twin.store.select(
        'SELECT * FROM "CustomersV2" WHERE "CustomerAccount" = ?', [number(2)]
    )[0]
    assert row["SalesMemo"] == ""
    assert row["PrimaryContactEmail"] == "contact2@example.com"


def test_what_was_there_before_an_update_is_kept(scenes: MakeScene) -> None:
    scene = scenes(there=THERE)
    scene.load("odata")
    kept = pl.read_parquet(scene.run.path / "before" / "ContactToCustomer.parquet")
    assert kept.select(
        "destination_key", "PersonFirstName", "PrimaryContactEmail", "SalesMemo"
    ).rows() == [(f"usmf/{number(2)}", "Old", "old@example.com", "old")]
    assert [path.name for path in (scene.run.path / "before").iterdir()] == [
        "ContactToCustomer.parquet"
    ]


def test_many_requests_at_once_come_to_the_same_end(scenes: MakeScene) -> None:
    one, many = scenes(there=THERE), scenes(there=THERE)
    assert one.load("odata").outcomes == many.load("odata", odata_rows=1, odata_requests=4).outcomes
    assert one.outcomes() == many.outcomes()
    assert one.customers() == many.customers()


@pytest.mark.parametrize("switches", [Switches(patch_missing="insert"), Switches()])
def test_a_record_that_went_since_the_plan_is_not_created_silently(
    scenes: MakeScene, switches: Switches
) -> None:
    scene = scenes(switches=switches)
    scene.load("odata")
    assert scene.outcomes()[f"usmf/{number(2)}"] == ("failed", "gone_from_scm")
    assert number(2) not in scene.customers()


def test_a_record_that_came_since_the_plan_is_not_overwritten(scenes: MakeScene) -> None:
    scene = scenes(there=[*THERE, OURS | {"CUSTOMERACCOUNT": number(3), "PARTYNUMBER": number(3)}])
    scene.load("odata")
    assert scene.outcomes()[f"usmf/{number(3)}"] == ("failed", "refused_exists")
    assert scene.customers()[number(3)] == "Old"


def test_a_record_under_our_key_with_other_values_after_a_lost_answer_is_unknown(
    scenes: MakeScene,
) -> None:
    scene = scenes(there=[*THERE, OURS | {"CUSTOMERACCOUNT": number(1), "PARTYNUMBER": number(1)}])
    left = 1

    def before(request: httpx.Request) -> None:
        nonlocal left
        if left and is_batch(request) and b"CustomersV2" in request.read():
            left = 0
            raise httpx.ReadError("broken")

    scene.wire.before = before
    assert scene.load("odata").outcomes == {"created": 5, "updated": 1, "failed": 1, "unknown": 1}
    assert scene.outcomes()[f"usmf/{number(1)}"] == ("unknown", "answer_lost")
    assert scene.customers()[number(1)] == "Old"


def test_an_update_that_was_refused_in_unknown_words_is_looked_at(scenes: MakeScene) -> None:
    """A gateway may have delivered the request twice, and SCM may have done it the first time."""
    scene, refused = scenes(there=THERE), list[bytes]()

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not is_batch(request) or b"PATCH" not in request.read():
            return response
        content = response.content.replace(b"HTTP/1.1 204 No Content", b"HTTP/1.1 500 Failed")
        refused.append(content)
        return httpx.Response(200, headers=response.headers, content=content)

    scene.wire.after = after
    scene.load("odata")
    assert b"500 Failed" in refused[0]
    assert scene.outcomes()[f"usmf/{number(2)}"] == ("updated", None)


def test_a_busy_scm_is_given_the_time_that_it_asks_for(scenes: MakeScene) -> None:
    scene = scenes(there=THERE)
    scene.wire.before = first_batch(lambda: httpx.Response(429, headers={"Retry-After": "17"}))
    before = scene.clock.seconds
    assert scene.load("odata").outcomes["created"] == 6
    assert scene.clock.seconds - before == 17
    assert [
        entry.payload["seconds"]
        for entry in read_journal(scene.run.journal).entries
        if entry.event == "throttled"
    ] == [17]


def test_a_row_that_scm_stays_too_busy_for_fails_and_the_others_do_not(scenes: MakeScene) -> None:
    scene = scenes(there=THERE)
    busy = (
        b'HTTP/1.1 500 X\r\nContent-Type: application/json\r\n\r\n{"error":{"message":"deadlock"}}'
    )

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not is_batch(request) or b"CON-00001" not in request.read():
            return response
        content = re.sub(
            rb"HTTP/1\.1 \d+ .*?(?=\r\n--changeset)",
            busy,
            response.content,
            count=1,
            flags=re.DOTALL,
        )
        return httpx.Response(200, headers=response.headers, content=content)

    scene.wire.after = after
    assert scene.load("odata").outcomes["failed"] == 2
    assert scene.outcomes()[f"usmf/{number(1)}"] == ("failed", "refused_conflict")
    assert scene.outcomes()[f"usmf/{number(2)}"] == ("updated", None)


def test_a_server_that_stops_at_the_first_failure_is_asked_for_the_rest(scenes: MakeScene) -> None:
    scene = scenes(there=THERE)

    def before(request: httpx.Request) -> None:
        request.headers.pop("Prefer", None)

    scene.wire.before = before
    assert scene.load("odata", odata_rows=100).outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert batches(scene) == 4


def test_rows_that_the_plan_was_not_sure_of_are_looked_up(scenes: MakeScene) -> None:
    """Contact persons are planned as upsert, for their keys are in no export."""
    scene = scenes()
    values = {
        "dataAreaId": "usmf",
        "ContactPersonPartyNumber": number(7),
        "AssociatedPartyNumber": "ACC-01000-ABCDEF",
        "FirstName": "Old",
    }
    scene.twin.desk.insert(ENTITIES["CDSContactPersons"], values)
    scene.load("odata")
    outcomes = {
        key: outcome
        for key, (outcome, _) in scene.outcomes().items()
        if key.endswith("ACC-01000-ABCDEF")
    }
    assert sorted(outcomes.values()) == ["created", "created", "updated"]
    assert outcomes[f"usmf/{number(7)}/ACC-01000-ABCDEF"] == "updated"


def test_a_batch_is_written_with_a_changeset_for_each_row() -> None:
    made = multipart.build_batch(
        [BatchOperation(method="POST", url="https://x/data/A", body=b'{"a":1}', headers={})] * 2
    )
    assert made == multipart.build_batch(
        [BatchOperation(method="POST", url="https://x/data/A", body=b'{"a":1}', headers={})] * 2
    )
    text = made.body.decode()
    assert text.count("Content-Type: multipart/mixed; boundary=changeset_") == 2
    assert text.count("POST https://x/data/A HTTP/1.1\r\n") == 2
    assert "\n" not in text.replace("\r\n", "")
    assert [f"Content-ID: {place}\r\n" in text for place in (1, 2, 3)] == [True, True, False]


def test_answers_are_matched_by_their_content_id_else_by_their_order() -> None:
    def part(status: int, mark: str) -> str:
        head = f"Content-ID: {mark}\r\n" if mark else ""
        inner = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n\r\n{{}}\r\n"
        return f"--b\r\nContent-Type: application/http\r\n{head}\r\n{inner}"

    by_id = multipart.parse_answers(
        "multipart/mixed; boundary=b", f"{part(201, '2')}{part(500, '1')}--b--\r\n".encode(), 2
    )
    assert {number: answer.status for number, answer in by_id.items()} == {2: 201, 1: 500}
    by_order = multipart.parse_answers(
        "multipart/mixed; boundary=b", f"{part(201, '')}{part(500, '')}--b--\r\n".encode(), 2
    )
    assert {number: answer.status for number, answer in by_order.items()} == {1: 201, 2: 500}
    assert by_order[2].body == b"{}"
    with pytest.raises(ValueError, match="not multipart"):
        multipart.parse_answers("text/html", b"<h1>", 1)


def test_a_request_that_a_gateway_delivers_twice_comes_out_as_it_is(scenes: MakeScene) -> None:
    once, twice = scenes(there=THERE), scenes(there=THERE)
    once.load("odata")

    def deliver_first(request: httpx.Request) -> None:
        if is_batch(request):
            twice.wire.answer(request)

    twice.wire.before = deliver_first
    assert twice.load("odata").outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert twice.outcomes() == once.outcomes()
    assert twice.state()["memory"] == once.state()["memory"]


def test_what_is_there_already_is_looked_up_in_whatever_language_scm_says_so(
    scenes: MakeScene,
) -> None:
    scene = scenes(there=THERE)
    foreign = b'"message":"Der Datensatz ist bereits vorhanden."'

    def deliver_first(request: httpx.Request) -> None:
        if is_batch(request):
            scene.wire.answer(request)

    def translate(_request: httpx.Request, response: httpx.Response) -> httpx.Response:
        content, count = re.subn(
            rb'"message":"[^"]*already exists[^"]*"', foreign, response.content
        )
        if not count:
            return response
        return httpx.Response(200, headers=response.headers, content=content)

    scene.wire.before, scene.wire.after = deliver_first, translate
    assert scene.load("odata").outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert scene.outcomes()[f"usmf/{number(3)}"] == ("created", None)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.75, 0.95])
def test_an_answer_that_is_cut_with_a_length_that_hides_it_loses_no_row(
    scenes: MakeScene, share: float
) -> None:
    scene = scenes(there=THERE)

    def cut(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not is_batch(request):
            return response
        kept = response.content[: int(len(response.content) * share)]
        return httpx.Response(200, content=kept, headers={"Content-Type": content_type(response)})

    scene.wire.after = cut
    assert scene.load("odata").outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert scene.outcomes()[f"usmf/{number(4)}"] == ("failed", "refused_party")


def content_type(response: httpx.Response) -> str:
    return str(response.headers["Content-Type"])


def test_a_record_of_others_that_a_second_delivery_meets_is_still_theirs(
    scenes: MakeScene,
) -> None:
    scene = scenes(there=[*THERE, OURS | {"CUSTOMERACCOUNT": number(3), "PARTYNUMBER": number(3)}])

    def deliver_first(request: httpx.Request) -> None:
        if is_batch(request):
            scene.wire.answer(request)

    scene.wire.before = deliver_first
    scene.load("odata")
    assert scene.outcomes()[f"usmf/{number(3)}"] == ("failed", "refused_exists")
    assert scene.customers()[number(3)] == "Old"


@pytest.mark.parametrize("made", [False, True], ids=["elsewhere", "as planned"])
@pytest.mark.parametrize(
    "key", [("usmf", "C-000017"), ("demf", number(1))], ids=["number", "legal entity"]
)
def test_an_answer_that_shows_another_record_is_no_creation(
    scenes: MakeScene, key: tuple[str, str], made: bool
) -> None:
    """SCM numbers customers itself where its number sequence says so."""
    scene = scenes()
    record = json.dumps({"dataAreaId": key[0], "CustomerAccount": key[1]}).encode()
    own = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n" + record

    def before(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("$batch") or number(1).encode() not in request.read():
            return None
        if made:
            scene.wire.answer(request)
        return answer_rows(Loading(scene, few=False), request, {1: own})

    scene.wire.before = before
    scene.load("odata", odata_rows=1)
    outcome = ("created", None) if made else ("unknown", "key_differs")
    assert scene.outcomes()[f"usmf/{number(1)}"] == outcome
    assert sum("$batch" in one for one in scene.wire.seen) == 8


def test_a_request_that_scm_refuses_for_a_passing_reason_is_sent_again(scenes: MakeScene) -> None:
    scene, left = scenes(there=THERE[:1]), [1, 1]

    def before(request: httpx.Request) -> httpx.Response | None:
        if not left or not request.url.path.endswith("$batch"):
            return None
        left.pop()
        text = "The transaction was deadlocked on lock resources with another process."
        return httpx.Response(400, json={"error": {"message": text}})

    scene.wire.before = before
    assert scene.load("odata").outcomes == {"created": 7, "updated": 1}


@pytest.mark.parametrize("compares", [True, False])
def test_values_that_scm_changed_as_it_wrote_them_are_named(
    scenes: MakeScene, compares: bool
) -> None:
    scene = scenes(switches=Switches(rewrites={"CustomerGroupId": "20", "PersonLastName": "X"}))
    loaded = scene.load("odata", compares=compares)
    assert loaded.outcomes["created"] == 7
    assert reach_verdict({}, NOTHING_FAILED, loaded.findings) == (
        "attention" if compares else "clean"
    )
    outcome = ("created", "changed_by_scm" if compares else None)
    assert scene.outcomes()[f"usmf/{number(1)}"] == outcome
    found = pl.read_parquet(scene.run.findings).filter(pl.col("code") == "changed_by_scm")
    assert dict(loaded.findings) == ({"changed_by_scm": found.height} if compares else {})
    first = found.filter(pl.col("contactid") == contactid(1))
    assert first.select("severity", "destination", "message", "source_line").rows() == [
        ("warning", name, f"SCM wrote another value for {name} than was sent.", 2)
        for name in ("PersonLastName", "CustomerGroupId")
        if compares
    ]
