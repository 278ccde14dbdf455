"""Rows that a sandbox begins with, out of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import SourceError
from pipeline.sandbox.sales.load import load_rows
from pipeline.sandbox.sales.store import SalesStore
from tests.scenes.places import SAMPLES
from tests.scenes.sales_caller import TYPE, Caller

LOOKUP = f"_parentcustomerid_value@{TYPE}.lookuplogicalname"
ACCOUNT, FIRST, SECOND = (f"{digit * 8}-1111-4111-8111-{digit * 12}" for digit in "123")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [
        (
            f"contactid,lastname,creditlimit,donotemail,_parentcustomerid_value,{LOOKUP},extra,"
            "versionnumber,isdelete"
        ),
        f"{{{FIRST.upper()}}},Ærø,-12.5,yes,{ACCOUNT},account,x,70,false",
        f"{FIRST},Old,,,,,,60,",
        f"{SECOND},Gone,,,,,,80,true",
        "no guid,Lost,,,,,,,",
        f"{ACCOUNT},Odd,much,perhaps,nobody,,,,",
    ]
    (tmp_path / "contacts.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    (tmp_path / "accounts.csv").write_text(
        f"accountid,name,statecode\n{ACCOUNT},A,1\n", encoding="utf-8"
    )
    return tmp_path


def test_files_become_rows_as_they_are(folder: Path) -> None:
    with Caller(data=folder) as sales:
        row = sales.get(f"contacts({FIRST})", prefer='odata.include-annotations="*"')
        assert (row["lastname"], row["creditlimit"], row["donotemail"], row["versionnumber"]) == (
            "Ærø",
            -12.5,
            True,
            70,
        )
        assert row[LOOKUP] == "account"
        assert (row["msdynce_contactnumber"], row["msdynce_iscompanyanaccount"]) == (None, None)
        assert row["_ownerid_value"] == sales.get("WhoAmI")["UserId"]
        account = sales.get(f"accounts({ACCOUNT})?$select=statecode,statuscode")
        assert (account["statecode"], account["statuscode"]) == (1, 2)


def test_of_several_rows_with_one_id_the_last_version_counts_and_deleted_ones_are_gone(
    folder: Path,
) -> None:
    with Caller(data=folder) as sales:
        assert sales.ask("GET", "contacts/$count").text == "2"
        assert sales.ask("GET", f"contacts({SECOND})").status_code == 404
        page = sales.get("contacts?$select=lastname&$deltatoken=75!01%2F02%2F2026%2008:00:00")
        assert page["value"][-1] == {
            "@odata.context": "https://sales.test/api/data/v9.2/$metadata#contacts/$deletedEntity",
            "id": SECOND,
            "reason": "deleted",
        }


def test_what_no_database_holds_is_left_out_and_counted(folder: Path) -> None:
    with Caller(data=folder) as sales:
        loaded = sales.loaded["contact"]
        assert (loaded.rows, loaded.rows_left_out, loaded.values_left_out) == (2, 1, 3)
        row = sales.get(f"contacts({ACCOUNT})")
        assert (row["creditlimit"], row["donotemail"], row["_parentcustomerid_value"]) == (
            None,
            None,
            None,
        )


def test_versions_go_on_behind_those_of_the_files(folder: Path) -> None:
    with Caller(data=folder) as sales:
        row_id = sales.create("contacts", lastname="New")
        assert sales.contact(row_id, "versionnumber")["versionnumber"] > 80


def test_folders_and_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    store = SalesStore(tmp_path / "sales.db")
    with pytest.raises(SourceError, match="there is no such folder"):
        load_rows(store, tmp_path / "nowhere")
    (tmp_path / "contacts.csv").write_text("lastname\nA\n", encoding="utf-8")
    with pytest.raises(SourceError, match="the column contactid is missing"):
        load_rows(store, tmp_path)
    store.close()


def test_the_samples_are_all_there() -> None:
    with Caller(data=SAMPLES) as sales:
        assert sales.loaded["contact"].rows > 950
        counters = sales.get(
            "msdynce_p2cautonumbers?$select=msdynce_numbersequence&$orderby=msdynce_entityname"
        )["value"]
        assert [row["msdynce_numbersequence"] for row in counters] == [1150, 2000]
        assert (
            sales.get("businessunits?$select=name&$filter=_parentbusinessunitid_value eq null")[
                "value"
            ][0]["name"]
            == "Contoso"
        )
