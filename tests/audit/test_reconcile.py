"""What SCM has against what was planned: spelling does not count, content does."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audit.reconcile import compare_rows, group_differences, summarize_comparison
from pipeline.commands.options import Flags
from pipeline.commands.plan import backfill_contacts, plan_contacts
from pipeline.commands.reconcile import reconcile_run
from pipeline.commands.verify import verify_run
from pipeline.errors import UsageError
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.report.facts import collect_page_facts
from pipeline.run.folder import RunFolder
from pipeline.scm.normal import normalize
from schemas.catalogue import Column, ColumnKind
from schemas.scm import CDS_CONTACTS, CUSTOMERS_V2
from tests.scenes.json_files import read_json
from tests.scenes.small import number


def column(name: str) -> Column:
    found = CUSTOMERS_V2.column(name)
    assert found is not None
    return found


def one_form(name: str, value: Any, dtype: Any = None) -> str | None:
    frame = pl.DataFrame({"value": [value]}, schema={"value": dtype or pl.String})
    (found,) = frame.select(normalize(pl.col("value"), column(name))).to_series().to_list()
    assert found is None or isinstance(found, str)
    return found


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("AddressCity", "", None),
        ("AddressCity", "  ", None),
        ("AddressCity", " Bonn\u00a0", "Bonn"),
        ("AddressCity", "0", "0"),
        ("SalesMemo", "one\r\n\ttwo", "one two"),
        ("CreditLimit", "0.000000", None),
        ("CreditLimit", "-0", None),
        ("CreditLimit", "7000", "7000"),
        ("CreditLimit", "7000.10", "7000.1"),
        ("CreditLimit", "7.0001E3", "7000.1"),
        ("CreditLimit", "0.1234567", "0.123457"),
        ("CreditLimit", "much", "much"),
        ("OrganizationNumberOfEmployees", "0", None),
        ("OrganizationNumberOfEmployees", "012", "12"),
        ("PersonGender", "Unknown", None),
        ("PersonGender", "0", None),
        ("PersonGender", "2", "Female"),
        ("PersonGender", "female", "Female"),
        ("PersonGender", "Other", "Other"),
        ("PersonMaritalStatus", "None", None),
        ("IsExternallyMaintained", "No", None),
        ("IsExternallyMaintained", "yes", "Yes"),
        ("PartyType", "person", "Person"),
        ("AddressValidFrom", "1900-01-01T00:00:00Z", None),
        ("AddressValidFrom", "1900-01-01", None),
        ("AddressValidFrom", "2024-05-01T10:00:00Z", "2024-05-01 10:00:00"),
        ("AddressValidFrom", "2024-05-01 10:00:00.000", "2024-05-01 10:00:00"),
        ("CustomerAccount", "con-1 ", "CON-1"),
    ],
)
def test_values_that_mean_alike_have_one_form(name: str, value: str, form: str | None) -> None:
    assert one_form(name, value) == form
    assert one_form(name, None) is None


def test_typed_values_have_the_form_of_their_text() -> None:
    moment = datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert one_form("AddressValidFrom", moment, pl.Datetime("us", "UTC")) == "2024-05-01 10:00:00"
    assert one_form("CreditLimit", Decimal("7000.100000"), pl.Decimal(32, 6)) == "7000.1"
    assert one_form("OrganizationNumberOfEmployees", 12, pl.Int64) == "12"


@given(
    st.sampled_from([one for one in CUSTOMERS_V2.columns if one.kind is not ColumnKind.TIMESTAMP]),
    st.text(max_size=12),
)
@settings(max_examples=150, deadline=None)
def test_the_form_of_a_form_is_itself(which: Column, text: str) -> None:
    frame = pl.DataFrame({"value": [text]})
    once = frame.select(normalize(pl.col("value"), which).alias("value"))
    assert once.select(normalize(pl.col("value"), which).alias("value")).equals(once)


def customers(**columns: list[Any]) -> pl.DataFrame:
    count = len(next(iter(columns.values())))
    planned_ = {
        "CustomerAccount": [f"CON-{place}" for place in range(count)],
        "contactid": [f"id-{place}" for place in range(count)],
        "legal_entity": ["usmf"] * count,
        "destination_key": [f"usmf/CON-{place}" for place in range(count)],
    }
    return pl.DataFrame({**planned_, **columns})


def test_rows_that_scm_lacks_or_has_twice_and_fields_that_differ_are_named() -> None:
    here = customers(
        AddressCity=["Bonn", "Köln", "Ulm", None], CreditLimit=["5.000000", None, None, None]
    )
    there = pl.DataFrame(
        {
            "dataAreaId": ["USMF", "usmf", "usmf", "usmf", "usmf"],
            "CustomerAccount": ["con-0", "CON-1", "CON-3", "CON-3", "OTHER"],
            "AddressCity": ["Bonn", "Cologne", "", "", "x"],
            "CreditLimit": ["5", "0", "0", "0", "1"],
        }
    )
    found = compare_rows(here, there, CUSTOMERS_V2, "ContactToCustomer")
    listed = found.differences.select(
        "contactid", "difference", "column", "planned", "found"
    ).rows()
    assert listed == [
        ("id-1", "differs", "AddressCity", "Köln", "Cologne"),
        ("id-2", "missing", None, None, None),
        ("id-3", "repeated", None, None, None),
    ]
    assert (found.rows, found.equal) == (4, 1)
    assert summarize_comparison([found]).startswith("Of 4 rows that were compared, 1 are in SCM")
    assert group_differences(found.differences)[0]["rows"] == 1


def test_a_row_without_a_value_leaves_a_kept_field_as_scm_has_it() -> None:
    here = customers(AddressCity=[None, "Bonn"], CreditLimit=[None, None])
    there = pl.DataFrame(
        {
            "CustomerAccount": ["CON-0", "CON-1"],
            "AddressCity": ["Ulm", "Ulm"],
            "CreditLimit": ["5", "0"],
        }
    )
    found = compare_rows(here, there, CUSTOMERS_V2, "t", ["AddressCity"])
    assert found.differences.select("contactid", "column").rows() == [
        ("id-0", "CreditLimit"),
        ("id-1", "AddressCity"),
    ]


def test_a_key_of_another_legal_entity_is_another_row() -> None:
    here = customers(AddressCity=["Bonn"])
    there = pl.DataFrame(
        {"dataAreaId": ["demf"], "CustomerAccount": ["CON-0"], "AddressCity": ["Bonn"]}
    )
    assert compare_rows(here, there, CUSTOMERS_V2, "t").differences["difference"].to_list() == [
        "missing"
    ]
    assert compare_rows(here, there.drop("dataAreaId"), CUSTOMERS_V2, "t").equal == 1


def test_columns_that_scm_does_not_tell_are_said_and_rows_without_a_key_refused() -> None:
    here = customers(AddressCity=["Bonn"], SalesMemo=["x"])
    found = compare_rows(
        here,
        pl.DataFrame({"CustomerAccount": ["CON-0"], "AddressCity": ["Bonn"]}),
        CUSTOMERS_V2,
        "t",
    )
    assert found.not_compared == ("SalesMemo",)
    with pytest.raises(ValueError, match="AssociatedPartyNumber"):
        compare_rows(
            here, pl.DataFrame({"ContactPersonPartyNumber": ["x"]}), CDS_CONTACTS, "Contacts"
        )


def export(run: RunFolder, to: Path, *, drop: int = 0, city: str | None = None) -> Path:
    """SCM's Customers V2 as Data management exports them, made from what was planned."""
    rows = pl.concat([pl.read_parquet(path) for path in run.rows_files("ContactToCustomer")])
    frame = rows.drop("contactid", "destination_key", "batch", "action", "row_hash").rename(
        {"legal_entity": "dataAreaId"}
    )
    if city is not None:
        frame = frame.with_columns(AddressCity=pl.lit(city))
    frame.head(frame.height - drop).rename(str.upper).write_csv(to)
    return to


