"""A run that finds nothing to work on is no success."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.options import Flags
from pipeline.commands.plan import backfill_contacts, plan_contacts
from pipeline.commands.result import Result
from pipeline.events import Listener, report_nothing
from pipeline.plan.request import PlanRequest
from tests.scenes.small import COLUMNS, PROJECT, contactid, write_small
from tests.scenes.workbooks import write_workbook

Plan = Callable[[Flags, PlanRequest, Listener], Result]
PLANS: list[Plan] = [plan_contacts, backfill_contacts]


def text(result: Result) -> str:
    return result.lines(200)


def write_empty(folder: Path, form: str) -> None:
    """Contacts without rows, in one form of export."""
    match form:
        case "csv":
            (folder / "contacts.csv").write_text(f"{','.join(COLUMNS)}\n", encoding="utf-8")
        case "parquet":
            pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String)).write_parquet(
                folder / "contacts.parquet"
            )
        case _:
            write_workbook(folder / "contacts.xlsx", {"Contacts": [list(COLUMNS)]})


@pytest.mark.parametrize("make", PLANS)
@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_an_export_without_contacts_needs_a_person(tmp_path: Path, form: str, make: Plan) -> None:
    project = write_small(tmp_path)
    (tmp_path / "contacts.csv").unlink()
    write_empty(tmp_path, form)
    result = make(Flags(project=project, runs=tmp_path / "runs"), PlanRequest(), report_nothing)
    assert (result.exit_code, result.summary.verdict) == (1, "attention")
    assert text(result).startswith("ATTENTION: the source has no contacts.")
    assert result.summary.findings["no_contacts"] == 1


@pytest.mark.parametrize("make", PLANS)
@pytest.mark.parametrize("way", ["filter", "limit", "only"])
def test_a_selection_that_leaves_nobody_needs_a_person(
    tmp_path: Path, way: str, make: Plan
) -> None:
    filtered = PROJECT.replace('path = "."', 'path = "."\nfilter = "lastname = \'Nobody\'"')
    project = write_small(tmp_path, filtered if way == "filter" else PROJECT)
    only = tmp_path / "only.csv"
    only.write_text(f"contactid\n{contactid(99)}\n", encoding="utf-8")
    request = PlanRequest(limit=0 if way == "limit" else None, only=only if way == "only" else None)
    result = make(Flags(project=project, runs=tmp_path / "runs"), request, report_nothing)
    assert result.exit_code == 1
    assert text(result).startswith("ATTENTION: no contact was selected; all were skipped.")
    assert "has 11 contacts, but none was selected" in text(result)


@pytest.mark.parametrize("make", PLANS)
def test_contacts_that_were_asked_for_and_are_not_there_are_named_with_their_lines(
    tmp_path: Path, make: Plan
) -> None:
    project, only = write_small(tmp_path), tmp_path / "only.csv"
    named = [contactid(1), *(contactid(place) for place in range(90, 97)), contactid(90)]
    only.write_text("\n".join(["contactid", *named]) + "\n", encoding="utf-8")
    flags = Flags(project=project, runs=tmp_path / "runs")
    result = make(flags, PlanRequest(only=only), report_nothing)
    assert result.exit_code == 1
    assert result.summary.findings["only_not_found"] == 7
    assert "7 error    only_not_found" in text(result)
    assert f"{contactid(90)} (line 3), {contactid(91)} (line 4)" in text(result)
    assert "and 2 more." in text(result)
    assert "7 asked for and not in the source" in text(result) or make is backfill_contacts


def test_contacts_that_were_asked_for_and_are_there_are_a_success(tmp_path: Path) -> None:
    project, only = write_small(tmp_path), tmp_path / "only.csv"
    only.write_text(f"{contactid(1).upper()}\n{contactid(2)}\n", encoding="utf-8")
    flags = Flags(project=project, runs=tmp_path / "runs")
    result = plan_contacts(flags, PlanRequest(only=only), report_nothing)
    assert (result.exit_code, result.summary.counts["customer"]) == (0, 2)
