"""``p2c reconcile`` asks SCM itself.

Equal after a load, and what others did to our rows is named, no more and no less.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.options import Flags
from pipeline.commands.reconcile import reconcile_run
from pipeline.events import report_nothing
from pipeline.project.resolve import load_project
from pipeline.project.systems import connect_scm
from tests.journeys.apply.conftest import Begin, facts, newest
from tests.scenes.command_line import P2c
from tests.scenes.small import CUSTOMERS, PERSONS, number

FILES = 'kind = "files"\npath = "."'


def spoil(project: Path) -> None:
    """Somebody corrects one customer in SCM and deletes a contact person there."""
    with connect_scm(load_project(project)) as scm:
        key = f"dataAreaId='usmf',CustomerAccount='{number(2)}'"
        assert scm.system.client.patch(
            f"data/CustomersV2({key})?cross-company=true", json={"PersonLastName": "Else"}
        ).is_success
        [row] = [
            one
            for page in scm.pages("CDSContactPersons")
            for one in page
            if one["ContactPersonPartyNumber"] == number(7)
        ]
        key = ",".join(
            f"{name}='{row[name]}'"
            for name in ("dataAreaId", "ContactPersonPartyNumber", "AssociatedPartyNumber")
        )
        assert scm.system.client.delete(
            f"data/CDSContactPersons({key})?cross-company=true"
        ).is_success


@pytest.mark.parametrize(
    ("few", "at_once"), [(400, 250_000), (1, 2)], ids=["by keys", "whole, in parts"]
)
def test_what_others_did_to_our_rows_is_named(
    begin: Begin, p2c: P2c, few: int, at_once: int
) -> None:
    project = begin().project("packages", source=FILES)
    p2c("run", "--project", project)
    reconcile = partial(
        reconcile_run,
        Flags(),
        "latest",
        scm=(),
        listener=report_nothing,
        few=few,
        rows_at_once=at_once,
    )
    left = newest(Path("runs")).path.with_name(f".reconciling-{newest(Path('runs')).run}")
    left.mkdir()
    (left / "Contacts.parquet").write_bytes(b"of a process that was killed")
    equal = reconcile()
    assert equal.exit_code == 0
    assert (
        f"All {CUSTOMERS + PERSONS} rows that were compared are in SCM as they were planned."
        in equal.lines(100)
    )
    spoil(project)
    assert p2c("reconcile", "latest").code == 1
    differs = reconcile()
    assert differs.exit_code == 1
    found = {(one["task"], one["difference"], one["column"]): one["rows"] for one in differs.items}
    assert found == {
        ("ContactToCustomer", "differs", "PersonLastName"): 1,
        ("Contacts", "missing", None): 1,
    }
    run = newest(Path("runs"))
    rows = pl.read_parquet(run.path / "reconciliation.parquet")
    assert set(rows["destination_key"].str.split("/").list.get(1)) == {number(2), number(7)}
    assert facts(run)["applied"]
    assert p2c("verify", "latest").code == 0
    assert [
        path.name for path in Path("runs").iterdir() if path.name.startswith(".reconciling")
    ] == []


def test_an_scm_that_cannot_be_reached_leaves_no_result(
    begin: Begin, p2c: P2c, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = begin()
    p2c("run", "--project", world.project("packages", source=FILES))
    monkeypatch.delenv(world.ready.secret_env)
    answer = p2c("reconcile", "latest")
    assert answer.code == 2
    assert world.ready.secret_env in answer.err
    assert not (newest(Path("runs")).path / "reconciliation.json").exists()
