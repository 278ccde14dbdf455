"""What a plan says of contacts that were loaded before, and of business units that nobody has."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.errors import InvariantBroken
from pipeline.events import report_nothing
from pipeline.plan.prepare import hold_tables
from pipeline.plan.request import PlanRequest
from schemas import sales
from schemas.catalogue import Table
from tests.scenes.memories import remember

ACCOUNT, OTHER = "a0000000-0000-0000-0000-000000000001", "a0000000-0000-0000-0000-000000000002"
PERSON = "c0000000-0000-0000-0000-000000000001"
NUMBER = "CON-01000-BVRCPS"
EARLIER = {
    "company_changed",
    "promoted",
    "demoted",
    "no_longer_routed",
    "legal_entity_changed",
    "no_longer_in_source",
}


def _source(folder: Path, *, active: str, company: str) -> Path:
    folder.mkdir()
    (folder / "accounts.csv").write_text(
        f"accountid,accountnumber\n{ACCOUNT},A1\n{OTHER},A2\n", encoding="utf-8"
    )
    kind = "account" if company else ""
    (folder / "contacts.csv").write_text(
        "contactid,lastname,msdynce_contactnumber,msdynce_isactivecustomer,parentcustomerid,"
        "parentcustomeridtype\n"
        f"{PERSON},Brown,{NUMBER},{active},{company},{kind}\n",
        encoding="utf-8",
    )
    return folder


def _codes(
    tmp_path: Path, loaded: list[str], *flags: str, active: str = "no", company: str = ACCOUNT
) -> dict[str, str]:
    """Finding code → message and value of a plan after ``loaded`` keys."""
    remember(tmp_path / "runs" / "loaded" / "folder" / "Contacts.parquet", loaded)
    common = Flags(
        source=_source(tmp_path / "export", active=active, company=company),
        runs=tmp_path / "runs",
        assignments=(
            "destination.currency=EUR",
            "destination.country=DE",
            *(flags or ("destination.legal_entity=usmf",)),
        ),
    )
    result = plan_contacts(common, PlanRequest(), report_nothing, None)
    findings = pl.read_parquet(f"{result.folder}/findings.parquet")
    text = pl.concat_str("message", "value", separator=" ", ignore_nulls=True)
    return dict(findings.select("code", text).iter_rows())


@pytest.mark.parametrize(
    ("code", "loaded", "active", "company"),
    [
        ("company_changed", f"usmf/{NUMBER}/A2", "no", ACCOUNT),
        ("promoted", f"usmf/{NUMBER}/A1", "yes", ACCOUNT),
        ("demoted", f"usmf/{NUMBER}", "no", ACCOUNT),
        ("no_longer_routed", f"usmf/{NUMBER}/A1", "no", ""),
        ("legal_entity_changed", f"demf/{NUMBER}/A1", "no", ACCOUNT),
    ],
)
def test_a_contact_that_was_loaded_otherwise_is_named_with_its_old_key(
    tmp_path: Path, code: str, loaded: str, active: str, company: str
) -> None:
    found = _codes(tmp_path, [loaded], active=active, company=company)
    assert code in found
    assert not (EARLIER - {code}) & set(found)
    assert loaded in found[code]


def test_a_contact_loaded_as_it_is_planned_now_is_nothing_to_tell_of(tmp_path: Path) -> None:
    keys = [f"usmf/{NUMBER}", f"usmf/{NUMBER}/A1", f"usmf/{NUMBER}/A2"]
    found = _codes(tmp_path, keys)
    assert not EARLIER & set(found)


def test_contacts_that_the_filter_leaves_out_are_not_compared(tmp_path: Path) -> None:
    flags = ("destination.legal_entity=usmf", "source.filter=lastname <> 'Brown'")
    assert "no_longer_routed" not in _codes(tmp_path, [f"usmf/{NUMBER}/A1"], *flags, company="")


def test_a_business_unit_that_no_contact_has_is_told(tmp_path: Path) -> None:
    flags = ("destination.legal_entity=usmf", "organizations.Contoso=demf")
    assert "Contoso" in _codes(tmp_path, [], *flags)["organization_unused"]


@pytest.mark.parametrize("table", sales.TABLES.values(), ids=lambda table: table.name)
def test_the_contract_of_a_source_table_has_all_its_columns(table: Table) -> None:
    assert list(sales.make_sales_contract(table).columns) == [field.name for field in table.fields]


@pytest.mark.parametrize(
    ("types", "broken"),
    [
        ({"statecode": pl.Int64()}, "dtype"),
        ({"statecode": None}, "column_in_dataframe"),
        ({}, None),
        ({"own": pl.Binary()}, None),
    ],
)
def test_a_table_that_is_not_read_as_declared_breaks_the_run(
    types: dict[str, pl.DataType | None], broken: str | None
) -> None:
    asked = {**sales.list_read_types(sales.CONTACTS), **types}
    frame = pl.DataFrame(schema={name: one for name, one in asked.items() if one is not None})
    if broken is None:
        hold_tables({"contacts": frame})
        assert not frame.rows()
        return
    with pytest.raises(InvariantBroken, match=f"contacts is not read as declared: .*{broken}"):
        hold_tables({"contacts": frame})


@pytest.mark.parametrize("loaded", ["usmf", "USMF", "Usmf"])
@pytest.mark.parametrize("wanted", ["usmf", "USMF"])
def test_a_legal_entity_in_another_case_is_the_same(
    tmp_path: Path, loaded: str, wanted: str
) -> None:
    found = _codes(tmp_path, [f"{loaded}/{NUMBER}/A1"], f"destination.legal_entity={wanted}")
    assert found.keys().isdisjoint({"legal_entity_changed", "company_changed"})
    run = next(path for path in (tmp_path / "runs").iterdir() if path.name != "loaded")
    rows = pl.read_parquet(f"{run}/rows/Contacts/*.parquet")
    assert rows["destination_key"].to_list() == [f"{wanted}/{NUMBER}/A1"], "the settings' spelling"


def test_a_changed_company_is_seen_whatever_the_case(tmp_path: Path) -> None:
    assert "company_changed" in _codes(tmp_path, [f"USMF/{NUMBER}/A2"])
