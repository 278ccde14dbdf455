"""One contact's story, also of a damaged run, also of a contact with harmful names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.audit import explain
from pipeline.commands.confirm import confirm_import
from pipeline.commands.explain import explain_contact
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.retry import retry_run
from pipeline.errors import UsageError
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from pipeline.run.folder import RunFolder, find_runs
from tests.scenes.small import contactid, number, rows


def story(common: Flags, contact: str, run: str = "latest") -> dict[str, Any]:
    (item,) = explain_contact(common, contact, run).items
    return dict(item)


def test_a_planned_contact_is_shown_from_the_row_read_to_its_outcome(
    common: Flags, run: RunFolder
) -> None:
    confirm_import(common, str(run.run), errors=(), packages=())
    item = story(common, number(1).lower())
    assert item["source"]["emailaddress1"] == "contact1@example.com"
    field = next(one for one in item["fields"] if one["destination"] == "PersonLastName")
    assert (field["value"], field["result"], field["result_from"]) == ("Number1", "Number1", "plan")
    assert field["checks"] == [{"rule": "has at most 25 characters", "holds": True, "code": None}]
    assert item["batch"]["file"] == "packages/ContactToCustomer/usmf-1.zip"
    assert item["outcome"]["outcome"] == "created"
    text = str(explain_contact(common, contactid(1), "latest").text)
    for word in (
        "decision      customer/active_customer",
        "outcome       created",
        "definition group p2c-",
        "row as read",
    ):
        assert word in text


def test_a_rejected_contact_shows_the_check_that_did_not_hold_and_what_would_come_out(
    common: Flags,
) -> None:
    item = story(common, contactid(11))
    field = next(one for one in item["fields"] if one["destination"] == "PersonLastName")
    assert (field["result"], field["result_from"]) == ("L" * 26, "mapping")
    assert [one["code"] for one in field["checks"] if not one["holds"]] == ["too_long"]
    assert item["planned"] == item["batch"] == item["outcome"] == {}
    assert "DOES NOT HOLD: has at most 25 characters (too_long)" in str(
        explain_contact(common, contactid(11), "latest").text
    )


def test_earlier_runs_tell_what_became_of_the_contact_there(common: Flags, run: RunFolder) -> None:
    retry_run(common, str(run.run), correction=None, codes=(), listener=report_nothing)
    assert story(common, contactid(1))["earlier"] == [
        {
            "run": str(run.run), "kind": "main", "decision": "customer",
            "reason": "active_customer", "outcome": "written",
            "destination_key": f"usmf/{number(1)}",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["findings.parquet", "outcomes.parquet", "batches.parquet", "source/contacts.parquet"]
)
def test_what_is_left_of_a_damaged_run_is_shown(common: Flags, run: RunFolder, name: str) -> None:
    path = run.path / name
    path.write_bytes(path.read_bytes()[:-200])
    item = story(common, contactid(1))
    assert item["decision"]["decision"] == "customer"
    assert any("cut" in note for note in item["notes"])


def test_without_decisions_there_are_no_stories(common: Flags, run: RunFolder) -> None:
    run.decisions.unlink()
    with pytest.raises(UsageError, match=r"decisions\.parquet is missing.*p2c verify"):
        explain_contact(common, contactid(1), "latest")


def test_harmful_names_do_not_reach_the_terminal(
    tmp_path: Path, source: Callable[[list[dict[str, str]]], Path]
) -> None:
    harm = "\x1b]0;owned\x07\u202eevil\u2066"
    row = rows()[0] | {"firstname": harm, "msdynce_contactnumber": f"CON-1{harm}"}
    common = Flags(project=source([row]), runs=tmp_path / "runs")
    plan_contacts(common, PlanRequest(), report_nothing)
    text = str(explain_contact(common, contactid(1), "latest").text)
    assert "\\u202e" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize(
    ("load", "memo"), [("packages", "first second"), ("odata", "first\nsecond")]
)
def test_the_values_shown_are_those_that_this_way_of_loading_would_send(
    tmp_path: Path,
    source: Callable[[list[dict[str, str]]], Path],
    golden: Callable[[str, str], None],
    load: str,
    memo: str,
) -> None:
    """Packages carry no line breaks, OData does.

    The contact is rejected, so its fields are worked out.
    """
    file = source([rows()[10] | {"description": "first\nsecond"}])
    plan_contacts(Flags(project=file, runs=tmp_path / "runs"), PlanRequest(), report_nothing)
    scm = "destination.url=https://scm.example"
    auth = ("destination.auth.kind=token", "destination.auth.token_env=TOKEN")
    project = load_project(file, assignments=[f"destination.load={load}", scm, *auth])
    (run,) = find_runs(tmp_path / "runs")
    (found,) = explain.tell_stories(run, project, contactid(11), [])
    (field,) = (one for one in found.fields if one["destination"] == "SalesMemo")
    assert (field["result"], field["result_from"]) == (memo, "mapping")
    if load == "odata":
        own = [one for one in found.findings if one["code"] != "line_break_replaced"]
        shown = replace(found, findings=own)  # The warning is of the plan, which wrote files.
        golden("explain-odata.txt", explain.render_story(shown, run.path) + "\n")
