"""Workbooks: cells as text, true rows, and cells without a value that are said to have none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from pipeline.errors import SourceError
from pipeline.extract.records import Note, ReadOptions
from pipeline.extract.side_files import land_file
from schemas.scm import CUSTOMERS_EXPORT
from tests.scenes.reading import ID, contacts, landed
from tests.scenes.workbooks import (
    NAMES,
    WHEN,
    Cell,
    contact,
    ods_row,
    text_cell,
    text_row,
    write_ods,
    write_parts,
    write_view,
    write_workbook,
)

TEXTS = (ID, "Brown", "CON-01000-ZQE454", "true", "")


def described(tmp_path: Path, cells: Sequence[Cell]) -> list[str | None]:
    """What becomes of the cells of a column of text."""
    rows: list[list[Cell]] = [[*NAMES, "description"]]
    rows += [[*TEXTS, cell] for cell in cells]
    write_workbook(tmp_path / "export/contacts.xlsx", {"Sheet1": rows})
    frame, unreadable = contacts(tmp_path / "export", tmp_path / "in")
    assert not unreadable
    return frame["description"].to_list()


def test_a_view_is_read_with_the_rows_of_its_sheet(tmp_path: Path) -> None:
    write_view(tmp_path / "export/contacts.xlsx", [contact(), contact(lastname="Green")])
    frame, unreadable = contacts(tmp_path / "export", tmp_path / "in")
    assert not unreadable
    assert frame.select("lastname", "modifiedon", "source_file", "source_line").rows() == [
        ("Brown", "2026-03-02T08:00:30", "contacts.xlsx", 2),
        ("Green", "2026-03-02T08:00:30", "contacts.xlsx", 3),
    ]
    assert landed(tmp_path / "export", tmp_path / "in")["contacts"].lookups_are_names


def test_the_header_again_is_no_row_and_in_another_order_it_is_refused(tmp_path: Path) -> None:
    sheet: list[list[Cell]] = [[*NAMES], [*TEXTS], [*NAMES], [*TEXTS]]
    write_workbook(tmp_path / "export/contacts.xlsx", {"Sheet1": sheet})
    frame, unreadable = contacts(tmp_path / "export", tmp_path / "in")
    assert not unreadable
    assert frame["source_line"].to_list() == [2, 4]
    sheet[2].reverse()
    write_workbook(tmp_path / "export/contacts.xlsx", {"Sheet1": sheet})
    with pytest.raises(SourceError, match="row 3 has the names of the columns again, and not as"):
        contacts(tmp_path / "export", tmp_path / "other")


def test_lookups_of_other_forms_are_not_names(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "export/contacts.csv").write_text(",".join(NAMES) + "\n" + ",".join(TEXTS))
    assert not landed(tmp_path / "export", tmp_path / "in")["contacts"].lookups_are_names


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (4930123, "4930123"),
        (1067.0, "1067"),
        (7000.5, "7000.5"),
        (0.1 + 0.2, "0.3"),
        (4.93e11, "493000000000"),
        (1e20, "100000000000000000000"),
        (-0.000012, "-0.000012"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (WHEN, "2026-03-02T08:00:30"),
        (dt.date(2026, 3, 2), "2026-03-02"),
        (dt.time(8, 30), "08:30:00"),
        ("'+49 30", "'+49 30"),
        ('="01067"', '="01067"'),
        ("Line 1_x000D_\nLine 2", "Line 1\r\nLine 2"),
        (" x ", " x "),
        ("Ä\U0001f600", "Ä\U0001f600"),
    ],
)
def test_a_cell_is_the_text_that_one_would_type(tmp_path: Path, cell: Cell, text: str) -> None:
    assert described(tmp_path, [cell]) == [text]


def test_a_column_of_several_types_keeps_each(tmp_path: Path) -> None:
    assert described(tmp_path, [1.0, "one", None, WHEN]) == ["1", "one", None, WHEN.isoformat()]


def test_days_may_be_counted_from_1904(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [[*NAMES, "birthdate"], [*TEXTS, dt.date(1970, 1, 2)]]
    write_workbook(tmp_path / "export/contacts.xlsx", {"a": rows}, date_1904=True)
    frame, _ = contacts(tmp_path / "export", tmp_path / "in")
    assert frame["birthdate"].to_list() == ["1970-01-02"]


def test_empty_rows_and_hidden_ones_do_not_move_the_others(tmp_path: Path) -> None:
    path = tmp_path / "export/contacts.xlsx"
    rows: list[list[Cell]] = [[], ["Contacts of 2026"], [], [None, *NAMES], [], [None, *TEXTS]]
    write_workbook(path, {"a": [*rows, [], [None, *TEXTS]]})
    book = openpyxl.load_workbook(path)
    book["a"].row_dimensions[6].hidden = True
    book["a"].auto_filter.ref = "B4:F8"
    book.save(path)
    frame, unreadable = contacts(tmp_path / "export", tmp_path / "in")
    assert not unreadable
    assert frame["source_line"].to_list() == [6, 8]


def test_the_xml_of_other_writers_is_read(tmp_path: Path) -> None:
    """Prefixes, escapes, apostrophes, no references: all of it is allowed."""
    more = "<x:c r='F2' t='str'><x:v>a_x000A_b &amp; c</x:v></x:c>"
    rows = text_row(1, [*NAMES, "description"], "x:") + text_row(2, TEXTS, "x:", more)
    write_parts(tmp_path / "export/contacts.xlsx", rows, tag="x:")
    frame, _ = contacts(tmp_path / "export", tmp_path / "in")
    assert frame["description"].to_list() == ["a\nb & c"]
    cells = "".join(text_cell(text) for text in NAMES)
    values = "".join(text_cell(text) for text in TEXTS)
    plain = f"<row>{cells}</row><row>{values}</row>"
    write_parts(tmp_path / "plain/contacts.xlsx", plain)
    frame, _ = contacts(tmp_path / "plain", tmp_path / "in")
    assert frame["lastname"].to_list() == ["Brown"]


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ('<c r="F2" t="e"><v>#N/A</v></c>', "holds the error of a formula"),
        ("<c r='F2' s='1' t='e'><f>NA()</f><v>#REF!</v></c>", "holds the error of a formula"),
        ('<c r="F2"><f>A1+1</f></c>', "holds a formula without its value"),
        ('<c r="F2" s="1"><f t="shared" si="0"/></c>', "holds a formula without its value"),
        ('<c r="F2"><f>A1+1</f><v></v></c>', "holds a formula without its value"),
        ('<c r="F2"><f>A1+1</f><v /></c>', "holds a formula without its value"),
    ],
)
def test_a_cell_without_its_value_makes_the_row_unreadable(
    tmp_path: Path, cell: str, why: str
) -> None:
    rows = text_row(1, [*NAMES, "description", "note"]) + text_row(2, TEXTS, "", cell)
    write_parts(tmp_path / "export/contacts.xlsx", rows + text_row(3, TEXTS))
    frame, unreadable = contacts(tmp_path / "export", tmp_path / "in")
    assert frame["source_line"].to_list() == [3]
    [(file, line, detail)] = unreadable
    assert (file, line) == ("contacts.xlsx", 2)
    assert detail.startswith(f"description in cell F2 {why}")


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="G2" t="e"><v>#N/A</v></c>',
        '<c r="F2"><f>A1+1</f><v>2</v></c>',
        '<c r="F2" t="str"><f>A1</f><v></v></c>',
    ],
)
def test_a_cell_with_its_value_or_of_no_interest_does_not(tmp_path: Path, cell: str) -> None:
    rows = text_row(1, [*NAMES, "description", "note"]) + text_row(2, TEXTS, "", cell)
    write_parts(tmp_path / "export/contacts.xlsx", rows)
    frame, unreadable = contacts(tmp_path / "export", tmp_path / "in")
    assert (frame.height, unreadable) == (1, [])


def test_a_row_of_nothing_but_an_error_is_not_left_out(tmp_path: Path) -> None:
    lone = '<row r="3"><c r="B3" t="e"><v>#N/A</v></c></row>'
    rows = text_row(1, NAMES) + text_row(2, TEXTS) + lone + text_row(4, TEXTS)
    write_parts(tmp_path / "export/contacts.xlsx", rows)
    frame, unreadable = contacts(tmp_path / "export", tmp_path / "in")
    assert frame["source_line"].to_list() == [2, 4]
    assert [line for _, line, _ in unreadable] == [3]


def test_merged_cells_have_no_value_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "export/contacts.xlsx"
    write_workbook(path, {"a": [NAMES, TEXTS, TEXTS, TEXTS, TEXTS]})
    book = openpyxl.load_workbook(path)
    book["a"].merge_cells("B2:B3")
    book["a"].merge_cells("C5:D5")
    book["a"].merge_cells("H1:I9")
    book.save(path)
    frame, unreadable = contacts(tmp_path / "export", tmp_path / "in")
    assert frame["source_line"].to_list() == [2, 4]
    assert unreadable == [
        ("contacts.xlsx", 3, "lastname in cell B3 is merged with other cells"),
        ("contacts.xlsx", 5, "msdynce_isactivecustomer in cell D5 is merged with other cells"),
    ]


def test_an_open_document_is_read(tmp_path: Path) -> None:
    number = '<table:table-cell office:value-type="float" office:value="1067"/>'
    error = '<table:table-cell office:value-type="string" calcext:value-type="error"/>'
    formula = '<table:table-cell table:formula="of:=A1"/>'
    covered = "<table:covered-table-cell/>"
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    rows = ods_row([], empty, 3) + ods_row([*NAMES, "description"])
    rows += "".join(ods_row(TEXTS, one) for one in (number, error, formula, covered))
    rows += ods_row(TEXTS, number, 2) + ods_row([], empty, 1_000_000)
    write_ods(tmp_path / "export/contacts.ods", rows)
    frame, unreadable = contacts(tmp_path / "export", tmp_path / "in")
    assert frame.select("source_line", "description").rows() == [
        (5, "1067"), (9, "1067"), (10, "1067"),
    ]  # fmt: skip
    assert [(line, detail.partition(";")[0]) for _, line, detail in unreadable] == [
        (6, "description in cell F6 holds the error of a formula"),
        (7, "description in cell F7 holds a formula without its value"),
        (8, "description in cell F8 is merged with other cells"),
    ]


def test_the_ending_of_the_name_does_not_matter(tmp_path: Path) -> None:
    write_workbook(tmp_path / "a/contacts.ods", {"x": [NAMES, TEXTS]})
    write_ods(tmp_path / "b/contacts.XLSM", ods_row(NAMES) + ods_row(TEXTS))
    for folder in ("a", "b"):
        frame, _ = contacts(tmp_path / folder, tmp_path / "in")
        assert frame["lastname"].to_list() == ["Brown"]


def test_workbooks_may_be_the_parts_of_a_table(tmp_path: Path) -> None:
    write_view(tmp_path / "export/contacts/A-K.xlsx", [contact()])
    write_workbook(tmp_path / "export/contacts/L-Z.xlsx", {"a": [[*NAMES, "fax"], [*TEXTS, 1]]})
    (tmp_path / "export/contacts/~$A-K.xlsx").write_bytes(b"lock")
    frame, _ = contacts(tmp_path / "export", tmp_path / "in")
    assert frame.select("source_file", "source_line", "fax").rows() == [
        ("contacts/A-K.xlsx", 2, None), ("contacts/L-Z.xlsx", 2, "1"),
    ]  # fmt: skip


def test_an_export_that_ends_where_exports_end_is_noted(tmp_path: Path) -> None:
    lines = range(2, 100_001)
    rows = text_row(1, NAMES) + "".join(text_row(line, [ID]) for line in lines)
    error = '<row r="100001"><c r="A100001" t="e"><v>#N/A</v></c></row>'
    write_parts(tmp_path / "export/contacts/1.xlsx", rows)
    write_parts(tmp_path / "export/contacts/2.xlsx", rows + error)
    one = landed(tmp_path / "export", tmp_path / "in")["contacts"]
    assert [source.rows for source in one.sources] == [99_999, 99_999]
    assert one.notes == (
        Note(code="export_limit", detail="100,000", source_file="contacts/2.xlsx"),
    )


def test_a_mark_that_nobody_knows_is_noted_of_a_workbook_too(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [[*NAMES, "_my_deleted"], [*TEXTS, True], [*TEXTS, False]]
    write_workbook(tmp_path / "export/contacts.xlsx", {"a": rows})
    assert landed(tmp_path / "export", tmp_path / "in")["contacts"].notes == (
        Note(code="mark_unknown", detail="1 row of contacts", column="_my_deleted"),
    )


def test_side_files_may_be_workbooks(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [["Customer account", "Party number", "Company"]]
    rows += [["CON-1", 17, "usmf"]]
    path = write_workbook(tmp_path / "customers.xlsx", {"Customers": rows})
    frame, unreadable = land_file(path, CUSTOMERS_EXPORT, ReadOptions())
    assert not unreadable
    assert frame.rows() == [("CON-1", "17", "usmf", 2)]


def test_a_workbook_of_headers_has_no_rows(tmp_path: Path) -> None:
    write_workbook(tmp_path / "export/contacts.xlsx", {"a": [NAMES]})
    frame, unreadable = contacts(tmp_path / "export", tmp_path / "in")
    assert (frame.height, unreadable) == (0, [])
    assert set(NAMES) <= set(frame.columns)


def test_columns_that_lack_are_named(tmp_path: Path) -> None:
    write_workbook(tmp_path / "export/contacts.xlsx", {"a": [NAMES[:-1], TEXTS[:-1]]})
    with pytest.raises(SourceError, match=r"contacts\.xlsx: there is no column parentcustomerid"):
        contacts(tmp_path / "export", tmp_path / "in")
