"""A project's own form of contact numbers does not send what SCM refuses."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from tests.scenes.small import PROJECT, contactid, rows, write_small

NUMBERS = (
    "CON/7",
    "CON-12345678-ABCDEFGH",
    " 4711\u00a0",
    "CON-77777-ABCDEF",
    "\tCON-77778-ABCDEF ",
)
INVALID = ("rejected", "contact_number_invalid")
SOUND = ("customer", "active_customer")


@pytest.mark.parametrize(
    ("pattern", "malformed"),
    [("CON-[0-9]{5,9}-[A-Z0-9]{4,6}", [3]), ("(?s).*", []), ("(?:[A-Z].*)", [3])],
)
def test_numbers_are_trimmed_judged_and_distinguished_whatever_their_pattern(
    tmp_path: Path, pattern: str, malformed: list[int]
) -> None:
    contacts = [
        {**row, "msdynce_contactnumber": number}
        for row, number in zip(rows(), NUMBERS, strict=False)
    ]
    project = write_small(tmp_path, PROJECT, contacts)
    common = Flags(
        project=project,
        runs=tmp_path / "runs",
        assignments=(f"source.contact_number_pattern={pattern}",),
    )
    folder = Path(str(plan_and_apply(common, PlanRequest(command="run"), report_nothing).folder))
    decisions = pl.read_parquet(folder / "decisions.parquet")
    assert decisions.select("decision", "reason").rows() == [INVALID, INVALID, SOUND, SOUND, SOUND]
    assert decisions["contact_number"].to_list() == [number.strip() for number in NUMBERS]
    findings = pl.read_parquet(folder / "findings.parquet").filter(
        pl.col("code") == "contact_number_malformed"
    )
    passed = [contactid(place) for place in (3, 4, 5)]
    assert [one for one in findings["contactid"] if one in passed] == [
        contactid(place) for place in malformed
    ]
