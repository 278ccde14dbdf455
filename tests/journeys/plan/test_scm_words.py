"""A plan and its load with an SCM that has another language, or other spellings, than ours."""

from __future__ import annotations

import json

import polars as pl

from pipeline.sandbox.scm.switches import Switches
from tests.journeys.plan.conftest import Sandbox
from tests.journeys.plan.test_live_plan import CUSTOMER, decisions, latest, planned, with_account
from tests.scenes.command_line import P2c
from tests.scenes.small import contactid, number


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


def test_numbers_of_organizations_and_prospects_are_held_before_scm_refuses_them(
    p2c: P2c, sandbox: Sandbox
) -> None:
    world = with_account(sandbox())
    rival = CUSTOMER | {"PartyType": "Organization", "OrganizationName": "Litware"}
    rival.pop("PersonFirstName")
    world.add("CustomersV2", CustomerAccount="RIVAL", PartyNumber=number(1), **rival)
    world.add("CustomersV2", CustomerAccount="OTHER", PartyNumber=number(6), **rival)
    world.add("Prospects", dataAreaId="usmf", ProspectId="P-7", PartyNumber=number(2))
    world.add("Prospects", dataAreaId="usmf", ProspectId=number(3), PartyNumber=number(3))
    world.add("Prospects", dataAreaId="demf", ProspectId="P-8", PartyNumber=number(4))
    planned(p2c, world)
    found = decisions()
    assert [found[contactid(place)] for place in (1, 2, 3, 4, 6)] == [
        "held/number_of_organization",
        "held/number_of_prospect",
        "customer/active_customer",
        "customer/active_customer",
        "held/number_of_organization",
    ]
    assert p2c("verify", "latest", "--project", world.project).code == 0


def test_a_plan_says_that_a_number_sequence_will_refuse_numbers(p2c: P2c, sandbox: Sandbox) -> None:
    world = sandbox(switches=Switches(manual_numbers=False))
    planned(p2c, world)
    findings = pl.read_parquet(latest() / "findings.parquet")
    said = findings.filter(code="number_sequence_differs")["message"].to_list()
    assert any("'Cust_usmf'" in text and "does not allow manual numbers" in text for text in said)
    answer = p2c("check", "--project", world.project)
    assert "does not allow manual numbers" in answer.out + answer.err
