"""Packages into SCM: what happens to every row, whatever SCM answers, or if it does not answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import polars as pl
import pytest

from pipeline.errors import Stopped
from pipeline.load.packages.limits import ImportLimits
from pipeline.run.journal import read_journal
from pipeline.sandbox.scm.entities import ENTITIES
from pipeline.sandbox.scm.switches import Switches
from tests.scenes.loading import OURS, RIVAL, Scene, number
from tests.scenes.loads import MakeScene

THERE = [OURS | {"CUSTOMERACCOUNT": number(2), "PARTYNUMBER": number(2)}, RIVAL]
PACKAGES = 3
LONG = "Infolog: some warning of a batch server. " * 15
"""More than a sentence of ours quotes."""


def asks(request: httpx.Request, name: str) -> bool:
    return request.url.path.endswith(name)


def once(
    answer: Callable[[], httpx.Response], name: str
) -> Callable[[httpx.Request], httpx.Response | None]:
    """Answers the first request of that name in SCM's place."""
    left = 1

    def before(request: httpx.Request) -> httpx.Response | None:
        nonlocal left
        if not left or not asks(request, name):
            return None
        left = 0
        return answer()

    return before


def rewriting(
    name: str, change: Callable[[Any], Any]
) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    """Changes the ``value`` of every answer to requests of that name."""

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not asks(request, name) or not response.is_success:
            return response
        body = response.json()
        return httpx.Response(200, json={**body, "value": change(body["value"])})

    return after


def wrapped_refusal(text: str) -> httpx.Response:
    """A refusal as F&O gives it for actions: the cause lies below the action's own error."""
    action = "Exception occurred while executing action on Entity DataManagementDefinitionGroup: "
    error = {
        "code": "",
        "message": "An error has occurred.",
        "innererror": {"message": action * 5, "internalexception": {"message": text}},
    }
    return httpx.Response(400, json={"error": error})


def refusal(text: str, status: int = 400) -> httpx.Response:
    return httpx.Response(
        status,
        json={
            "error": {
                "code": "",
                "message": "An error has occurred.",
                "innererror": {"message": text},
            }
        },
    )


def results(scene: Scene) -> list[str]:
    return [
        entry.payload["result"]
        for entry in read_journal(scene.run.journal).entries
        if entry.event == "done"
    ]


def test_every_row_has_its_outcome_and_a_bad_one_fails_alone(scenes: MakeScene) -> None:
    scene = scenes(there=THERE)
    loaded = scene.load()
    assert loaded.outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert not loaded.findings
    outcomes = scene.outcomes()
    assert outcomes[f"usmf/{number(4)}"] == ("failed", "refused_party")
    assert outcomes[f"usmf/{number(2)}"] == ("updated", None)
    assert {number(place) for place in (1, 3, 5)} <= scene.customers().keys()
    assert scene.customers()[number(2)] == "Ada"
    assert scene.persons() == {number(place) for place in (6, 7, 8)}
    batches = pl.read_parquet(scene.run.batches)
    assert batches.select("status", "rows", "created", "updated", "failed").rows() == [
        ("Succeeded", 3, 2, 1, 0),
        ("PartiallySucceeded", 2, 1, 0, 1),
        ("Succeeded", 3, 3, 0, 0),
    ]
    filled = ["execution_id", "definition_group", "file", "sha256", "sent_at", "finished_at"]
    assert batches.select(filled).null_count().row(0) == (0,) * len(filled)


def test_the_message_is_in_plain_words_with_what_to_do_and_what_scm_said(scenes: MakeScene) -> None:
    scene = scenes(there=THERE)
    scene.load()
    message = pl.read_parquet(scene.run.outcomes).filter(pl.col("outcome") == "failed")["message"][
        0
    ]
    assert message.startswith(
        "The contact's number belongs to another party in SCM. Look the number up"
    )
    assert "SCM said: " in message


@pytest.mark.parametrize("valid", [True, False])
def test_errors_that_are_no_json_are_read_all_the_same(scenes: MakeScene, valid: bool) -> None:
    scene = scenes(there=THERE, switches=Switches(valid_error_json=valid))
    texts: list[str] = []
    trouble = 'the "Number", in\r\nfield "{x}", belongs to a party of type "Organization"'

    def spoil(value: str) -> str:
        made = value.replace(
            "Results.", "Results. " + (json.dumps(trouble)[1:-1] if valid else trouble)
        )
        texts.append(made)
        return made

    scene.wire.after = rewriting("GetExecutionErrors", spoil)
    scene.load()
    spoilt = next(text for text in texts if number(4) in text)
    if not valid:
        with pytest.raises(ValueError, match="delimiter"):
            json.loads(spoilt)
    assert scene.outcomes()[f"usmf/{number(4)}"] == ("failed", "refused_party")


