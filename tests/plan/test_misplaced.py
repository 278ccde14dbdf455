"""Rows whose cells stand in wrong columns are not planned, though they have as many as the header.

A comma in the last name moved what stands behind it to the right, and the last cell was cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from tests.scenes.small import ACCOUNT, PROJECT, contactid, number, write_small

USUAL = {
    "createdon": "2024-01-02T08:00:00Z",
    "modifiedon": "2024-03-02T08:00:00Z",
    "versionnumber": "1001",
    "ownerid": "00000000-0000-0000-0005-000000000001",
    "statuscode": "1",
    "donotfax": "false",
    "jobtitle": "Buyer",
    "emailaddress1": "one@example.com",
    "telephone1": "+49 30 1",
}
"""Column → what it holds in all rows but one."""
FIRST = ("contactid", "msdynce_contactnumber", "msdynce_isactivecustomer", "parentcustomerid")


def write(folder: Path, columns: Sequence[str], moved: str, *, others: str = "") -> Path:
    path = write_small(folder, PROJECT)
    lines = [",".join([*FIRST, "parentcustomeridtype", "lastname", *columns])]
    for place in range(1, 5):
        cells = [others if others and one == "createdon" else USUAL[one] for one in columns]
        name = "Kiel" if place < 4 else f"Kiel,{moved}"
        kept = cells if place < 4 else cells[:-1]
        start = [contactid(place), number(place), str(place % 2), ACCOUNT, "account"]
        lines.append(",".join([*start, name, *kept]))
    path.with_name("contacts.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def list_findings(path: Path) -> pl.DataFrame:
    flags = Flags(project=path, runs=path.parent / "runs")
    made = plan_contacts(flags, PlanRequest(), report_nothing)
    return pl.read_parquet(f"{made.folder}/findings.parquet", glob=False)


def plan(path: Path) -> pl.DataFrame:
    return list_findings(path).filter(pl.col("message").str.contains("wrong columns"))


@pytest.mark.parametrize(
    ("columns", "at"),
    [
        (("createdon", "jobtitle"), "createdon"),
        (("jobtitle", "modifiedon"), "modifiedon"),
        (("versionnumber", "jobtitle"), "versionnumber"),
        (("ownerid", "jobtitle"), "ownerid"),
        (("statuscode", "jobtitle"), "statuscode"),
        (("donotfax", "jobtitle"), "donotfax"),
        (("emailaddress1", "telephone1"), "telephone1"),
    ],
)
def test_a_row_whose_cells_were_moved_is_rejected(
    tmp_path: Path, columns: tuple[str, ...], at: str
) -> None:
    found = plan(write(tmp_path, columns, " right"))
    assert found.rows(named=True)[0]["contactid"] == contactid(4)
    assert found["code"].to_list() == ["value_unreadable"]
    assert found["column"].to_list() == [at]
    assert found["source_line"].to_list() == [5]


@pytest.mark.parametrize(
    ("columns", "moved", "others"),
    [
        (("createdon", "jobtitle"), "2 mars 2024", ""),
        (("createdon", "jobtitle"), "10000-01-01T00:00:00Z", ""),
        (("createdon", "jobtitle"), " right", "on Monday"),
        (("statuscode", "jobtitle"), "Aktiv", ""),
        (("ownerid", "jobtitle"), "Anna Berg", ""),
        (("createdon", "jobtitle"), "-", ""),
        (("createdon", "jobtitle"), "n/a", ""),
        (("createdon", "jobtitle"), "", ""),
    ],
    ids=[
        "a date",
        "a year too far",
        "no time anywhere",
        "a label",
        "a name",
        "a sign",
        "a word",
        "blank",
    ],
)
def test_what_may_be_a_value_of_the_column_is_no_proof(
    tmp_path: Path, columns: tuple[str, ...], moved: str, others: str
) -> None:
    assert plan(write(tmp_path, columns, moved, others=others)).is_empty()


def test_an_account_whose_cells_were_moved_is_no_account(tmp_path: Path) -> None:
    path = write(tmp_path, ("createdon", "jobtitle"), "")
    rows = ["accountid,name,accountnumber,telephone1,modifiedon"]
    rows += [f"{ACCOUNT},Kiel, left,ACC-1,+49 30", f"{ACCOUNT[:-1]}2,Lund,ACC-2,+49 40,2024-03-02"]
    path.with_name("accounts.csv").write_text("\n".join([*rows, ""]), encoding="utf-8")
    found = list_findings(path)
    [row] = found.filter(code="row_unreadable").rows(named=True)
    assert (row["source_file"], row["source_line"]) == ("accounts.csv", 2)
    assert "modifiedon holds something else" in row["message"]
    assert set(found.filter(severity="hold")["code"]) == {"account_not_found"}
