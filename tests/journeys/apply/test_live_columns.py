"""Columns that only SCM knows: mapped, checked by its metadata, loaded and compared again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.project.resolve import load_project
from pipeline.project.systems import connect_scm
from tests.journeys.apply.conftest import Begin, newest
from tests.scenes.command_line import P2c
from tests.scenes.small import CUSTOMERS, PERSONS, number

FILES = 'kind = "files"\npath = "."'
COLUMNS = """
[CustomersV2]
NordwindTier = "string 10"
NordwindPartner = "NoYes"
NordwindSince = "datetime"
NordwindPoints = "int"
NordwindSerial = "int64"
NordwindShare = "decimal"
NordwindStatement = "CustAccountStatement"
NordwindMemo = "string"

[CDSContactPersons]
NordwindNote = "string 12"
"""
ROWS = """
[tasks.ContactToCustomer.fields]
TaxExemptNumber = { default = "DE123456789" }
DefaultDimensionDisplayValue = { default = "-001-Sales--" }
NordwindTier = { source = "firstname", value_map = { Ada = "Gold" } }
NordwindPartner = { source = "msdynce_isactivecustomer" }
NordwindSince = { default = "2024-05-06" }
NordwindPoints = { default = "17" }
NordwindSerial = { default = "5637144576" }
NordwindShare = { default = "0.125" }
NordwindStatement = { default = "Yearly" }
NordwindMemo = { default = "of any length" }

