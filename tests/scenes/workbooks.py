"""Workbooks as people and programs write them: by a library, by Dynamics 365, or piece by piece."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import quote

import xlsxwriter

from tests.scenes.reading import HEADER, ID

Cell: TypeAlias = str | float | bool | dt.datetime | dt.date | None

LABELS: Final = {
    "contactid": "(Do Not Modify) Contact",
    "checksumLogicalName": "(Do Not Modify) Row Checksum",
    "modifiedon": "(Do Not Modify) Modified On",
    "lastname": "Last Name",
    "msdynce_contactnumber": "Contact Number",
    "msdynce_isactivecustomer": "Is Active Customer",
    "parentcustomerid": "Company Name",
}
"""The columns of a view, by logical name."""
GERMAN: Final = {
    "contactid": "(Nicht ändern) Kontakt",
    "checksumLogicalName": "(Nicht ändern) Zeilenprüfsumme",
    "modifiedon": "(Nicht ändern) Geändert am",
    "lastname": "Nachname",
    "msdynce_contactnumber": "Kontakt-Nr. = Schlüssel",
    "msdynce_isactivecustomer": "Aktiver Kunde & mehr",
    "parentcustomerid": "Firma (B2B)",
}
WHEN: Final = dt.datetime(2026, 3, 2, 8, 0, 30)  # noqa: DTZ001 - a sheet knows no zone
NAMES: Final = HEADER.split(",")


def contact(**other: Cell) -> dict[str, Cell]:
    """A contact as a view has it, with other values."""
    ordinary: dict[str, Cell] = {
        "contactid": ID,
        "checksumLogicalName": "rZ8xAAAA==",
        "modifiedon": WHEN,
        "lastname": "Brown",
        "msdynce_contactnumber": "CON-01000-ZQE454",
        "msdynce_isactivecustomer": True,
        "parentcustomerid": None,
    }
    return ordinary | other


def write_workbook(
    path: Path,
    sheets: Mapping[str, Sequence[Sequence[Cell]]],
    *,
    export: str = "",
    hidden: Sequence[str] = (),
    date_1904: bool = False,
) -> Path:
    """Write a workbook.

    Args:
        path: the file.
        sheets: name → rows of cells.
        export: what a very hidden sheet has in its first cell, as Dynamics 365 writes it.
        hidden: sheets that do not show.
        date_1904: count days from 1904 on, as old programs of Apple do.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {
        "default_date_format": "yyyy-mm-dd hh:mm:ss",
        "date_1904": date_1904,
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(path, options) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            if name in hidden:
                sheet.hide()
        if export:
            sheet = book.add_worksheet("hiddenSheet")
            sheet.write_string(0, 0, export)
            sheet.write_row(1, 0, ["Active", "Inactive"])
            sheet.very_hidden()
    return path


def write_view(
    path: Path,
    rows: Sequence[Mapping[str, Cell]],
    labels: Mapping[str, str] = LABELS,
    *,
    table: str = "contact",
    links: Mapping[str, str] | None = None,
) -> Path:
    """A view as Dynamics 365 exports it.

    Args:
        path: the file.
        rows: column by logical name → value.
        labels: logical name → label, as the sheet shows them.
        table: the logical name of the table.
        links: columns of other tables: ``<link>.<column>`` → label.
    """
    shown = {**labels, **(links or {})}
    cells: list[list[Cell]] = [list(shown.values())]
    cells += [[row.get(name) for name in shown] for row in rows]
    return write_workbook(path, {"View": cells}, export=name_columns(shown, table))


def name_columns(labels: Mapping[str, str], table: str = "contact") -> str:
    """What the hidden sheet of an export says."""
    pairs = "&".join(f"{quote(name)}={quote(label, safe='')}" for name, label in labels.items())
    return f"{table}:Lw+x/9nQ==:{pairs}"


_NAMESPACE: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"


def write_parts(
    path: Path, rows: str, *, tag: str = "", others: Mapping[str, bytes] | None = None
) -> Path:
    """A workbook with one sheet, out of the XML of its rows.

    Args:
        path: the file.
        rows: ``<row …>``, each with its cells; ``tag`` is their prefix.
        tag: ``x:``, as the library of Microsoft writes it, or nothing.
        others: further parts of the file.
    """
    space = f'xmlns{":" + tag[:-1] if tag else ""}="{_NAMESPACE}"'
    parts = {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/></Types>'
        ),
        "_rels/.rels": _relate("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": (
            f'<{tag}workbook {space} xmlns:r="{_RELATIONS}"><{tag}sheets>'
            f'<{tag}sheet name="People &amp; more" sheetId="1" r:id="r1"/>'
            f"</{tag}sheets></{tag}workbook>"
        ),
        "xl/_rels/workbook.xml.rels": _relate("worksheet", "/xl/worksheets/one.xml"),
        "xl/worksheets/one.xml": (
            f"<{tag}worksheet {space}><{tag}sheetData>{rows}</{tag}sheetData></{tag}worksheet>"
        ),
    }
    return _pack(path, {**{name: text.encode() for name, text in parts.items()}, **(others or {})})


def _relate(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_RELATIONS}/{kind}" Target="{target}"/></Relationships>'
    )


def text_cell(text: str, tag: str = "", place: str = "") -> str:
    """A cell with its text in it."""
    at = f' r="{place}"' if place else ""
    return f'<{tag}c{at} t="inlineStr"><{tag}is><{tag}t>{text}</{tag}t></{tag}is></{tag}c>'


def text_row(number: int, texts: Sequence[str], tag: str = "", more: str = "") -> str:
    """A row of texts from column A on, and ``more`` cells behind."""
    cells = "".join(
        text_cell(text, tag, f"{chr(ord('A') + place)}{number}") for place, text in enumerate(texts)
    )
    return f'<{tag}row r="{number}">{cells}{more}</{tag}row>'


def write_ods(path: Path, rows: str) -> Path:
    """An OpenDocument workbook with one sheet, out of the XML of its rows."""
    name = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{one}="{name}:{one}:1.0"' for one in ("office", "table", "text"))
    other = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    media = "application/vnd.oasis.opendocument.spreadsheet"
    return _pack(
        path,
        {
            "mimetype": media.encode(),
            "META-INF/manifest.xml": (
                f'<manifest:manifest xmlns:manifest="{name}:manifest:1.0"><manifest:file-entry '
                f'manifest:full-path="/" manifest:media-type="{media}"/></manifest:manifest>'
            ).encode(),
            "content.xml": (
                f"<office:document-content {spaces} {other}><office:body><office:spreadsheet>"
                f'<table:table table:name="Contacts of mine">{rows}</table:table>'
                "</office:spreadsheet></office:body></office:document-content>"
            ).encode(),
        },
    )


def ods_row(texts: Sequence[str], more: str = "", repeated: int = 1) -> str:
    """A row of texts, and ``more`` cells behind."""
    cells = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
        if text
        else "<table:table-cell/>"
        for text in texts
    )
    return (
        f'<table:table-row table:number-rows-repeated="{repeated}">{cells}{more}</table:table-row>'
    )


def _pack(path: Path, parts: Mapping[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return path
