"""What SCM does not show is asked for, not sent again: late starts, deleted records, lost calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import httpx
import polars as pl
import pytest

from pipeline.errors import Stopped
from pipeline.load.packages.limits import ImportLimits
from pipeline.run.journal import Journal, read_journal
from pipeline.sandbox.scm.switches import Switches
from tests.scenes.loading import RIVAL, Halt, Scene, number
from tests.scenes.loads import MakeScene

CALL = "ImportFromPackageAsync"
STATUS = "GetExecutionSummaryStatus"
DETAILS = "DataManagementExecutionJobDetails"
WHOLE = {"created": 7, "updated": 1}


def asks(request: httpx.Request, name: str) -> bool:
    return request.url.path.endswith(name)


def results(scene: Scene) -> list[str]:
    lines = [one.payload for one in read_journal(scene.run.journal).entries if one.event == "done"]
    return [one["result"] for one in lines]


def refuse(text: str, status: int = 400) -> httpx.Response:
    error = {"code": "", "message": "An error has occurred.", "innererror": {"message": text}}
    return httpx.Response(status, json={"error": error})


def started(scene: Scene) -> list[str]:
    """The imports that SCM took, by the number of their attempt."""
    return [one.rpartition("-")[2] for one in scene.twin.importer.executions]


# Imports that begin late


@pytest.mark.parametrize("minutes", [2.5, 29])
def test_an_import_that_begins_late_is_waited_for_and_not_sent_again(
    scenes: MakeScene, minutes: float
) -> None:
    scene = scenes(switches=Switches(begin_after=minutes * 60))
    assert scene.load().outcomes == WHOLE
    assert results(scene) == ["Succeeded"] * 3
    assert (scene.wire.count(CALL), scene.wire.count("GetAzureWriteUrl")) == (3, 3)


def test_an_import_that_begins_after_it_was_given_up_is_found_before_the_next_is_taken(
    scenes: MakeScene,
) -> None:
    """SCM takes no other import while it lies there."""
    scene = scenes("few", switches=Switches(begin_after=2000))
    scene.load(patience=ImportLimits(record=600))
    assert started(scene) == ["1", "1"]
    assert results(scene).count("Succeeded") == 2
    assert pl.read_parquet(scene.run.batches)["attempt"].to_list() == [1, 1]


def test_a_later_start_asks_for_every_import_that_an_earlier_one_gave_up(scenes: MakeScene) -> None:
    """SCM refuses one row, so what it has does not show that the import arrived."""
    scene = scenes("few", there=[RIVAL], switches=Switches(record_after=1000))
    words = (
        r"does not know the import .*ContactToCustomer-usmf-1-2 that was sent to it, nor the one "
        r"before, each after 2 min\. .*run\.wait_known \(now 2 min\)"
    )
    with pytest.raises(Stopped, match=words):
        scene.load(patience=ImportLimits(record=120))
    assert started(scene) == ["1", "1", "2"]
    scene.clock.sleep(1800)
    assert scene.load(patience=ImportLimits(record=120)).outcomes["failed"] == 1
    assert scene.outcomes()[f"usmf/{number(4)}"] == ("failed", "refused_party")
    assert started(scene) == ["1", "1", "2"]
    assert results(scene)[-1] == "PartiallySucceeded"
    assert pl.read_parquet(scene.run.batches)["attempt"].to_list() == [1, 1]


def test_a_journal_of_an_earlier_version_that_gave_imports_up_is_understood(
    scenes: MakeScene,
) -> None:
    """It closed attempts as not found after two minutes and asked for none of them again."""
    scene = scenes("few", switches=Switches(record_after=150))
    scene.wire.after = stop
    with pytest.raises(Halt):
        scene.load()
    scene.wire.after = lambda _request, response: response
    with Journal.open(scene.run.journal, scene.clock) as journal:
        intent = [one for one in journal.entries if one.event == "intent"][-1].payload
        rest = {name: value for name, value in intent.items() if name != "effect"}
        journal.done("import", **rest, result="not_found", final=False)
    scene.clock.sleep(1800)
    scene.load()
    assert started(scene) == ["1", "1"]


def stop(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    if asks(request, CALL):
        raise Halt
    return response


# Records that a clean-up deletes


@pytest.mark.parametrize("seconds", [60, 300], ids=["while it runs", "after it ended"])
def test_an_import_whose_record_is_deleted_ends_by_its_details(
    scenes: MakeScene, seconds: int
) -> None:
    scene = scenes(switches=Switches(import_seconds=200, clean_up_after=seconds))
    assert scene.load().outcomes == WHOLE
    assert started(scene) == ["1", "1", "1"]
    assert results(scene) == ["Succeeded"] * 3


@pytest.mark.parametrize("clean_up", ["record", "details"])
def test_a_stop_over_the_clean_up_sends_nothing_again(
    scenes: MakeScene, clean_up: Literal["record", "details"]
) -> None:
    """Stopped on Friday, called again on Monday; meanwhile SCM has cleaned up."""
    switches = Switches(import_seconds=300, clean_up_after=3600, clean_up=clean_up)
    scene = scenes("few", switches=switches)
    with pytest.raises(Stopped, match="has not ended yet"):
        scene.load(patience=ImportLimits(whole=60))
    scene.clock.sleep(200_000)
    assert scene.load().outcomes == {"created": 3, "updated": 1}
    assert started(scene) == ["1", "1"]


def gone_after(scene: Scene, looks: int, details: Sequence[Any] | None) -> None:
    """The record of each import is gone after so many looks at it.

    ``details``: what the job details show instead of what they are; null as they are.
    """
    seen: dict[str, int] = {}

    def before(request: httpx.Request) -> httpx.Response | None:
        if asks(request, STATUS):
            execution = json.loads(request.read())["executionId"]
            seen[execution] = seen.get(execution, 0) + 1
            if seen[execution] > looks:
                text = f"The execution details for execution id '{execution}' were not found."
                return refuse(text)
        if asks(request, DETAILS) and details is not None:
            return httpx.Response(200, json={"value": list(details)})
        return None

    scene.wire.before = before


def remove(scene: Scene, account: str) -> None:
    """A customer leaves SCM."""
    address = f"/data/CustomersV2(dataAreaId='usmf',CustomerAccount='{account}')"
    url = f"https://scm.test{address}?cross-company=true"
    answer = scene.wire.answer(httpx.Request("DELETE", url))
    assert answer.is_success, answer.text


def test_rows_that_scm_does_not_have_after_the_record_is_gone_are_unknown(
    scenes: MakeScene,
) -> None:
    scene = scenes("few", switches=Switches(import_seconds=30))
    gone_after(scene, 1, [])

    remove_after_call(scene)
    began = scene.clock.seconds
    loaded = scene.load()
    assert loaded.outcomes == {"created": 2, "updated": 1, "unknown": 1}
    assert scene.outcomes()[f"usmf/{number(4)}"] == ("unknown", "import_record_gone")
    assert 1800 < scene.clock.seconds - began < 2400
    assert [one for one in results(scene) if one != "busy"] == ["NoRecord", "NoRecord"]
    assert started(scene) == ["1", "1"]
    message = pl.read_parquet(scene.run.outcomes).filter(outcome="unknown")["message"][0]
    assert message.startswith("SCM no longer has a record of the import")


def test_an_import_that_the_record_is_gone_of_and_whose_rows_are_all_there_is_not_waited_for(
    scenes: MakeScene,
) -> None:
    scene = scenes("few", switches=Switches(import_seconds=1000))
    gone_after(scene, 1, [])
    began = scene.clock.seconds
    assert scene.load().outcomes == {"created": 3, "updated": 1}
    assert scene.clock.seconds - began < 10 + 1000


def test_details_that_stand_still_do_not_keep_the_command_waiting(scenes: MakeScene) -> None:
    scene = scenes("few", switches=Switches(import_seconds=100_000, parallel_imports=True))
    gone_after(scene, 1, None)
    began = scene.clock.seconds
    remove_after_call(scene)
    assert scene.load().outcomes["unknown"] == 1
    assert scene.clock.seconds - began < 3 * 1800


def remove_after_call(scene: Scene) -> None:
    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        is_ours = asks(request, CALL) and b"ContactToCustomer" in request.read()
        if is_ours and response.is_success:
            remove(scene, number(4))
        return response

    scene.wire.after = after


def test_an_import_that_was_never_seen_and_has_brought_everything_in_is_not_sent_again(
    scenes: MakeScene,
) -> None:
    """Its record and details were deleted before the first look."""
    scene = scenes("few")
    gone_after(scene, 0, [])
    assert scene.load().outcomes == {"created": 3, "updated": 1}
    assert started(scene) == ["1", "1"]
    assert results(scene) == ["NoRecord", "NoRecord"]


# Calls that SCM breaks off

REASON = "Cannot create a record in Data project (DMFDefinitionGroup). The record is locked by X{}."


def test_a_call_that_breaks_off_twice_for_the_same_reason_is_a_refusal_with_scms_words(
    scenes: MakeScene,
) -> None:
    scene = scenes("few", switches=Switches(import_fault=REASON.format(17)))
    began = scene.clock.seconds
    assert scene.load().outcomes == {"failed": 4}
    assert set(scene.outcomes().values()) == {("failed", "package_refused")}
    assert scene.wire.count("zip") == 2, "each package was uploaded once"
    assert scene.wire.count(CALL) == 4
    assert scene.clock.seconds - began < 400
    message = pl.read_parquet(scene.run.outcomes)["message"][0]
    assert message == f"SCM said: {REASON.format(17)}"


def test_reasons_that_differ_in_their_ids_only_are_the_same(scenes: MakeScene) -> None:
    scene, count = scenes("few"), [0]

    def before(request: httpx.Request) -> httpx.Response | None:
        if not asks(request, CALL):
            return None
        count[0] += 1
        return refuse(REASON.format(count[0]), 500)

    scene.wire.before = before
    assert scene.load().outcomes == {"failed": 4}


@pytest.mark.parametrize(
    "answers",
    [
        ["The first reason.", "Quite another one."],
        ["An unexpected error occurred.", "An unexpected error occurred."],
        ["", ""],
    ],
    ids=["other reasons", "no reasons", "nothing"],
)
def test_a_call_that_breaks_off_without_one_reason_refuses_no_row(
    scenes: MakeScene, answers: list[str]
) -> None:
    scene, left = scenes("few"), list(answers)

    def before(request: httpx.Request) -> httpx.Response | None:
        return refuse(left.pop(0), 500) if asks(request, CALL) else None

    scene.wire.before = before
    with pytest.raises(Stopped, match="does not know the import") as caught:
        scene.load()
    assert ("Quite another one." in str(caught.value)) == ("Quite" in answers[1])


def test_an_import_that_began_although_its_call_broke_off_with_a_reason_is_followed(
    scenes: MakeScene,
) -> None:
    scene = scenes("few", switches=Switches(record_after=30))
    scene.wire.after = lambda request, response: (
        refuse(REASON, 500) if asks(request, CALL) else response
    )
    assert scene.load().outcomes == {"created": 3, "updated": 1}
    assert started(scene) == ["1", "1"]


def break_off_once(scene: Scene, reason: str, *, arrives: bool = False) -> None:
    """Answer the first call with 500 and a reason, after its effect or without one."""
    left = [1]

    def before(request: httpx.Request) -> httpx.Response | None:
        if not asks(request, CALL) or not left:
            return None
        left.clear()
        if arrives:
            scene.wire.answer(request)
        return refuse(reason, 500)

    scene.wire.before = before


@pytest.mark.parametrize("arrives", [True, False])
def test_a_call_that_meets_another_import_is_made_again_unless_it_arrived(
    scenes: MakeScene, arrives: bool
) -> None:
    scene = scenes("few")
    break_off_once(scene, "A deadlock occurred. Try again.", arrives=arrives)
    assert scene.load().outcomes == {"created": 3, "updated": 1}
    assert started(scene) == ["1", "1"]
    assert scene.wire.count(CALL) == (2 if arrives else 3)
    assert scene.wire.count("zip") == 2


@pytest.mark.parametrize(
    "reason",
    ["The specified blob does not exist.", "Signature not valid in the specified time frame."],
)
def test_a_call_that_breaks_off_because_of_the_upload_is_made_with_another_one(
    scenes: MakeScene, reason: str
) -> None:
    scene = scenes("few")
    break_off_once(scene, reason)
    assert scene.load().outcomes == {"created": 3, "updated": 1}
    assert (scene.wire.count("zip"), scene.wire.count(CALL)) == (3, 3)


def test_a_call_that_was_not_answered_says_what_came_instead(scenes: MakeScene) -> None:
    scene = scenes("few")
    scene.wire.before = lambda request: (
        httpx.Response(302, headers={"Location": "https://login.example.com/x"})
        if asks(request, CALL)
        else None
    )
    words = r"does not know .*\. The last time SCM redirects us to login\.example\.com instead of"
    with pytest.raises(Stopped, match=words):
        scene.load()


def test_a_reason_for_breaking_a_call_off_is_said_once(scenes: MakeScene) -> None:
    scene, reasons = scenes("few"), ["The first reason.", "Quite another one."]
    scene.wire.before = lambda request: (
        refuse(reasons.pop(0), 500) if reasons and asks(request, CALL) else None
    )
    words = r"does not know .* SCM said: Quite another one\. Look at the batch jobs"
    with pytest.raises(Stopped, match=words):
        scene.load()


def test_a_package_that_scm_refuses_as_a_whole_does_not_blame_its_rows(scenes: MakeScene) -> None:
    scene = scenes("few")
    text = "The legal entity usmf does not exist."
    scene.wire.before = lambda request: refuse(text) if asks(request, CALL) else None
    assert scene.load().outcomes == {"failed": 4}
    assert set(scene.outcomes().values()) == {("failed", "package_refused")}


@pytest.mark.parametrize("status", [400, 412, 422])
def test_a_call_that_somebody_before_scm_refuses_stops_the_load(
    scenes: MakeScene, status: int
) -> None:
    scene, left = scenes("few"), [1]

    def before(request: httpx.Request) -> httpx.Response | None:
        if not asks(request, CALL) or not left:
            return None
        left.clear()
        return httpx.Response(status, json={"statusCode": status, "message": "no"})

    scene.wire.before = before
    with pytest.raises(Stopped, match=rf"refused \(HTTP {status}\)"):
        scene.load()
    assert scene.load().outcomes == {"created": 3, "updated": 1}


@pytest.mark.parametrize(
    "action", ["GenerateImportTargetErrorKeysFile", "GetImportStagingErrorFileUrl"]
)
def test_a_file_that_scm_can_never_make_is_done_without(scenes: MakeScene, action: str) -> None:
    scene = scenes("few", there=[RIVAL])
    scene.wire.before = lambda request: (
        refuse("Value cannot be null.", 500) if asks(request, action) else None
    )
    assert scene.load().outcomes == {"created": 2, "updated": 1, "failed": 1}
    assert scene.outcomes()[f"usmf/{number(4)}"] == ("failed", "refused_party")


@pytest.mark.parametrize("text", ["", "An unexpected error occurred.", "A deadlock occurred."])
def test_a_file_that_scm_cannot_make_for_now_stops_the_load(scenes: MakeScene, text: str) -> None:
    scene = scenes("few")
    scene.wire.before = lambda request: (
        refuse(text, 500) if asks(request, "GetImportStagingErrorFileUrl") else None
    )
    with pytest.raises(Stopped, match=r"failed.* \(HTTP 500\)"):
        scene.load()
    scene.wire.before = lambda _request: None
    assert scene.load().outcomes == {"created": 3, "updated": 1}
    assert started(scene) == ["1", "1"]


# What is said meanwhile


def test_once_a_minute_a_line_says_what_is_waited_for(scenes: MakeScene) -> None:
    scene, notes = scenes("few", switches=Switches(import_seconds=330, record_after=90)), []
    scene.listener = lambda step: notes.append((scene.clock.seconds, step.note))
    began = scene.clock.seconds
    scene.load()
    said = [text for at, text in notes if text and at - began < 331]
    name = f"import {scene.run.run}-Contacts-usmf-1-1"
    assert said[0] == f"{name}: not begun since 1 min"
    assert said[-1] == f"{name}: Executing since 3 min"
    assert 4 <= len(said) <= 5
