"""A currency that the contact has is never replaced by the default."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.result import Result
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from tests.scenes.small import PERSONS, PROJECT, write_small

UNKNOWN = "00000000-0000-0000-0009-000000000001"


def plan(folder: Path, project: str = PROJECT) -> Result:
    """Plan the small source; all contacts but the last customer have a currency of unknown id."""
    path = write_small(folder, project)
    lines = path.with_name("contacts.csv").read_text(encoding="utf-8").splitlines()
    written = [
        f"{line},{'transactioncurrencyid' if place == 0 else '' if place == 5 else UNKNOWN}"
        for place, line in enumerate(lines)
    ]
    path.with_name("contacts.csv").write_text("\n".join(written) + "\n", encoding="utf-8")
    return plan_contacts(Flags(project=path, runs=folder / "runs"), PlanRequest(), report_nothing)


def test_customers_with_an_unknown_currency_are_rejected_and_only_blank_ones_take_the_default(
    tmp_path: Path,
) -> None:
    made = plan(tmp_path)
    assert made.exit_code == 1
    assert made.summary.reasons["rejected/currency_not_found"] == 4
    assert made.summary.counts["customer"] == 1
    assert made.summary.counts["contact"] == 3, "the task Contacts takes no currency"
    [default] = [one for one in made.summary.counted if one.code == "default_used"]
    assert default.detail == "1", "those that are rejected took nothing"
    found = pl.read_parquet(f"{made.folder}/findings.parquet")
    [message] = found.filter(code="currency_not_found")["message"].unique()
    assert "the source has no table transactioncurrencies" in message
    assert UNKNOWN not in message


@pytest.mark.parametrize("task", ["ContactToCustomer", "Contacts"])
def test_where_the_mapping_takes_no_currency_it_does_not_matter_and_where_it_does_it_matters(
    tmp_path: Path, task: str
) -> None:
    row = {
        "ContactToCustomer": "[tasks.ContactToCustomer.fields.SalesCurrencyCode]\n"
        'source = "address1_country"\nvalue_map = { DE = "EUR" }\n',
        "Contacts": "[tasks.Contacts.fields.Notes]\n"
        'source = "transactioncurrencyid.isocurrencycode"\n',
    }[task]
    reasons = plan(tmp_path, f"{PROJECT}\n{row}").summary.reasons
    expected = {"ContactToCustomer": 0, "Contacts": 4 + PERSONS}[task]
    assert reasons.get("rejected/currency_not_found", 0) == expected


def test_a_code_that_is_not_that_of_the_currency_is_told_and_not_used(tmp_path: Path) -> None:
    path = write_small(tmp_path, PROJECT)
    contacts = path.with_name("contacts.csv")
    header, *lines = contacts.read_text(encoding="utf-8").splitlines()
    codes = ["USD", "eur", "Euro", "", "USD", *["USD"] * PERSONS, "USD", "", ""]
    written = [f"{line},{UNKNOWN},{code}" for line, code in zip(lines, codes, strict=True)]
    header += ",transactioncurrencyid,transactioncurrencyid.isocurrencycode"
    contacts.write_text("\n".join([header, *written, ""]), encoding="utf-8")
    table = f"transactioncurrencyid,isocurrencycode\n{UNKNOWN},EUR\n"
    path.with_name("transactioncurrencies.csv").write_text(table, encoding="utf-8")
    flags = Flags(project=path, runs=tmp_path / "runs")
    made = plan_contacts(flags, PlanRequest(), report_nothing)
    found = pl.read_parquet(f"{made.folder}/findings.parquet").filter(code="currency_disagrees")
    assert found["task"].unique().to_list() == ["ContactToCustomer"], "Contacts takes no currency"
    assert found["value"].to_list() == ["USD"] * 2
    rows = pl.read_parquet(f"{made.folder}/rows/ContactToCustomer/*.parquet")
    assert rows["SalesCurrencyCode"].unique().to_list() == ["EUR"]
