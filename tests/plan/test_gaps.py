"""What an export lacks is said: mapped columns, files, rows behind a limit."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.options import Flags
from pipeline.commands.plan import backfill_contacts, plan_contacts
from pipeline.errors import ConfigurationError
from pipeline.events import report_nothing
from pipeline.extract.records import note_row_count
from pipeline.plan.request import PlanRequest
from tests.scenes.small import write_small

ALL = (
    "contactid,msdynce_contactnumber,msdynce_isactivecustomer,parentcustomerid,firstname,"
    "middlename,lastname,fullname,jobtitle,emailaddress1,telephone1,description,gendercode,"
    "donotemail,creditlimit,address1_line1,address1_city,address1_postalcode,address1_country,"
    "statecode,fax,websiteurl,address1_stateorprovince,department,governmentid,familystatuscode,"
    "transactioncurrencyid"
)
SETTINGS = ("destination.legal_entity=usmf", "destination.currency=EUR")


def line(columns: str, number: int = 1) -> str:
    known = {
        "contactid": f"00000000-0000-0000-0000-{number:012d}",
        "lastname": "Brown",
        "msdynce_contactnumber": f"CON-{number:05d}-ABCDEF",
        "msdynce_isactivecustomer": "1",
    }
    return ",".join(known.get(name, "") for name in columns.split(","))


def told(folder: Path, code: str, *settings: str) -> list[tuple[str, str | None]]:
    """Messages and files of a code's findings, of a plan that is made."""
    flags = Flags(source=folder, runs=folder.parent / "runs", assignments=(*SETTINGS, *settings))
    made = plan_contacts(flags, PlanRequest(), report_nothing)
    found = pl.read_parquet(f"{made.folder}/findings.parquet").filter(pl.col("code") == code)
    return found.select("message", "source_file").rows()


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".csv").write_text(text, encoding="utf-8")
    return folder


def test_nothing_is_said_where_all_mapped_columns_are_there(tmp_path: Path) -> None:
    assert told(write(tmp_path / "a", contacts=f"{ALL}\n{line(ALL)}\n"), "column_missing") == []


@pytest.mark.parametrize(
    ("column", "effect"),
    [
        ("description", "Notes and SalesMemo stay blank"),
        ("creditlimit", "CreditLimit stays blank"),
        ("gendercode", "Gender is Unknown"),
        ("donotemail", "IsReceivingDirectMail is Yes"),
        ("transactioncurrencyid", "SalesCurrencyCode takes its default"),
        ("statecode", "IsInactive stays blank"),
    ],
)
def test_a_mapped_column_that_is_missing_is_said_with_what_becomes_of_it(
    tmp_path: Path, column: str, effect: str
) -> None:
    columns = ",".join(name for name in ALL.split(",") if name != column)
    folder = write(tmp_path / "a", contacts=f"{columns}\n{line(columns)}\n{line(columns, 2)}\n")
    message = f"{column} is not in the table contacts: {effect} in 2 rows."
    assert told(folder, "column_missing") == [(message, None)]


def test_a_country_has_a_default_only_if_the_project_gives_one(tmp_path: Path) -> None:
    columns = ALL.replace("address1_country,", "")
    folder = write(tmp_path / "a", contacts=f"{columns}\n{line(columns)}\n")
    both = "PrimaryAddressCountryRegionISOCode and AddressCountryRegionISOCode"
    start = "address1_country is not in the table contacts:"
    [(message, _)] = told(folder, "column_missing")
    assert message == f"{start} {both} stay blank in 1 row."
    [(message, _)] = told(folder, "column_missing", "destination.country=DE")
    assert message == f"{start} {both} take their defaults in 1 row."


def test_a_column_that_some_files_lack_is_said_with_their_names(tmp_path: Path) -> None:
    columns = ALL.replace("fax,", "")
    files = {"contacts__a": ALL, "contacts__b": columns, "contacts__c": columns}
    texts = {
        name: f"{text}\n{line(text, number)}\n"
        for number, (name, text) in enumerate(files.items(), start=1)
    }
    folder = write(tmp_path / "a", **texts, contacts__without_rows=f"{columns}\n")
    message = "fax is not in the table contacts: PrimaryContactFax stays blank in"
    where = "2 rows of contacts/b.csv and 1 more."
    assert told(folder, "column_missing") == [(f"{message} {where}", "contacts/b.csv")]