[tasks.Contacts.fields]
NordwindNote = { source = "lastname" }
"""
SENT = {
    "TaxExemptNumber": "DE123456789",
    "DefaultDimensionDisplayValue": "-001-Sales--",
    "NordwindTier": "Gold",
    "NordwindPartner": "Yes",
    "NordwindSince": "2024-05-06T00:00:00Z",
    "NordwindPoints": 17,
    "NordwindSerial": 5637144576,
    "NordwindShare": 0.125,
    "NordwindStatement": "Yearly",
}


def extend(path: Path, rows: str) -> Path:
    """Add rows to a project."""
    text = path.read_text()
    path.write_text(
        text.replace(
            "[tasks.ContactToCustomer.fields.AddressState]",
            f"{rows}\n[tasks.ContactToCustomer.fields.AddressState]",
        )
    )
    return path


def read_customer(project: Path, account: str) -> dict[str, Any]:
    with connect_scm(load_project(project)) as scm:
        pages = scm.pages("CustomersV2", filter=f"CustomerAccount eq '{account}'", select="")
        return next(dict(row) for page in pages for row in page)


@pytest.mark.parametrize("load", ["packages", "odata"])
def test_columns_of_scm_are_mapped_loaded_and_compared(begin: Begin, p2c: P2c, load: str) -> None:
    project = extend(begin(columns=COLUMNS).project(load, source=FILES), ROWS)
    answer = p2c("run", "--project", project, "--json")
    assert answer.object.get("outcomes", {}).get("created") == CUSTOMERS + PERSONS, answer
    stored = read_customer(project, number(1))
    assert {name: stored[name] for name in SENT} == SENT
    assert p2c("reconcile", "latest").code == 0
    told = p2c("explain", number(1), "--run", "latest").out
    assert "NordwindTier" in told
    assert p2c("verify", "latest", "--project", project).code == 0
    again = p2c("run", "--project", project, "--json")
    assert again.object["outcomes"]["unchanged"] == CUSTOMERS + PERSONS


def test_a_plan_keeps_the_columns_that_scm_had_and_is_applied_later(begin: Begin, p2c: P2c) -> None:
    project = extend(begin(columns=COLUMNS).project(source=FILES), ROWS)
    assert p2c("plan", "--project", project).code == 1
    settings = json.loads((newest(Path("runs")).path / "run.json").read_text())["settings"]
    assert settings["columns.ContactToCustomer.TaxExemptNumber"] == {
        "value": {"type": "string", "length": 20},
        "origin": "SCM",
    }
    assert settings["columns.ContactToCustomer.NordwindPartner"]["value"] == {
        "type": "enum",
        "members": ["No", "Yes"],
    }
    assert "columns.ContactToCustomer.CreditLimit" not in settings
    answer = p2c("apply", "latest", "--project", project, "--json")
    assert answer.object.get("outcomes", {}).get("created") == CUSTOMERS + PERSONS, answer


def test_a_column_that_scm_lacks_is_refused_before_anything_is_sent(begin: Begin, p2c: P2c) -> None:
    rows = ROWS + 'Loyalty = { default = "x" }\nNordwindNotes = { default = "x" }\n'
    project = extend(begin(columns=COLUMNS).project(source=FILES), rows)
    for command in ("check", "plan", "run"):
        answer = p2c(command, "--project", project, "--set", "destination.legal_entity=usmx")
        assert answer.code == 2
        said = "CDSContactPersons in this SCM has no such column. Did you mean 'NordwindNote'?"
        assert f"tasks.Contacts.fields.NordwindNotes: {said}" in answer.err
        assert "tasks.Contacts.fields.Loyalty: CDSContactPersons in this SCM" in answer.err
        assert "there is no legal entity 'usmx'" in answer.err
    assert not [path for path in Path("runs").glob("*") if path.name[:1].isdigit()]


def test_a_shorter_column_in_scm_rejects_what_only_the_catalogue_would_take(
    begin: Begin, p2c: P2c
) -> None:
    columns = (
        '[CustomersV2]\nPersonFirstName = "string 2"\n[CDSContactPersons]\nLastName = "string 60"'
    )
    project = begin(columns=columns).project(source=FILES)
    answer = p2c("plan", "--project", project, "--json")
    assert answer.object["counts"]["rejected"] == CUSTOMERS + 1, "eleven was too long before"
    findings = pl.read_parquet(newest(Path("runs")).findings).filter(pl.col("code") == "too_long")
    told = set(findings.filter(pl.col("column") == "firstname")["message"])
    assert told == {"PersonFirstName would be longer than 2 characters (UTF-16 code units)."}


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            'NordwindPoints = { default = "many" }',
            "NordwindPoints: 'many' is not of the type integer.",
        ),
        ('NordwindPoints = { default = "5637144576" }', "is not of the type integer."),
        (
            'NordwindSince = { default = "6 May" }',
            "NordwindSince: '6 May' is not of the type timestamp.",
        ),
        (
            'NordwindPartner = { default = "Maybe" }',
            "NordwindPartner: 'Maybe' is not one of No, Yes.",
        ),
        ('NordwindTier = { default = "Platinum Plus" }', "is longer than 10 characters."),
        (
            'NordwindTier = { source = "lastname", max_length = 50 }',
            "NordwindTier: max_length is 50, but this SCM takes 10 characters at the most.",
        ),
        ('dataAreaId = { default = "demf" }', "p2c fills this column itself"),
        ('DeliveryAddressLocationRoles = { default = "Home" }', "has no such column."),
    ],
)
def test_rows_that_the_columns_of_scm_do_not_take_are_sentences(
    begin: Begin, p2c: P2c, row: str, sentence: str
) -> None:
    project = extend(
        begin(columns=COLUMNS).project(source=FILES), f"[tasks.ContactToCustomer.fields]\n{row}\n"
    )
    answer = p2c("check", "--project", project)
    assert answer.code == 2
    assert sentence in answer.err


def test_a_check_shows_the_columns_that_scm_describes(begin: Begin, p2c: P2c) -> None:
    project = extend(begin(columns=COLUMNS).project(source=FILES), ROWS)
    told = p2c("check", "--project", project).out
    assert "ok       column NordwindPartner of Customers V2: is there: enum" in told
    assert "ok       column NordwindTier of Customers V2: is there: string, at most 10" in told
    assert "note     column NordwindMemo of Customers V2: is there: string; SCM does not" in told
    declared = "columns.ContactToCustomer.NordwindMemo={ length = 5 }"
    answer = p2c("check", "--project", project, "--set", declared)
    assert answer.code == 2
    assert "NordwindMemo: 'of any length' is longer than 5 characters." in answer.err
