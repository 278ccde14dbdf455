"""Side tables that are too large to be joined whole: a plan of theirs is the plan of small ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pipeline.plan.large import LargeSides
from pipeline.plan.request import PlanRequest
from sql.session import Session, session
from tests.scenes.doubled import write_doubled
from tests.scenes.planned import plan_again

SIDES = {
    "accounts": "SELECT i AS accountid, 'ACC-' || i AS number FROM range(60) AS t(i)",
    "companies": "SELECT i AS contactid, 'CON-' || i AS number FROM range(20) AS t(i)",
    "only_ids": "SELECT i AS contactid FROM range(10) AS t(i)",
    "known_keys": "SELECT 'CON-' || i AS number_key FROM range(60) AS t(i)",
    "organization_numbers": "SELECT 'CON-1' AS number_key",
    "prospect_numbers": "SELECT 'CON-1' AS number_key",
    "loaded": "SELECT 'usmf/CON-' || i AS destination_key, 'CON-' || i AS number_key "
    "FROM range(60) AS t(i)",
    "loaded_numbers": "SELECT 'CON-' || i AS number_key FROM range(60) AS t(i)",
}


@pytest.fixture
def main(tmp_path: Path) -> Iterator[Session]:
    with session(scratch=tmp_path / "scratch") as here:
        for name, text in SIDES.items():
            here.store(name, text)
        here.view(
            "contacts_filtered",
            "SELECT 1 AS source_row, 1 AS contactid, 4 AS parentcustomerid, "
            "' con-3 ' AS msdynce_contactnumber UNION ALL SELECT 2, 2, NULL, 'CON-5/x'",
        )
        yield here


def read(main: Session, name: str) -> list[object]:
    return sorted(main.frame(f"FROM {name}").to_series().to_list())


def test_large_ones_have_what_the_contacts_of_a_stretch_name_and_then_all_again(
    main: Session,
) -> None:
    sides = LargeSides(main, rows=1)
    sides.choose()
    assert read(main, "accounts") == [4]
    assert read(main, "known_keys") == ["CON-3"]
    assert read(main, "loaded") == ["usmf/CON-3", "usmf/CON-5"]
    assert read(main, "companies") == list(range(20))
    main.view(
        "contacts_filtered",
        "SELECT 3 AS source_row, 3 AS contactid, 5 AS parentcustomerid, NULL AS "
        "msdynce_contactnumber",
    )
    sides.choose()
    assert (read(main, "accounts"), read(main, "known_keys")) == ([5], [])
    sides.restore()
    assert len(read(main, "accounts")) == len(read(main, "loaded")) == 60


def test_small_ones_stay_as_they_are(main: Session, tmp_path: Path) -> None:
    sides = LargeSides(main, rows=2)
    sides.choose()
    assert pl.Series(read(main, "accounts")).to_list() == list(range(60))
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == ["accounts.parquet"]


def test_a_plan_that_joins_large_ones_stretch_by_stretch_says_the_same(tmp_path: Path) -> None:
    doubled = write_doubled(tmp_path / "source")
    only = tmp_path / "only.txt"
    only.write_text("\n".join(one for one in doubled.ids[:110] if one != "?"))
    made = []
    for rows in (2, 160):
        runs = tmp_path / f"runs-{rows}"
        doubled.remember(runs)
        request = PlanRequest(only=only)
        made.append(plan_again(doubled.project, runs, request, f"run.morsel_rows={rows}"))
    assert made[0] == made[1]
