"""A table of text as the smallest workbook that Excel opens; nothing in it is a formula."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Final
from xml.sax.saxutils import escape

import polars as pl

_ESCAPED: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""What XML cannot hold, and what would be read as an escape."""
_SPREADSHEET: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET: Final = "xl/worksheets/sheet1.xml"
_RELATED: Final = (
    f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_RELATIONS}/{{kind}}" Target="{{target}}"/></Relationships>'
)
_PARTS: Final = MappingProxyType(
    {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/{_SHEET}" ContentType="{_TYPE}.worksheet+xml"/></Types>'
        ),
        "_rels/.rels": _RELATED.format(kind="officeDocument", target="xl/workbook.xml"),
        "xl/_rels/workbook.xml.rels": _RELATED.format(
            kind="worksheet", target="worksheets/sheet1.xml"
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_RELATIONS}"><sheets>'
            '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
    }
)


def write_workbook(path: Path, rows: pl.DataFrame) -> None:
    """Write rows under their columns' names; all columns are text, and null is an empty cell."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in _PARTS.items():
            packed.writestr(name, text)
        with packed.open(_SHEET, "w") as file:
            for text in _render_sheet(rows):
                file.write(text.encode())


def _render_sheet(rows: pl.DataFrame) -> Iterator[str]:
    yield f'<worksheet xmlns="{_SPREADSHEET}"><sheetData>'
    yield _render_row(rows.columns)
    yield from map(_render_row, rows.iter_rows())
    yield "</sheetData></worksheet>"


def _render_row(texts: Iterable[str | None]) -> str:
    return f"<row>{''.join(map(_render_cell, texts))}</row>"


def _render_cell(text: str | None) -> str:
    if not text:
        return "<c/>"
    escaped = escape(_ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", text))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escaped}</t></is></c>'
