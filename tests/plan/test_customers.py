"""Customers of documents that cannot be read, wherever the rows of a table all count or not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.events import report_nothing
from pipeline.plan import states
from pipeline.plan.request import PlanRequest
from sql.session import Session, session

PERSON = "c0000000-0000-0000-0000-000000000001"
FILES = {
    "contacts": "contactid,lastname,msdynce_contactnumber,msdynce_isactivecustomer,parentcustomerid"
    f"\n{PERSON},Brown,CON-01000-BVRCPS,no,\n",
    "quotes": f"quoteid,customerid,customeridtype\n1,{PERSON},contact\n2,lost,contact\n"
    "3,gone,account\n4,,contact\n",
    "salesorders": f"salesorderid,customerid,customeridtype,isdelete\n1,{PERSON},contact,0\n"
    "2,lost,contact,1\n3,lost,contact,0\n",
    "invoices": f"invoiceid,customerid,customeridtype\n1,{PERSON},\n",
}


def find_in(folder: Path, files: Mapping[str, str]) -> pl.DataFrame:
    """The findings of a plan of these tables."""
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    common = Flags(
        source=folder,
        runs=folder / "runs",
        assignments=("destination.legal_entity=usmf", "destination.currency=EUR"),
    )
    result = plan_contacts(common, PlanRequest(), report_nothing, None)
    return pl.read_parquet(f"{result.folder}/findings.parquet")


def test_customers_that_cannot_be_read_are_told_once_a_table(tmp_path: Path) -> None:
    findings = find_in(tmp_path, FILES)
    told = findings.filter(code="column_unreadable", column="customerid")
    assert told.select("source_file", "source_line").rows() == [
        ("quotes.csv", 3),
        ("salesorders.csv", 3),
    ]
    assert [text.count("2 values") for text in told["message"]] == [1, 1]
    assert "flag_stale" in findings.filter(contactid=PERSON)["code"].to_list()


def test_ids_and_types_that_cannot_be_read_are_told_once_a_table(tmp_path: Path) -> None:
    files = {
        **FILES,
        "accounts": f"accountid,accountnumber\n{PERSON},A-1\n{PERSON[:-1]},A-2\n,A-3\n",
        "businessunits": "businessunitid,name\nunit,North\nother,South\n",
        "transactioncurrencies": f"transactioncurrencyid,isocurrencycode\n{PERSON},EUR\n",
        "quotes": "quoteid,customerid,customeridtype,customerid_entitytype\n"
        f"1,{PERSON},contact,account\n2,{PERSON},2,contact\n3,{PERSON},Account,\n",
        "invoices": f"invoiceid,customerid,customeridtype,isdelete\n1,{PERSON},Compte,0\n",
    }
    findings = find_in(tmp_path, files)
    told = findings.filter(pl.col("code") == "column_unreadable", pl.col("column") != "customerid")
    assert sorted(told.select("column", "source_file", "source_line").rows()) == [
        ("accountid", "accounts.csv", 3),
        ("businessunitid", "businessunits.csv", 2),
        ("customeridtype", "invoices.csv", 2),
        ("customeridtype", "quotes.csv", 2),
    ]
    assert "2 values" in told.filter(column="businessunitid")["message"].item()


@pytest.mark.parametrize("rows", [1, states.MANY_DOCUMENTS + 1])
def test_activity_is_the_same_in_memory_and_on_the_disk(tmp_path: Path, rows: int) -> None:
    customers = f"(VALUES ('{PERSON}'), ('lost'), (' ')) AS these (id)"

    def fill(here: Session) -> None:
        for table in states.DOCUMENTS:
            count = rows if table.name == "quotes" else 0
            here.view(f"{table.name}_landed", f"FROM range({count})")
            here.view(
                f"{table.name}_counted",
                "SELECT 7 AS source_row, guid_of(id) AS customerid, id AS 'raw:customerid', "
                f"'contact' AS customeridtype, NULL::BOOLEAN AS isdelete FROM {customers}",
            )

    scratch = tmp_path / "scratch"
    with session(scratch=scratch) as here:
        fill(here)
        states.store_customers_of_documents(here, {table.name for table in states.DOCUMENTS})
        assert here.frame("SELECT count(*), count(contactid) FROM activity").row(0) == (9, 3)
        found = sorted(states.list_unread_customers(here))
        assert found == [("invoices", 1, 7), ("quotes", 1, 7), ("salesorders", 1, 7)]
        assert (scratch / "activity.parquet").exists() == (rows > states.MANY_DOCUMENTS)
        here.drop("activity")
