"""Contacts that share a number are named in one another's findings: five of them at the most."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from tests.scenes.small import contactid, rows, write_small

SHARED = 7
"""Contacts of the small source that may have numbers of their own or share one."""


@pytest.mark.parametrize(
    ("sharing", "named", "more"), [(2, 1, ""), (6, 5, ""), (7, 5, " and 1 more")]
)
def test_a_shared_number_names_the_others(
    tmp_path: Path, sharing: int, named: int, more: str
) -> None:
    contacts = rows()[:SHARED]
    for one in contacts[:sharing]:
        one["msdynce_contactnumber"] = "CON-00001-ABCDEF"
    project = write_small(tmp_path / "source", contacts=contacts)
    flags = Flags(project=project, runs=tmp_path / "runs")
    made = plan_contacts(flags, PlanRequest(), report_nothing)
    found = pl.read_parquet(Path(str(made.folder)) / "findings.parquet").filter(
        code="contact_number_repeated", contactid=contactid(1)
    )
    others = ", ".join(contactid(place) for place in range(2, named + 2))
    assert found["message"].to_list() == [
        f"Other contacts have the same Contact Number: {others}{more}."
    ]
