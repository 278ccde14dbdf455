"""What a reader of workbooks does not tell of an OpenDocument one (``.ods``), sheet after sheet.

Cells and rows of such a file can be repeated a million times by one attribute.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

from pipeline.extract.files.workbook_scan import HAS_ERROR, MERGED, NOT_CALCULATED, SheetScan

CONTENT: Final = "content.xml"
_TAG: Final = re.compile(
    rb"<(?:table:)(table|table-row|table-cell|covered-table-cell)(?=[\s/>])([^>]*)>"
)
_REPEATED: Final = re.compile(rb'number-(?:rows|columns)-repeated="([0-9]{1,9})"')
_NAME: Final = re.compile(rb'table:name="([^"]*)"')
_LONGEST_TAG: Final = 1024 * 1024


def scan_documents(blocks: Iterator[bytes], name: str) -> dict[str, SheetScan]:
    """Look through all sheets, by their names.

    Args:
        blocks: the XML of the workbook.
        name: what messages call it.

    Raises:
        SourceError: there are too many cells without a value.
    """
    sheets: dict[str, SheetScan] = {}
    scan = SheetScan()
    row = column = repeated = 0
    for kind, attributes in _list_tags(blocks):
        count = int(found[1]) if (found := _REPEATED.search(attributes)) else 1
        if kind == b"table":
            scan = sheets.setdefault(_read_name(attributes), SheetScan())
            row, repeated = 0, 1
        elif kind == b"table-row":
            row, column, repeated = row + repeated, 0, count
        else:
            why = _find_trouble(kind, attributes)
            if why:
                scan.add_odd(row, column + 1, why, name)
            column += count
            if why or b"office:value-type=" in attributes:
                scan.rows = max(scan.rows, row + repeated - 1)
                scan.columns = max(scan.columns, column)
    return sheets


def _read_name(attributes: bytes) -> str:
    found = _NAME.search(attributes)
    return html.unescape(found[1].decode("utf-8", "replace")) if found else ""


def _find_trouble(kind: bytes, attributes: bytes) -> str:
    """Why a cell has no value; empty where it has one."""
    if kind == b"covered-table-cell":
        return MERGED
    if b'value-type="error"' in attributes:
        return HAS_ERROR
    if b"table:formula=" in attributes and b"office:value-type=" not in attributes:
        return NOT_CALCULATED
    return ""


def _list_tags(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Sheets, rows and cells as they begin: what it is, and its attributes."""
    rest = b""
    for block in blocks:
        rest += block
        cut = rest.rfind(b"<")
        if cut < 0 or len(rest) - cut > _LONGEST_TAG:
            cut = len(rest)
        for one in _TAG.finditer(rest, 0, cut):
            yield one[1], one[2]
        rest = rest[cut:]
    for one in _TAG.finditer(rest):
        yield one[1], one[2]