def test_without_messages_the_file_of_refused_keys_tells_which_rows_failed(
    scenes: MakeScene,
) -> None:
    scene = scenes(there=THERE, switches=Switches(keys_file_polls=3))
    scene.wire.after = rewriting("GetExecutionErrors", lambda _: "[]")
    scene.load()
    assert scene.outcomes()[f"usmf/{number(4)}"] == ("failed", "import_failed")
    assert scene.load().outcomes["failed"] == 1


def test_rows_that_do_not_get_into_staging_fail_alone(scenes: MakeScene) -> None:
    """SCM's field is shorter than the mapping believes."""
    scene = scenes()
    rows = scene.run.rows_files("ContactToCustomer")[0]
    frame = pl.read_parquet(rows)
    long = (
        pl.when(pl.col("CustomerAccount") == number(3))
        .then(pl.lit("x" * 26))
        .otherwise("PersonLastName")
    )
    frame.with_columns(PersonLastName=long).write_parquet(rows)
    scene.load()
    assert scene.outcomes()[f"usmf/{number(3)}"] == ("failed", "refused_too_long")
    assert number(3) not in scene.customers()
    assert number(1) in scene.customers()


def test_counts_that_disagree_are_a_finding_of_the_run(scenes: MakeScene) -> None:
    scene = scenes(there=THERE[:1])

    def shift(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            one | {"TargetRecordsCreatedCount": one["TargetRecordsCreatedCount"] - 1}
            for one in value
        ]

    scene.wire.after = rewriting("DataManagementExecutionJobDetails", shift)
    loaded = scene.load()
    assert loaded.findings == {"counts_disagree": PACKAGES}
    assert loaded.outcomes == {"created": 7, "updated": 1}
    found = pl.read_parquet(scene.run.findings).filter(pl.col("code") == "counts_disagree")
    assert found["message"].to_list() == [
        ("SCM's counts differ from the outcomes: Contacts usmf-1: created or updated 3, SCM 2."),
        "SCM's counts differ from the outcomes: ContactToCustomer usmf-1: created 2, SCM 1.",
        "SCM's counts differ from the outcomes: ContactToCustomer usmf-2: created 2, SCM 1.",
    ]
    assert scene.load().findings == loaded.findings
    assert (
        pl.read_parquet(scene.run.findings).filter(pl.col("code") == "counts_disagree").height
        == PACKAGES
    )


def test_an_update_that_became_a_create_is_a_disagreement(scenes: MakeScene) -> None:
    """The plan believes that the second customer is there; it is not."""
    loaded = scenes().load()
    assert loaded.findings == {"counts_disagree": 1}
    assert loaded.outcomes == {"created": 7, "updated": 1}


def test_an_import_that_succeeds_with_no_row_is_not_believed(scenes: MakeScene) -> None:
    scene = scenes()
    empty = {"TargetRecordsCreatedCount": 0, "TargetRecordsUpdatedCount": 0}
    scene.wire.after = rewriting(
        "DataManagementExecutionJobDetails", lambda value: [one | empty for one in value]
    )
    loaded = scene.load()
    assert loaded.outcomes == {"created": 7, "updated": 1}
    assert loaded.findings == {"counts_disagree": PACKAGES}


@pytest.mark.parametrize("status", ["Succeeded", "PartiallySucceeded", "Canceled"])
def test_rows_of_an_import_without_a_row_that_scm_does_not_have_have_failed(
    scenes: MakeScene, status: str
) -> None:
    scene = scenes()
    empty = {"TargetRecordsCreatedCount": 0, "TargetRecordsUpdatedCount": 0}
    hooks = [
        rewriting(
            "DataManagementExecutionJobDetails", lambda value: [one | empty for one in value]
        ),
        rewriting("GetExecutionSummaryStatus", lambda _: status),
        rewriting("CustomersV2", lambda _: []),
        rewriting("CDSContactPersons", lambda _: []),
    ]

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        for hook in hooks:
            response = hook(request, response)
        return response

    scene.wire.after = after
    assert scene.load().outcomes == {"failed": 8}
    code = "package_refused" if status == "Canceled" else "import_empty"
    assert set(scene.outcomes().values()) == {("failed", code)}
    assert not list((scene.run.path.parent / "loaded" / "test").glob("*.parquet"))


