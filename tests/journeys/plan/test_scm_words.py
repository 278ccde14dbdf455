"""A plan and its load with an SCM that has another language, or other spellings, than ours."""

from __future__ import annotations

import json

import polars as pl

from pipeline.sandbox.scm.switches import Switches
from tests.journeys.plan.conftest import Sandbox
from tests.journeys.plan.test_live_plan import latest, planned, with_account
from tests.scenes.command_line import P2c


def test_packages_go_into_a_german_scm_under_its_own_names(p2c: P2c, sandbox: Sandbox) -> None:
    world = with_account(sandbox(switches=Switches(language="de")))
    planned(p2c, world)
    facts = json.loads((latest() / "run.json").read_text())
    assert facts["scm"]["labels"] == {
        "CDS Contacts": "CDS-Kontakte",
        "Customers V2": "Debitoren V2",
    }
    assert p2c("apply", "latest", "--project", world.project, "--yes").code == 1
    outcomes = pl.read_parquet(latest() / "outcomes.parquet")["outcome"].unique().to_list()
    assert outcomes == ["created"]


def test_the_next_plan_knows_its_rows_whatever_the_case_of_the_legal_entity(
    p2c: P2c, sandbox: Sandbox
) -> None:
    world = with_account(sandbox())
    planned(p2c, world)
    assert p2c("apply", "latest", "--project", world.project, "--yes").code == 1
    planned(p2c, world, "--set", "destination.legal_entity=USMF")
    rows = pl.concat(
        [
            pl.read_parquet(path).select("action", "legal_entity")
            for path in (latest() / "rows").rglob("*.parquet")
        ]
    )
    assert rows["action"].unique().to_list() == ["unchanged"]
    assert rows["legal_entity"].unique().to_list() == ["USMF"]
    codes = set(pl.read_parquet(latest() / "findings.parquet")["code"])
    assert codes.isdisjoint({"takeover", "legal_entity_changed"})