def test_a_filter_on_a_column_that_is_missing_is_refused(tmp_path: Path) -> None:
    condition = (
        "source.filter=merged IS NOT TRUE AND NOT suffix(lastname, 'masterid') AND isdelete IS NULL"
    )
    folder = write(tmp_path / "a", contacts=f"{ALL}\n{line(ALL)}\n")
    with pytest.raises(ConfigurationError, match="names merged, which contacts do not have"):
        told(folder, "column_missing", condition)
    write(folder, contacts__a=f"{ALL}\n{line(ALL)}\n", contacts__b=f"{ALL},merged\n{line(ALL)},1\n")
    (folder / "contacts.csv").unlink()
    message = "merged is not in the table contacts: source.filter sees a blank in 1 row of"
    assert told(folder, "column_missing", condition) == [
        (f"{message} contacts/a.csv.", "contacts/a.csv")
    ]


def test_json_may_leave_blanks_out_of_a_page(tmp_path: Path) -> None:
    columns = ALL.split(",")
    pages = {"1": [*columns], "2": [name for name in columns if name != "fax"]}
    (tmp_path / "a/contacts").mkdir(parents=True)
    for number, (name, keys) in enumerate(pages.items(), start=1):
        cells = dict(zip(columns, line(ALL, number).split(","), strict=True))
        frame = pl.DataFrame([{key: cells[key] or None for key in keys}])
        frame.write_ndjson(tmp_path / f"a/contacts/{name}.jsonl")
    assert told(tmp_path / "a", "column_missing") == []


def test_parquet_parts_without_a_column_are_named(tmp_path: Path) -> None:
    (tmp_path / "a/contacts").mkdir(parents=True)
    for number, columns in enumerate((ALL, ALL.replace("fax,", "")), start=1):
        text = f"{columns}\n{line(columns, number)}\n".encode()
        frame = pl.read_csv(text, infer_schema=False)
        frame.write_parquet(tmp_path / f"a/contacts/{number}.parquet")
    [(_, file)] = told(tmp_path / "a", "column_missing")
    assert file == "contacts/2.parquet"


@pytest.mark.parametrize(
    ("rows", "is_suspicious"), [(4999, False), (5000, True), (5001, False), (10_000, True)]
)
def test_a_number_of_rows_at_which_exports_stop_is_said(
    tmp_path: Path, rows: int, is_suspicious: bool
) -> None:
    columns = "contactid,msdynce_contactnumber,msdynce_isactivecustomer,parentcustomerid,lastname"
    lines = "\n".join([columns, *(line(columns, number) for number in range(rows))])
    found = told(write(tmp_path / "a", contacts=f"{lines}\n"), "row_count_suspicious")
    start = "A table ends at a number of rows at which exports stop"
    assert found == ([(f"{start}: contacts has exactly {rows:,}.", None)] if is_suspicious else [])


@pytest.mark.parametrize(
    ("rows", "is_suspicious"),
    [(30_000, True), (65_535, True), (1_048_575, True), (65_536, False), (110_000, False)],
)
def test_limits_of_sheets_and_visuals_are_known(rows: int, is_suspicious: bool) -> None:
    assert (note_row_count("contacts", rows, ()) is not None) is is_suspicious


def test_unreadable_rows_count_as_rows_and_side_tables_are_counted_too(tmp_path: Path) -> None:
    accounts = [f"a1000000-0000-4000-8000-{number:012d},ACC-{number}" for number in range(4999)]
    files = {
        "contacts": f"{ALL}\n{line(ALL)}\n",
        "accounts": "\n".join(["accountid,accountnumber", *accounts, "cut"]) + "\n",
    }
    [(message, _)] = told(write(tmp_path / "a", **files), "row_count_suspicious")
    assert message.endswith(": accounts has exactly 5,000.")


def test_a_backfill_hears_of_files_and_not_of_columns(tmp_path: Path) -> None:
    project = write_small(tmp_path)
    (tmp_path / "orders.csv").write_text("x\n")
    flags = Flags(project=project, runs=tmp_path / "runs")
    made = backfill_contacts(flags, PlanRequest(), report_nothing)
    codes = pl.read_parquet(f"{made.folder}/findings.parquet")["code"].to_list()
    assert "file_ignored" in codes
    assert "column_missing" not in codes