def test_an_import_that_failed_as_a_whole_says_so_of_every_row(scenes: MakeScene) -> None:
    scene = scenes(switches=Switches(code_pages={"CSV-Unicode": 65001}))
    assert scene.load().outcomes == {"failed": 8}
    assert set(scene.outcomes().values()) == {("failed", "package_refused")}
    assert pl.read_parquet(scene.run.batches)["status"].unique().to_list() == ["Failed"]


def test_of_a_cancelled_import_the_rows_say_what_arrived(scenes: MakeScene) -> None:
    scene = scenes()
    scene.wire.after = rewriting("GetExecutionSummaryStatus", lambda _: "Canceled")
    details = rewriting(
        "DataManagementExecutionJobDetails",
        lambda value: [one | {"TargetRecordsCreatedCount": 1} for one in value],
    )
    status = scene.wire.after
    scene.wire.after = lambda request, response: details(request, status(request, response))
    loaded = scene.load()
    assert loaded.outcomes == {"created": 7, "updated": 1}
    assert loaded.findings == {"counts_disagree": PACKAGES}


def test_a_package_that_scm_does_not_take_fails_whole_and_the_others_go(scenes: MakeScene) -> None:
    scene = scenes()
    text = "Entity CDS Contacts does not exist in the target environment"
    scene.wire.before = once(lambda: refusal(text), "ImportFromPackageAsync")
    assert scene.load().outcomes["failed"] == 3
    codes = {
        code for key, (_, code) in scene.outcomes().items() if key.endswith("ACC-01000-ABCDEF")
    }
    assert codes == {"refused_mapping"}
    assert results(scene) == ["refused", "Succeeded", "Succeeded"]


def test_an_import_is_looked_for_again_whatever_error_wraps_that_it_is_not_known(
    scenes: MakeScene,
) -> None:
    scene = scenes()
    text = f"{LONG}The execution details for execution id 'x' were not found."
    scene.wire.before = once(lambda: wrapped_refusal(text), "GetExecutionSummaryStatus")
    assert scene.load().outcomes["failed"] == 0
    assert results(scene) == ["Succeeded"] * PACKAGES


def test_an_execution_id_that_is_taken_means_the_import_was_sent_whatever_error_wraps_it(
    scenes: MakeScene,
) -> None:
    scene = scenes()

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not asks(request, "ImportFromPackageAsync"):
            return response
        execution = json.loads(request.content)["executionId"]
        return wrapped_refusal(f"{LONG}Execution id '{execution}' already exists.")

    scene.wire.after = after
    assert scene.load().outcomes["failed"] == 0
    assert results(scene) == ["Succeeded"] * PACKAGES


def test_another_import_under_way_is_waited_for(scenes: MakeScene) -> None:
    scene = scenes()
    text = (
        "DMF2025: A column was not found. Execution 'x' is under way; concurrent ImportFromPackage "
        "calls are not supported."
    )
    scene.wire.before = once(lambda: refusal(text), "ImportFromPackageAsync")
    assert scene.load().outcomes["failed"] == 0
    assert results(scene) == ["busy", *["Succeeded"] * PACKAGES]
    assert [
        entry.payload["seconds"]
        for entry in read_journal(scene.run.journal).entries
        if entry.event == "throttled"
    ] == [10]


def test_an_import_is_waited_for_until_it_ends(scenes: MakeScene) -> None:
    scene = scenes(switches=Switches(import_seconds=300, record_after=20))
    before = scene.clock.seconds
    assert scene.load().outcomes["created"] == 7
    assert scene.clock.seconds - before > 300 * PACKAGES
    assert scene.wire.count("ImportFromPackageAsync") == PACKAGES


def test_an_import_that_does_not_end_stops_the_command_and_the_same_one_goes_on(
    scenes: MakeScene,
) -> None:
    scene = scenes(switches=Switches(import_seconds=400))
    with pytest.raises(Stopped, match=r"has not ended yet \(SCM says Executing\)"):
        scene.load(patience=ImportLimits(whole=100))
    assert scene.wire.count("ImportFromPackageAsync") == 1
    scene.load()
    assert scene.wire.count("ImportFromPackageAsync") == PACKAGES


def lost(error: Exception) -> Callable[..., httpx.Response]:
    def answer(*_: object) -> httpx.Response:
        raise error

    return answer


