"""Workbooks that are protected, broken, too large or none: a sentence, and little memory."""

from __future__ import annotations

import contextlib
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SourceError
from pipeline.extract.records import ReadOptions
from tests.scenes.reading import ID, contacts
from tests.scenes.workbooks import (
    NAMES,
    ods_row,
    text_cell,
    text_row,
    write_ods,
    write_parts,
    write_workbook,
)

TEXTS = (ID, "Brown", "CON-01000-ZQE454", "true", "")
TABLE = text_row(1, NAMES) + text_row(2, TEXTS)
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 504


def refuse(tmp_path: Path, **limits: Any) -> str:
    options = ReadOptions(**limits)
    with pytest.raises(SourceError) as caught:
        contacts(tmp_path / "export", tmp_path / "in", options=options)
    assert "Brown" not in str(caught.value)
    assert not list((tmp_path / "in").glob("*.parquet"))
    return str(caught.value)


def put(tmp_path: Path, content: bytes, name: str = "contacts.xlsx") -> None:
    (tmp_path / "export").mkdir(exist_ok=True)
    (tmp_path / "export" / name).write_bytes(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (OLE + "EncryptedPackage".encode("utf-16-le"), "is protected with a password"),
        (OLE + b"\0" * 1_048_000 + "DataSpaces".encode("utf-16-le"), "is protected with a pass"),
        (OLE + "Workbook".encode("utf-16-le"), "is an old Excel workbook: open it in Excel"),
        (b"\xef\xbb\xbf<html xmlns:x='urn:'><table>", "is a web page or XML that is named like"),
        (
            b"\n<?xml version='1.0'?><?mso-application progid='Excel.Sheet'?>",
            "is a web page or XML",
        ),
        (b"contactid,lastname\r\n" + TEXTS[0].encode(), "is text, not a workbook"),
        ("contactid\tlastname".encode("utf-16"), "is text, not a workbook"),
        (b"\x00\x01\x02", "is not a whole Excel workbook"),
        (b"PK\x03\x04\x14\x00", "is not a whole Excel workbook, or is damaged"),
    ],
)
def test_what_is_no_workbook_is_called_by_its_name(
    tmp_path: Path, content: bytes, words: str
) -> None:
    for name in ("contacts.xlsx", "contacts.xls", "contacts.ods"):
        put(tmp_path, content, name)
        assert f"{name}: {words}" in refuse(tmp_path)
        (tmp_path / "export" / name).unlink()


def test_a_zip_of_something_else_is_called_so(tmp_path: Path) -> None:
    put(tmp_path, b"")
    for part, words in (
        ("contacts.csv", "is a zip file, but not an Excel workbook"),
        ("xl/workbook.bin", "is a binary workbook: open it in Excel and save it as"),
    ):
        with zipfile.ZipFile(tmp_path / "export/contacts.xlsx", "w") as packed:
            packed.writestr(part, "x")
        assert f"contacts.xlsx: {words}" in refuse(tmp_path)


def test_a_workbook_that_was_cut_or_altered_is_refused_and_never_read_wrong(
    tmp_path: Path,
) -> None:
    path = write_workbook(tmp_path / "export/contacts.xlsx", {"a": [NAMES, TEXTS, TEXTS]})
    whole, chance = path.read_bytes(), random.Random(7)  # noqa: S311 - the same each time
    before, _ = contacts(tmp_path / "export", tmp_path / "in")
    for _ in range(150):
        cut = chance.randrange(1, len(whole))
        kept = whole[:cut] if chance.random() < 0.2 else bytearray(whole)
        if isinstance(kept, bytearray):
            kept[cut] ^= 1 << chance.randrange(8)
        put(tmp_path, bytes(kept))
        with contextlib.suppress(SourceError):
            after, unreadable = contacts(tmp_path / "export", tmp_path / "in")
            assert (after.rows(), unreadable) == (before.rows(), [])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (TABLE[:-40], "is damaged"),
        (TABLE + '<row r="3"><c r="A3" t="s"><v>7</v></c></row>', "is damaged"),
        (TABLE + '<row r="3"><c r="G3" t="e"><v>#SPILL!</v></c></row>', "is damaged"),
        (TABLE + '<row r="3"><c t="e"><v>#N/A</v></c></row>', "does not say where it is"),
        ("", "none of the first 20 rows"),
    ],
)
def test_a_sheet_that_makes_no_sense_is_refused(tmp_path: Path, rows: str, words: str) -> None:
    write_parts(tmp_path / "export/contacts.xlsx", rows)
    assert words in refuse(tmp_path)


@pytest.mark.parametrize(
    "far",
    [
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        "<row r='1048576'><c s='1' r='XFD1048576' t='str'><v>x</v></c></row>",
        '<row r="3"><c r="XFD3"><v>1</v></c><c r="A1048576"><v>1</v></c></row>',
        f'<row r="1048576">{"<c/>" * 16_383}{text_cell("x")}</row>',
    ],
    ids=["corner", "apostrophes", "two", "no references"],
)
def test_a_cell_far_away_is_refused_before_it_takes_all_memory(tmp_path: Path, far: str) -> None:
    write_parts(tmp_path / "export/contacts.xlsx", TABLE + far)
    assert (
        "the sheet 'People & more' reaches to row 1,048,576 and column 16,384, which is more than"
        in refuse(tmp_path)
    )


def test_empty_cells_far_away_are_nothing(tmp_path: Path) -> None:
    far = '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
    write_parts(tmp_path / "export/contacts.xlsx", TABLE + far)
    frame, _ = contacts(tmp_path / "export", tmp_path / "in")
    assert frame["lastname"].to_list() == ["Brown"]


def test_cells_of_an_open_document_that_are_repeated_without_end_are_refused(
    tmp_path: Path,
) -> None:
    many = (
        '<table:table-cell table:number-columns-repeated="16384" office:value-type="float" '
        'office:value="1"/>'
    )
    rows = ods_row(NAMES) + ods_row(TEXTS) + ods_row([], many, 1_000_000)
    write_ods(tmp_path / "export/contacts.ods", rows)
    assert "reaches to row 1,000,002 and column 16,384" in refuse(tmp_path)


def test_a_workbook_that_unpacks_to_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    write_parts(tmp_path / "export/contacts.xlsx", TABLE, others={"xl/a.xml": b" " * 5_000_000})
    assert "at most 4,000,000 are read" in refuse(tmp_path, unpacked_limit=4_000_000)
    frame, _ = contacts(tmp_path / "export", tmp_path / "in")
    assert frame.height == 1


def test_a_workbook_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "export/contacts.xlsx", TABLE + text_row(3, TEXTS) * 9_000)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as packed:
        size = struct.pack("<L", packed.getinfo("xl/worksheets/one.xml").file_size)
    path.write_bytes(content.replace(size, struct.pack("<L", 1000)))
    assert "is damaged" in refuse(tmp_path)


def test_a_workbook_whose_sheets_do_not_show_is_refused(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "export/contacts.xlsx", {"a": [NAMES, TEXTS]})
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        b"sheetId=", b'state="hidden" sheetId='
    )
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    assert "contacts.xlsx: shows no sheet" in refuse(tmp_path)
