"""A backfill in parts says what the backfill in one stream says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipeline.backfill.parts.ranks import find_last_row_of_all
from pipeline.backfill.parts.survey import PartSurvey
from pipeline.backfill.planning import make_backfill
from pipeline.engine.here import Here
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from pipeline.run.folder import RunFolder
from tests.scenes.unnumbered import ROWS, take_backfill, write_counters, write_unnumbered

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_unnumbered(tmp_path_factory.mktemp("unnumbered") / "source")


def backfill(project: Path, runs: Path, request: PlanRequest, *sets: str) -> RunFolder:
    found = load_project(project, assignments=sets)
    return make_backfill(found, request, runs, lambda: NOW, report_nothing)


def test_ranks_evidence_and_findings_are_the_same_whatever_the_parts_are(
    project: Path, tmp_path: Path
) -> None:
    streamed = backfill(project, tmp_path / "streamed", PlanRequest())
    plan = pl.read_parquet(streamed.path / "backfill-plan.parquet")
    assert plan["rank"].drop_nulls().sort().to_list() == list(range(plan["rank"].count()))
    assert plan["rank"].count() > 40
    assert plan["rank"].drop_nulls().is_sorted() is False
    assert plan["quotes"].count() > 10
    for rows in (37, ROWS):
        parts = backfill(project, tmp_path / str(rows), PlanRequest(), f"run.part_rows={rows}")
        assert take_backfill(parts) == take_backfill(streamed)


def test_limit_and_only_count_over_all_parts(project: Path, tmp_path: Path) -> None:
    ids = pl.read_parquet(project.parent / "contacts" / "*.parquet")["contactid"]
    only = tmp_path / "only.txt"
    only.write_text("\n".join(one for one in ids[::2] if one != "?"))
    request = PlanRequest(limit=40, only=only)
    taken = [
        take_backfill(backfill(project, tmp_path / name, request, *sets))
        for name, sets in (("a", ["run.part_rows=40", "run.morsel_rows=23"]), ("b", []))
    ]
    assert taken[0] == taken[1]


def test_no_contact_or_every_contact_is_taken_without_a_look_at_a_part(tmp_path: Path) -> None:
    survey = PartSurvey(contacts=5, selected=4, highest=0, wanted="", met="")
    lasts = [
        find_last_row_of_all(Here(), tmp_path / "none", [survey, survey], limit, 10)
        for limit in (0, None, 9)
    ]
    assert lasts == [-1, 10, 10]


def test_of_two_counters_no_part_takes_a_number(tmp_path: Path) -> None:
    project = write_unnumbered(tmp_path / "source")
    write_counters(project.parent, 2)
    (project.parent / "salesorders.csv").unlink()
    taken = [
        take_backfill(backfill(project, tmp_path / name, PlanRequest(), *sets))
        for name, sets in (("a", ["run.part_rows=64"]), ("b", []))
    ]
    assert taken[0] == taken[1]
    assert "counter_repeated" in str(taken[0]["summary"])