LOST = {
    "the connection breaks": lost(httpx.ReadError("broken")),
    "the answer does not come": lost(httpx.ReadTimeout("too late")),
    "a gateway answers": lambda: httpx.Response(504, html="<h1>Gateway Timeout</h1>"),
    "the page is not JSON": lambda: httpx.Response(200, html="<h1>Sign in</h1>"),
}


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST.keys())
def test_an_import_whose_answer_was_lost_is_looked_up_and_not_sent_again(
    scenes: MakeScene, answer: Callable[[], httpx.Response]
) -> None:
    scene = scenes(there=THERE)

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        return answer() if asks(request, "ImportFromPackageAsync") else response

    scene.wire.after = after
    assert scene.load().outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert scene.wire.count("ImportFromPackageAsync") == PACKAGES


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST.keys())
def test_an_import_that_never_arrived_is_sent_again_under_another_id(
    scenes: MakeScene, answer: Callable[[], httpx.Response]
) -> None:
    scene = scenes(there=THERE)
    scene.wire.before = once(answer, "ImportFromPackageAsync")
    assert scene.load().outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert results(scene)[0] == "not_found"
    assert len(scene.twin.importer.executions) == PACKAGES
    assert pl.read_parquet(scene.run.batches)["attempt"].to_list() == [1, 1, 2]


def test_an_import_that_scm_loses_twice_stops_the_command(scenes: MakeScene) -> None:
    scene = scenes()
    scene.wire.before = lambda request: (
        httpx.Response(504) if asks(request, "ImportFromPackageAsync") else None
    )
    with pytest.raises(
        Stopped, match=r"does not know the import .*-2 that was sent to it, nor the one before"
    ):
        scene.load()


def test_scm_without_the_asynchronous_action_is_served_by_the_other(scenes: MakeScene) -> None:
    scene = scenes()
    scene.wire.before = lambda request: (
        httpx.Response(404) if asks(request, "ImportFromPackageAsync") else None
    )
    assert scene.load().outcomes["created"] == 7
    assert scene.wire.count("ImportFromPackage") == PACKAGES


def test_a_wrong_login_stops_the_command_and_nothing_is_in_doubt(scenes: MakeScene) -> None:
    scene = scenes()
    scene.wire.before = lambda request: (
        httpx.Response(401) if asks(request, "ImportFromPackageAsync") else None
    )
    with pytest.raises(Stopped, match="does not accept our login"):
        scene.load()
    scene.wire.before = lambda _request: None
    before = scene.clock.seconds
    scene.load()
    assert scene.clock.seconds - before < 1


def test_what_may_be_asked_again_is_asked_again(scenes: MakeScene) -> None:
    scene = scenes()
    failures = {
        "GetAzureWriteUrl": 502,
        "zip": 503,
        "GetExecutionSummaryStatus": 429,
        "GetExecutionErrors": 500,
    }
    hooks = [once(partial(httpx.Response, status), name) for name, status in failures.items()]
    scene.wire.before = lambda request: next(
        (answer for hook in hooks if (answer := hook(request))), None
    )
    assert scene.load().outcomes["created"] == 7
    assert results(scene) == ["Succeeded"] * PACKAGES


def test_messages_that_name_no_row_are_counted_and_not_shown(scenes: MakeScene) -> None:
    scene = scenes()
    text = '[{"RecordId":"","Field":"","ErrorMessage":"Chart of accounts of Ada invalid"}]'
    scene.wire.after = rewriting("GetExecutionErrors", lambda _: text)
    assert scene.load().findings["message_unplaced"] == PACKAGES
    found = pl.read_parquet(scene.run.findings).filter(pl.col("code") == "message_unplaced")
    assert found["message"][0].endswith("names none of its rows: Contacts usmf-1, 1 message.")
    assert found["value"].null_count() == PACKAGES


# What passes by itself, and other languages


@pytest.mark.parametrize(
    "fault", ["DMF2003: The command timed out.", "DMF2045: Der Aufruf ist fehlgeschlagen."]
)
def test_an_import_that_ended_for_a_reason_that_passes_is_sent_again(
    scenes: MakeScene, fault: str
) -> None:
    scene = scenes("few", switches=Switches(staging_fault=fault, staging_faults=2))
    assert scene.load().outcomes == {"created": 3, "updated": 1}
    results = [
        entry.payload["result"]
        for entry in read_journal(scene.run.journal).entries
        if entry.event == "done" and entry.payload["effect"] == "import"
    ]
    assert results == ["passing", "passing", "Succeeded", "Succeeded"]


