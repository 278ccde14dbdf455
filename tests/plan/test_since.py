"""What a run tells of the last run of its project."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.plan.since import compare_needs, find_previous
from pipeline.project.resolve import load_project
from pipeline.run.folder import RunFolder
from tests.scenes.command_line import P2c, p2c
from tests.scenes.small import PROJECT, contactid, number, rows, write_small

__all__ = ["p2c"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small(tmp_path_factory.mktemp("project"))


def repaired() -> list[dict[str, str]]:
    """Contact 10 has a number now, contact 1 has lost its own."""
    changed = {contactid(10): number(10), contactid(1): ""}
    return [
        {
            **row,
            "msdynce_contactnumber": changed.get(row["contactid"], row["msdynce_contactnumber"]),
        }
        for row in rows()
    ]


def test_a_run_says_who_is_newly_held_and_who_no_longer(p2c: P2c, tmp_path: Path) -> None:
    path = write_small(tmp_path / "project")
    first = p2c("run", "--project", path)
    assert "Since the last run" not in first.out
    write_small(path.parent, contacts=repaired())
    second = p2c("run", "--project", path)
    assert "1 newly held/contact_number_missing, for example " + contactid(1) in second.out
    assert "1 no longer held/contact_number_missing, for example " + contactid(10) in second.out
    third = p2c("run", "--project", path, "--json")
    assert third.object["items"] == []
    shown = p2c("report", "latest", "--json")
    page = Path(shown.object["folder"]) / "report.html"
    assert "No contact is newly held or rejected" in page.read_text()


def test_against_none_tells_nothing_and_a_run_tells_all(p2c: P2c, tmp_path: Path) -> None:
    path = write_small(tmp_path / "project")
    assert p2c("run", "--project", path).code == 1
    assert "Since the last run" not in p2c("run", "--project", path, "--against", "none").out
    assert "every contact stands" in p2c("run", "--project", path, "--against", "latest").out
    assert p2c("run", "--project", path, "--against", "x").code == 2


@pytest.fixture(scope="module")
def applied(project: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:

    runs = tmp_path_factory.mktemp("runs")
    made = plan_and_apply(Flags(project=project, runs=runs), PlanRequest(), report_nothing)
    return RunFolder(Path(str(made.folder)))


def test_only_an_applied_run_of_the_same_contacts_is_the_last_one(
    applied: RunFolder, project: Path, tmp_path: Path
) -> None:
    runs = applied.path.parent

    def find(file: Path, limit: int | None = None, only: Path | None = None) -> RunFolder | None:
        return find_previous(runs, load_project(file), limit=limit, only=only)

    assert find(project) == applied
    assert find(project, limit=3) is None
    assert find(project, only=tmp_path / "ids.txt") is None
    assert find(write_small(tmp_path / "other")) is None
    assert find_previous(tmp_path / "no", load_project(project), limit=None, only=None) is None
    text = PROJECT.replace("[destination]", '[destination]\nname = "elsewhere"')
    elsewhere = project.with_name("elsewhere.toml")
    elsewhere.write_text(text)
    assert find(elsewhere) is None


def test_what_has_not_the_form_of_a_key_is_not_repeated(applied: RunFolder, tmp_path: Path) -> None:
    """In the place of a contact number there may be a name."""
    after = RunFolder(Path(shutil.copytree(applied.path, tmp_path / applied.run)))
    reason = pl.when(pl.col("decision") == "customer").then(pl.lit("contact_number_invalid"))
    pl.read_parquet(applied.decisions).with_columns(
        reason=reason.otherwise("reason"),
        decision=pl.when(pl.col("decision") == "customer")
        .then(pl.lit("rejected"))
        .otherwise("decision"),
        contact_number=pl.lit("Ada Lovelace"),
    ).write_parquet(after.decisions)
    [change] = compare_needs(applied, after).changes
    assert (change.change, change.contacts, change.contact) == ("new", 5, contactid(1))


def test_a_run_that_cannot_be_read_is_said_and_stops_nothing(
    applied: RunFolder, tmp_path: Path
) -> None:
    damaged = RunFolder(Path(shutil.copytree(applied.path, tmp_path / applied.run)))
    damaged.decisions.write_bytes(b"cut")
    found = compare_needs(damaged, applied)
    assert (found.run, found.changes) == ("", ())
    assert "its decisions cannot be read" in found.note
    damaged.decisions.unlink()
    assert "its decisions cannot be read" in compare_needs(damaged, applied).note
    assert compare_needs(None, applied).note == ""
