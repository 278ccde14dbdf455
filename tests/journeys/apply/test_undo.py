"""``p2c undo`` of a load by OData, and ``p2c apply`` of it.

SCM is as it was, and what others did to our rows stays.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.errors import SystemStopped
from pipeline.project.resolve import load_project
from pipeline.project.systems import connect_scm
from pipeline.run.folder import RunFolder
from pipeline.wire.scm import Scm
from tests.journeys.apply.conftest import Begin, facts, newest, outcomes
from tests.scenes.command_line import P2c
from tests.scenes.small import CONTACTS, CUSTOMERS, PERSONS, number

FILES = 'kind = "files"\npath = "."'
SETS = {
    "CustomersV2": ("CustomerAccount",),
    "CDSContactPersons": ("ContactPersonPartyNumber", "AssociatedPartyNumber"),
}
Rows = dict[str, dict[str, Any]]


def rows_of(project: Path) -> Rows:
    """All rows of both entities, by set and key, without what the system itself counts up."""
    with connect_scm(load_project(project)) as scm:
        return {
            f"{name}/{'/'.join(str(row[key]) for key in keys)}": {
                column: value
                for column, value in row.items()
                if not column.startswith("@") and "DateTime" not in column
            }
            for name, keys in SETS.items()
            for page in scm.pages(name)
            for row in page
        }


def loaded_twice(begin: Begin, p2c: P2c, faults: str = "") -> tuple[Path, Rows]:
    """Three customers loaded, then everything, with other mails.

    Five rows are created, two updated. What SCM had between.
    """
    world = begin(faults)
    project = world.project("odata", source=FILES)
    assert p2c("run", "--project", project, "--limit", "3").code == 0
    before = rows_of(project)
    path = world.folder / CONTACTS
    text = path.read_text(encoding="utf-8")
    for place in (1, 2):
        text = text.replace(f"contact{place}@", f"other{place}@")
    path.write_text(text, encoding="utf-8")
    assert p2c("run", "--project", project).code == 1
    counts = facts(newest(Path("runs")))["outcomes"]
    assert (counts["created"], counts["updated"], counts["unchanged"]) == (
        CUSTOMERS + PERSONS - 3,
        2,
        1,
    )
    return project, before


def undo(p2c: P2c) -> RunFolder:
    """The plan that undoes the newest run."""
    planned = p2c("undo", newest(Path("runs")).run, "--json")
    assert planned.code == 0, planned.err
    assert {one["action"]: one["rows"] for one in planned.object["items"] if one["rows"]} == {
        "delete": CUSTOMERS + PERSONS - 3, "restore": 2, "none": 1,
    }  # fmt: skip
    return RunFolder(Path("runs") / planned.object["run"])


def outcomes_by_key(run: RunFolder) -> dict[str, str | None]:
    """Key → outcome, or the code of a failure."""
    return dict(outcomes(run).select("destination_key", pl.coalesce("code", "outcome")).iter_rows())


def customer_at(place: int) -> str:
    """The path of a customer below ``data/``."""
    key = f"dataAreaId='usmf',CustomerAccount='{number(place)}'"
    return f"CustomersV2({key})?cross-company=true"


@pytest.mark.parametrize(
    "faults", ["", "scm.throttle=0.2:0.02,scm.error=0.1:503,scm.lost=0.3,scm.reset=0.1,seed=5"]
)
def test_scm_is_as_it_was_and_the_rows_count_as_never_loaded(
    begin: Begin, p2c: P2c, faults: str
) -> None:
    project, before = loaded_twice(begin, p2c, faults)
    pack = undo(p2c)
    assert p2c("verify", pack.run).code == 0
    answer = p2c("apply", pack.run)
    assert answer.code == 0, answer.out + answer.err
    assert rows_of(project) == before
    assert Counter(outcomes_by_key(pack).values()) == {"updated": 7}
    assert facts(pack)["verdict"] == "clean"
    assert p2c("verify", pack.run).code == 0
    assert p2c("report", pack.run).code == 0
    assert p2c("apply", pack.run).code == 0, "once more it only looks"
    again = p2c("run", "--project", project, "--json").object
    assert {one: again["outcomes"][one] for one in ("created", "updated", "unchanged")} == {
        "created": CUSTOMERS + PERSONS - 3, "updated": 2, "unchanged": 1,
    }  # fmt: skip


def test_an_undo_is_not_reconciled(begin: Begin, p2c: P2c) -> None:
    """All that it deleted would count as missing, and what it left as it should be."""
    loaded_twice(begin, p2c)
    load = newest(Path("runs")).run
    pack = undo(p2c)
    assert p2c("apply", pack.run).code == 0
    answer = p2c("reconcile", pack.run)
    assert answer.code == 2
    assert f"is an undo, and reconcile compares loads. Reconcile {load}: what" in answer.err
    answer = p2c("reconcile", load)
    assert (answer.code, "missing" in answer.out) == (1, True)


def test_what_others_did_since_stays(begin: Begin, p2c: P2c) -> None:
    project, before = loaded_twice(begin, p2c)
    pack = undo(p2c)
    with connect_scm(load_project(project)) as scm:
        for place in (2, 4):
            key = customer_at(place)
            assert scm.system.client.patch(
                f"data/{key}", json={"PersonLastName": "Else"}
            ).is_success
        for place in (1, 5):
            key = customer_at(place)
            assert scm.system.client.delete(f"data/{key}").is_success
    now = rows_of(project)
    answer = p2c("apply", pack.run)
    assert answer.code == 1, answer.out + answer.err
    keys = {place: f"CustomersV2/{number(place)}" for place in (1, 2, 4, 5)}
    gone = {keys[1]}
    assert rows_of(project) == {key: row for key, row in before.items() if key not in gone} | {
        keys[place]: now[keys[place]] for place in (2, 4)
    }
    found = outcomes_by_key(pack)
    assert [found[f"usmf/{number(place)}"] for place in (1, 2, 4, 5)] == [
        "gone_since_load", "changed_since_load", "changed_since_load", "unchanged",
    ]  # fmt: skip
    assert p2c("verify", pack.run).code == 0
    assert p2c("report", pack.run).code == 0
    page = (pack.path / "report.html").read_text(encoding="utf-8")
    assert "SCM no longer has what the run wrote" in page
    assert "p2c retry" not in page


def test_an_undo_that_was_stopped_continues(
    begin: Begin, p2c: P2c, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, before = loaded_twice(begin, p2c)
    pack = undo(p2c)
    batch, calls = Scm.batch, 0

    def stops(self: Scm, *arguments: Any) -> Any:
        """Every second request has its effect, and then the process is gone."""
        nonlocal calls
        calls += 1
        found = batch(self, *arguments)
        if calls % 2 == 0:
            raise SystemStopped("gone", where="SCM")
        return found

    monkeypatch.setattr(Scm, "batch", stops)
    codes: list[int] = []
    while not codes or codes[-1] == 3:
        codes.append(p2c("apply", pack.run).code)
    assert codes[0] == 3
    assert codes[-1] == 0
    assert rows_of(project) == before
    assert Counter(outcomes_by_key(pack).values()) == {"updated": 7}


def test_a_record_that_changes_under_our_hands_is_left_alone(
    begin: Begin, p2c: P2c, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, before = loaded_twice(begin, p2c)
    pack = undo(p2c)
    batch = Scm.batch

    def late(self: Scm, *arguments: Any) -> Any:
        for place in (1, 4):
            key = customer_at(place)
            self.system.client.patch(f"data/{key}", json={"PersonLastName": "Else"})
        return batch(self, *arguments)

    monkeypatch.setattr(Scm, "batch", late)
    assert p2c("apply", pack.run).code == 1
    found = outcomes_by_key(pack)
    assert [found[f"usmf/{number(place)}"] for place in (1, 4)] == ["changed_since_load"] * 2
    now = rows_of(project)
    assert [now[f"CustomersV2/{number(place)}"]["PersonLastName"] for place in (1, 4)] == [
        "Else"
    ] * 2
    assert now.keys() == before.keys() | {f"CustomersV2/{number(4)}"}


def test_a_run_whose_rows_were_altered_is_not_undone(begin: Begin, p2c: P2c) -> None:
    loaded_twice(begin, p2c)
    run = newest(Path("runs"))
    [rows] = run.rows_files("ContactToCustomer")
    pl.read_parquet(rows).with_columns(PersonLastName=pl.lit("x")).write_parquet(rows)
    answer = p2c("undo", run.run)
    assert answer.code == 4
    assert "the run folder was altered" in answer.err


def test_an_undo_is_explained_by_the_run_that_it_undoes(begin: Begin, p2c: P2c) -> None:
    loaded_twice(begin, p2c)
    run = newest(Path("runs"))
    pack = undo(p2c)
    assert p2c("explain", number(4), "--json").object["run"] == run.run
    answer = p2c("explain", number(4), "--run", pack.run)
    assert answer.code == 2
    assert run.run in answer.err