def test_a_reason_that_does_not_pass_ends_as_its_own_code(scenes: MakeScene) -> None:
    fault = Switches(staging_fault="DMF2048: The service was unreachable.", staging_faults=99)
    scene = scenes("few", switches=fault)
    assert scene.load().outcomes == {"failed": 4}
    assert set(scene.outcomes().values()) == {("failed", "refused_conflict")}
    assert scene.wire.count("ImportFromPackageAsync") == 8, "four times for each package"


def test_a_reason_that_needs_somebody_is_not_tried_again(scenes: MakeScene) -> None:
    fault = Switches(staging_fault="FF004: The header row is missing.", staging_faults=99)
    scene = scenes("few", switches=fault)
    assert scene.load().outcomes == {"failed": 4}
    assert set(scene.outcomes().values()) == {("failed", "refused_format")}
    assert scene.wire.count("ImportFromPackageAsync") == 2


def test_a_stop_after_a_passing_end_sends_the_package_once_more(scenes: MakeScene) -> None:
    fault = Switches(staging_fault="DMF2036: Schema change.", staging_faults=1)
    scene = scenes("few", switches=fault)
    sleep, stop = scene.clock.sleep, [True]

    def stopping(seconds: float) -> None:
        entries = read_journal(scene.run.journal).entries
        if any(entry.event == "done" for entry in entries) and stop and stop.pop():
            raise Stopped("the machine went off", where="test")
        sleep(seconds)

    scene.scm.system.pace.sleep = stopping  # type: ignore[method-assign]
    with pytest.raises(Stopped, match="the machine went off"):
        scene.load()
    assert scene.load().outcomes == {"created": 3, "updated": 1}
    assert scene.wire.count("ImportFromPackageAsync") == 3


def test_the_messages_of_another_language_are_shown_and_said_to_be_so(scenes: MakeScene) -> None:
    labels = Switches(language="de", nested_cause=True)
    scene = scenes(switches=labels, there=THERE)
    scene.load("odata")
    rows = pl.read_parquet(scene.run.outcomes).filter(outcome="failed")
    assert set(rows["code"]) == {"refused_untranslated"}
    assert "has another language" in rows["message"][0]
    assert "gehört zu einer Partei vom Typ Organization" in rows["message"][0]


@pytest.mark.parametrize("both_count", [False, True])
def test_an_import_that_a_gateway_delivers_twice_comes_out_as_it_is(
    scenes: MakeScene, both_count: bool
) -> None:
    """The second import finds the rows of the first; SCM shows its counts, or those of both."""
    once = scenes(there=THERE)
    once.load()
    twice = scenes(there=THERE, switches=Switches(unique_execution_id=False))

    def deliver_first(request: httpx.Request) -> None:
        if asks(request, "ImportFromPackageAsync"):
            twice.wire.answer(request)

    def add_first(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [one for second in value for one in (count_first(second), second)]

    twice.wire.before = deliver_first
    if both_count:
        twice.wire.after = rewriting("DataManagementExecutionJobDetails", add_first)
    loaded = twice.load()
    assert loaded.outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert not loaded.findings
    assert twice.outcomes() == once.outcomes()
    assert twice.state()["memory"] == once.state()["memory"]


def count_first(second: dict[str, Any]) -> dict[str, Any]:
    """The counts of an import, by those of the second one with the same rows."""
    updated = 1 if "ContactToCustomer-usmf-1" in second["JobId"] else 0
    counts = ("TargetRecordsCreatedCount", "TargetRecordsUpdatedCount")
    arrived = sum(second[name] for name in counts)
    return second | dict(zip(counts, (arrived - updated, updated), strict=True))


def test_a_row_that_an_import_drops_without_a_word_is_not_taken_for_loaded(
    scenes: MakeScene,
) -> None:
    scene = scenes(there=THERE[:1])

    def drop(detail: dict[str, Any]) -> dict[str, Any]:
        if "ContactToCustomer-usmf-2" not in detail["JobId"]:
            return detail
        rows = scene.twin.store.select(
            'SELECT * FROM "CustomersV2" WHERE "CustomerAccount" = ?', [number(5)]
        )
        for row in rows:
            scene.twin.store.delete(ENTITIES["CustomersV2"], row)
        return detail | {"TargetRecordsCreatedCount": 1}

    scene.wire.after = rewriting(
        "DataManagementExecutionJobDetails", lambda value: [drop(one) for one in value]
    )
    loaded = scene.load()
    assert loaded.outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert not loaded.findings
    assert scene.outcomes()[f"usmf/{number(5)}"] == ("failed", "import_failed")
