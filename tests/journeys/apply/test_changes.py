"""What updates change in a live SCM: told before, kept beside, and taken back by an undo."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.project.resolve import load_project
from pipeline.project.systems import connect_scm
from pipeline.run.folder import RunFolder
from tests.journeys.apply.conftest import Begin, World, newest, outcomes
from tests.journeys.apply.test_undo import FILES, Rows, customer_at, rows_of
from tests.scenes.command_line import P2c
from tests.scenes.small import CONTACTS, number

KEEP = "\n".join(
    f'[tasks.ContactToCustomer.fields.{name}]\non_blank = "keep"'
    for name in ("CreditLimit", "PrimaryContactPhone")
)
OURS = {"CreditLimit": 5000, "PrimaryContactPhone": "+49 30 1"}


def load_first(begin: Begin, p2c: P2c, load: str, more: str = "") -> tuple[World, Path]:
    """Everything loaded; then users fill two fields of the first two customers in SCM.

    The mails of the first and the third change in Sales.
    """
    world = begin()
    project = world.project(load, source=FILES)
    project.write_text(project.read_text() + more)
    assert p2c("run", "--project", project).code == 1
    with connect_scm(load_project(project)) as scm:
        for place in (1, 2):
            answer = scm.system.client.patch(f"data/{customer_at(place)}", json=OURS)
            assert answer.is_success
    path = world.folder / CONTACTS
    text = path.read_text(encoding="utf-8")
    for place in (1, 3):
        text = text.replace(f"contact{place}@", f"other{place}@")
    path.write_text(text, encoding="utf-8")
    return world, project


def plan(p2c: P2c, project: Path) -> RunFolder:
    assert p2c("plan", "--project", project).code == 1
    return newest(Path("runs"))


def changed(run: RunFolder) -> set[tuple[str, str, str | None, str | None]]:
    rows = pl.read_parquet(run.changes)
    return set(rows.select("destination_key", "column", "old", "new").iter_rows())


def ours(rows: Rows) -> list[tuple[object, object, object]]:
    """Credit limit, phone and mail of the first and the third customer."""
    found = [rows[f"CustomersV2/{number(place)}"] for place in (1, 3)]
    return [
        (one["CreditLimit"], one["PrimaryContactPhone"], one["PrimaryContactEmail"])
        for one in found
    ]


@pytest.mark.parametrize("load", ["packages", "odata"])
def test_what_users_filled_in_scm_would_be_cleared_and_that_is_told(
    begin: Begin, p2c: P2c, load: str
) -> None:
    _, project = load_first(begin, p2c, load)
    run = plan(p2c, project)
    first, third = (f"usmf/{number(place)}" for place in (1, 3))
    mail = "PrimaryContactEmail"
    assert changed(run) == {
        (first, "CreditLimit", "5000", None),
        (first, "PrimaryContactPhone", "+49 30 1", None),
        (first, mail, "contact1@example.com", "other1@example.com"),
        (third, mail, "contact3@example.com", "other3@example.com"),
    }
    findings = pl.read_parquet(run.findings).filter(pl.col("code") == "would_clear")
    assert findings["column"].to_list() == [
        "ContactToCustomer.CreditLimit",
        "ContactToCustomer.PrimaryContactPhone",
    ]
    (task,) = run.read_summary().changes
    assert (task.against, task.updates, task.compared, task.changed) == ("scm", 2, 2, 2)
    present = pl.read_parquet(run.present("ContactToCustomer"))
    assert present["destination_key"].to_list() == [first, third]
    assert present["CreditLimit"].cast(pl.Float64).to_list() == [5000, 0]
    again = p2c("replay", run.run)
    assert again.code == 0, again.out


@pytest.mark.parametrize("load", ["packages", "odata"])
def test_kept_fields_stay_as_users_filled_them(begin: Begin, p2c: P2c, load: str) -> None:
    _, project = load_first(begin, p2c, load, KEEP)
    run = plan(p2c, project)
    assert "would_clear" not in pl.read_parquet(run.findings)["code"].to_list()
    before = rows_of(project)
    assert p2c("apply", run.run).code == 1
    assert ours(rows_of(project)) == [
        (5000, "+49 30 1", "other1@example.com"),
        (0, "", "other3@example.com"),
    ]
    assert p2c("reconcile", run.run).code == 0
    pack = p2c("undo", run.run, "--json").object
    assert {one["action"]: one["rows"] for one in pack["items"] if one["rows"]} == {
        "restore": 2,
        "none": 6,
    }
    with connect_scm(load_project(project)) as scm:
        later = {"CreditLimit": 7000}
        assert scm.system.client.patch(f"data/{customer_at(1)}", json=later).is_success
    answer = p2c("apply", pack["run"])
    assert answer.code == 0, answer.out + answer.err
    assert ours(rows_of(project)) == [
        (7000, "+49 30 1", "contact1@example.com"),
        *ours(before)[1:],
    ]


def test_an_undo_restores_what_packages_updated(begin: Begin, p2c: P2c) -> None:
    _, project = load_first(begin, p2c, "packages")
    before = rows_of(project)
    run = plan(p2c, project)
    assert p2c("apply", run.run).code == 1
    assert rows_of(project) != before
    updated = outcomes(run).filter(pl.col("outcome") == "updated")
    assert updated.height == 2
    pack = p2c("undo", run.run, "--json").object
    assert {one["action"]: one["rows"] for one in pack["items"] if one["rows"]} == {
        "restore": 2,
        "none": 6,
    }
    answer = p2c("apply", pack["run"])
    assert answer.code == 0, answer.out + answer.err
    assert rows_of(project) == before
    assert p2c("verify", run.run).code == 0


def test_a_plan_that_is_not_to_read_values_compares_with_the_last_load(
    begin: Begin, p2c: P2c
) -> None:
    _, project = load_first(begin, p2c, "odata")
    flag = ("--set", "destination.compare_with_scm=false")
    assert p2c("plan", "--project", project, *flag).code == 1
    run = newest(Path("runs"))
    (task,) = run.read_summary().changes
    assert (task.against, task.updates, task.compared, task.changed) == ("last load", 2, 2, 2)
    assert {column for _, column, _, _ in changed(run)} == {"PrimaryContactEmail"}
    assert not run.present("ContactToCustomer").exists()