def test_an_export_that_agrees_exits_0_and_the_report_says_so(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    result = reconcile_run(
        common, str(run.run), scm=[export(run, tmp_path / "c.csv")], listener=report_nothing
    )
    assert (result.exit_code, result.items) == (0, [])
    reconciliation = collect_page_facts(run).reconciliation
    assert reconciliation is not None
    assert (
        reconciliation["sentence"]
        == "All 5 rows that were compared are in SCM as they were planned."
    )
    assert verify_run(common, str(run.run)).exit_code == 0


def test_differences_are_kept_with_their_fields_and_shown_without_values(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    result = reconcile_run(
        common,
        str(run.run),
        scm=[export(run, tmp_path / "c.csv", drop=1, city="Elsewhere")],
        listener=report_nothing,
    )
    assert result.exit_code == 1
    kept = pl.read_parquet(run.path / "reconciliation.parquet")
    assert kept.group_by("difference").len().sort("difference").rows() == [
        ("differs", 4),
        ("missing", 1),
    ]
    assert "Elsewhere" in kept["found"].to_list()
    assert "Elsewhere" not in str(result.text) + (run.path / "reconciliation.json").read_text()
    assert "differs AddressCity" in str(result.text)
    assert verify_run(common, str(run.run)).exit_code == 0
    assert read_json(run.summary)["applied"]


def test_an_export_without_rows_is_told_apart_from_rows_that_are_missing(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    told = "No row at all was read for ContactToCustomer."
    for drop, is_told in ((4, False), (5, True)):
        scm = [export(run, tmp_path / f"{drop}.csv", drop=drop)]
        result = reconcile_run(common, str(run.run), scm=scm, listener=report_nothing)
        assert result.exit_code == 1
        assert (told in str(result.text)) is is_told
        reconciliation = collect_page_facts(run).reconciliation
        assert reconciliation is not None
        assert (told in str(reconciliation["sentence"])) is is_told


def test_what_cannot_be_compared_is_refused(common: Flags, run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("Name\nAda\n")
    with pytest.raises(UsageError, match="of neither entity"):
        reconcile_run(common, str(run.run), scm=[tmp_path / "x.csv"], listener=report_nothing)
    with pytest.raises(UsageError, match="--scm FILE"):
        reconcile_run(common, str(run.run), scm=[], listener=report_nothing)
    file = export(run, tmp_path / "c.csv")
    plan_contacts(common, PlanRequest(), report_nothing)
    with pytest.raises(UsageError, match="not applied"):
        reconcile_run(common, "latest", scm=[file], listener=report_nothing)


def test_a_backfill_is_not_reconciled(common: Flags) -> None:
    backfill_contacts(common, PlanRequest(command="backfill"), report_nothing)
    with pytest.raises(UsageError, match=r"is a backfill, and writes into Sales; reconcile comp"):
        reconcile_run(common, "latest", scm=[], listener=report_nothing)


def test_contact_persons_are_compared_by_both_parts_of_their_key(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    rows = pl.concat([pl.read_parquet(path) for path in run.rows_files("Contacts")])
    frame = rows.select(
        "ContactPersonPartyNumber", "AssociatedPartyNumber", "FirstName", "LastName"
    )
    frame.with_columns(AssociatedPartyNumber=pl.lit("OTHER")).write_csv(tmp_path / "p.csv")
    result = reconcile_run(common, str(run.run), scm=[tmp_path / "p.csv"], listener=report_nothing)
    assert [(one["task"], one["difference"], one["rows"]) for one in result.items] == [
        ("Contacts", "missing", 3)
    ]
    assert number(6) in frame["ContactPersonPartyNumber"].to_list()


def test_a_package_of_an_export_project_is_compared_as_it_comes(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    frame = pl.read_csv(export(run, tmp_path / "c.csv"), infer_schema=False).drop("DATAAREAID")
    path = tmp_path / "usmf.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Manifest.xml", "<x/>")
        archive.writestr("Customers V2.csv", frame.write_csv().encode("utf-16"))
    result = reconcile_run(common, str(run.run), scm=[path], listener=report_nothing)
    assert (result.exit_code, result.items) == (0, [])
    with pytest.raises(UsageError, match=r"there is no file .*gone\.zip"):
        reconcile_run(common, str(run.run), scm=[tmp_path / "gone.zip"], listener=report_nothing)
