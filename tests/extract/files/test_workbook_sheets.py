"""Which sheet is a table, which row its header, and which workbook holds it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.errors import SourceError
from tests.scenes.reading import ID, landed, rows
from tests.scenes.workbooks import (
    GERMAN,
    LABELS,
    NAMES,
    Cell,
    contact,
    name_columns,
    write_view,
    write_workbook,
)

TEXTS: Sequence[Cell] = (ID, "Brown", "CON-01000-ZQE454", "true", "")
TABLE: Sequence[Sequence[Cell]] = (NAMES, TEXTS)
ACCOUNTS: Sequence[Sequence[Cell]] = (
    ("(Do Not Modify) Account", "Account Number"),
    ("216b4b57-76e7-62fb-dda6-b7a859658ec0", "ACC-1"),
)
PIVOT: Sequence[Sequence[Cell]] = (("Last Name", "Contact Number", "Sum"), ("Brown", 1, 2))


def found(tmp_path: Path) -> dict[str, list[str]]:
    """Table → the files that it was found in."""
    tables = landed(tmp_path / "export", tmp_path / "in", ("contacts", "accounts", "quotes"))
    return {
        name: rows(table)["source_file"].unique(maintain_order=True).to_list()
        for name, table in tables.items()
    }


def refuse(tmp_path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        found(tmp_path)
    return str(caught.value)


def test_names_come_from_the_hidden_sheet_in_any_language(tmp_path: Path) -> None:
    links = {
        "f1b0.accountnumber": "Kontonummer (Anderes) (Konto)",
        "cc6a-4d71.accountnumber": "Kontonummer (Firma (B2B)) (Konto)",
        "a5a1-11ec.isocurrencycode": "Code (Währung) (Währung)",
    }
    labels = {**GERMAN, "transactioncurrencyid": "Währung"}
    values = {**contact(), "transactioncurrencyid": "Euro", "a5a1-11ec.isocurrencycode": "EUR"}
    values |= {"f1b0.accountnumber": "ACC-0", "cc6a-4d71.accountnumber": "ACC-1"}
    write_view(tmp_path / "export/contacts.xlsx", [values], labels, links=links)
    frame = rows(landed(tmp_path / "export", tmp_path / "in")["contacts"])
    assert frame["lastname"].to_list() == ["Brown"]
    assert frame["msdynce_isactivecustomer"].to_list() == ["true"]
    assert frame["transactioncurrencyid.isocurrencycode"].to_list() == ["EUR"]
    assert frame["parentcustomerid.accountnumber"].to_list() == ["ACC-1"]


def test_labels_do_where_the_hidden_sheet_is_not_there_or_says_less(tmp_path: Path) -> None:
    cells: list[list[Cell]] = [[f" {label} " for label in LABELS.values()]]
    cells.append([contact()[name] for name in LABELS])
    for said in ("", "contact:x:contactid=%28Do+Not+Modify%29+Contact", "nothing", "a:b", "::"):
        write_workbook(tmp_path / "export/contacts.xlsx", {"View": cells}, export=said)
        frame = rows(landed(tmp_path / "export", tmp_path / "in")["contacts"])
        assert frame.select("lastname", "modifiedon").rows() == [("Brown", "2026-03-02T08:00:30")]


def test_a_modified_on_that_shows_is_not_read_twice(tmp_path: Path) -> None:
    labels = {**LABELS, "createdon": "Modified On"}
    cells: list[list[Cell]] = [list(labels.values()), [contact().get(name) for name in labels]]
    said = name_columns(labels).replace("createdon", "modifiedon")
    write_workbook(tmp_path / "export/contacts.xlsx", {"View": cells}, export=said)
    frame = rows(landed(tmp_path / "export", tmp_path / "in")["contacts"])
    assert frame["modifiedon"].to_list() == ["2026-03-02T08:00:30"]


@pytest.mark.parametrize(
    "sheets",
    [
        {"Pivot": PIVOT, "Data": TABLE},
        {"Contact": TABLE, "old": TABLE},
        {"accounts": ACCOUNTS, "Sheet2": TABLE},
        {"Notes": [["Read me"]], "Empty": [], "Data": [["Contacts"], [], *TABLE]},
        {"Data": [[""] * 3, ["Contact", "Last Name", "x"], *TABLE]},
    ],
)
def test_the_sheet_with_the_columns_or_the_name_is_the_table(
    tmp_path: Path, sheets: dict[str, Sequence[Sequence[Cell]]]
) -> None:
    write_workbook(tmp_path / "export/contacts.xlsx", sheets)
    frame = rows(landed(tmp_path / "export", tmp_path / "in")["contacts"])
    assert frame["lastname"].to_list() == ["Brown"]


def test_a_sheet_that_does_not_show_is_not_read(tmp_path: Path) -> None:
    sheets = {"Data": TABLE, "contacts": TABLE[:1]}
    write_workbook(tmp_path / "export/contacts.xlsx", sheets, hidden=["contacts"])
    frame = rows(landed(tmp_path / "export", tmp_path / "in")["contacts"])
    assert frame.height == 1


@pytest.mark.parametrize(
    ("sheets", "words"),
    [
        ({"One": TABLE, "Two": TABLE}, "the sheets 'One' and 'Two' could both be contacts"),
        ({"contact": TABLE, "contacts": TABLE}, "the sheets 'contact' and 'contacts' could both"),
        ({"One": [["a", "b"], ["c"]], "Two": []}, "none of the first 20 rows of a sheet"),
        ({"One": [[]] + [["x"]] * 20 + [NAMES]}, "none of the first 20 rows of a sheet"),
        ({"One": PIVOT}, "there is no column contactid"),
    ],
)
def test_a_workbook_without_one_sheet_for_the_table_is_refused(
    tmp_path: Path, sheets: dict[str, Sequence[Sequence[Cell]]], words: str
) -> None:
    write_workbook(tmp_path / "export/contacts.xlsx", sheets)
    assert f"contacts.xlsx: {words}" in refuse(tmp_path)


def test_an_export_of_another_table_is_called_so(tmp_path: Path) -> None:
    labels = {"quoteid": "(Nicht ändern) Angebot", "name": "Bezeichnung"}
    write_view(tmp_path / "export/contacts.xlsx", [{}], labels, table="quote")
    assert "It says that it is an export of quote." in refuse(tmp_path)


def test_no_value_of_a_row_is_in_a_refusal(tmp_path: Path) -> None:
    write_workbook(tmp_path / "export/contacts.xlsx", {"a": [TEXTS, TEXTS]})
    told = refuse(tmp_path)
    assert "none of the first 20 rows" in told
    assert "Brown" not in told


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_rows_in_single_cells_are_called_so(tmp_path: Path, delimiter: str) -> None:
    cells = [[delimiter.join(str(one) for one in row)] for row in TABLE]
    write_workbook(tmp_path / "export/contacts.xlsx", {"contacts": cells})
    assert "contacts.xlsx: has whole rows in single cells" in refuse(tmp_path)


def test_tables_may_share_a_workbook(tmp_path: Path) -> None:
    write_workbook(tmp_path / "export/crm.xlsx", {"Contacts": TABLE, "Accounts": ACCOUNTS})
    assert found(tmp_path) == {"contacts": ["crm.xlsx"], "accounts": ["crm.xlsx"]}
    (tmp_path / "export/crm.xlsx").rename(tmp_path / "export/contacts.xlsx")
    assert found(tmp_path) == {"contacts": ["contacts.xlsx"], "accounts": ["contacts.xlsx"]}


def test_workbooks_are_found_under_the_names_that_the_service_gives(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    write_view(folder / "Alle Kontakte 11-29-2026 3-10-22 PM.xlsx", [contact()], GERMAN)
    said = name_columns(LABELS)
    write_workbook(folder / "All Accounts.xlsx", {"Accounts": ACCOUNTS}, export=said)
    (folder / "broken.xlsx").write_bytes(b"PK")
    assert found(tmp_path) == {
        "contacts": ["Alle Kontakte 11-29-2026 3-10-22 PM.xlsx"], "accounts": ["All Accounts.xlsx"]
    }  # fmt: skip


def test_a_workbook_that_could_have_been_contacts_is_said_to_be_broken(tmp_path: Path) -> None:
    write_workbook(tmp_path / "export/Numbers.xlsx", {"a": PIVOT})
    (tmp_path / "export/Active Contacts.xlsx").write_bytes(b"PK\x03\x04")
    told = refuse(tmp_path)
    assert "there is no table contacts" in told
    assert "Active Contacts.xlsx: is not a whole Excel workbook, or is damaged" in told
    assert "Numbers.xlsx: " not in told


def test_a_view_of_contacts_with_the_id_of_the_company_is_no_table_of_accounts(
    tmp_path: Path,
) -> None:
    labels = {**LABELS, "accountid": "(Do Not Modify) Account"}
    write_view(tmp_path / "export/Active Contacts.xlsx", [contact()], labels)
    assert found(tmp_path) == {"contacts": ["Active Contacts.xlsx"]}


def test_two_workbooks_of_a_table_are_refused_but_not_one_beside_its_name(tmp_path: Path) -> None:
    write_view(tmp_path / "export/Active Contacts.xlsx", [contact()])
    write_view(tmp_path / "export/My Contacts.xlsx", [contact()])
    told = refuse(tmp_path)
    assert "Active Contacts.xlsx and My Contacts.xlsx could both be contacts" in told
    write_view(tmp_path / "export/contacts.xlsx", [contact()])
    assert found(tmp_path) == {"contacts": ["contacts.xlsx"]}
