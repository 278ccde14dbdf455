"""What a reader of workbooks does not tell: how far a sheet goes, and cells that have no value.

The reader holds every cell of the rectangle that a sheet fills, so one stray cell in the last row
and column would take all memory; and it gives blanks for errors of formulas, and for formulas that
nobody calculated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.errors import SourceError

HAS_ERROR: Final = "holds the error of a formula"
NOT_CALCULATED: Final = "holds a formula without its value; save the workbook in Excel"
MERGED: Final = "is merged with other cells"

_REFERENCE: Final = re.compile(rb'(?:^|\s)r="([A-Z]{1,3})([0-9]{1,7})"')
_LONGEST_CELL: Final = 64 * 1024 * 1024
_MOST_ODD: Final = 1_000_000
_ROW_DIGITS: Final = 8

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


@dataclass(kw_only=True, slots=True)
class SheetScan:
    """The last row and column that a sheet may fill, counted from 1, and its odd cells.

    ``odd``: row and column, counted from 1, → why the cell has no value that can be read.
    """

    rows: int = 0
    columns: int = 0
    odd: dict[tuple[int, int], str] = field(default_factory=dict)

    def add_odd(self, row: int, column: int, why: str, name: str) -> None:
        """Note a cell without a value.

        Raises:
            SourceError: there are too many.
        """
        self.odd[row, column] = why
        if len(self.odd) > _MOST_ODD:
            raise SourceError(
                f"more than {_MOST_ODD:,} cells hold errors or formulas without values: replace "
                "the formulas by their values.",
                where=name,
            )


def scan_sheet(read: Callable[[], Iterator[bytes]], name: str, most_cells: int) -> SheetScan:
    """Look through a sheet of an Excel workbook.

    Args:
        read: gives the XML of the sheet, in blocks, each time that it is called.
        name: what messages call the workbook.
        most_cells: how many cells may be looked at without being counted one by one.

    Raises:
        SourceError: a cell without a value does not say where it is, or the XML makes no sense.
    """
    found, places, cells = SheetScan(), 0, 0
    for given, tag in _cut_between_cells(read(), name):
        cut = given.replace(b"'", b'"') if b"='" in given else given
        attributes = _find_attributes(cut)
        columns, rows = _read_references(attributes)
        places += len(rows)
        cells += cut.count(b"<" + tag + b"c")
        if len(rows):
            found.columns = max(found.columns, int(columns.max()))
            found.rows = max(found.rows, int(rows.max()))
        if _has_error(attributes):
            for row, column in _find_errors(cut, tag, name):
                found.add_odd(row, column, HAS_ERROR, name)
        if b"<" + tag + b"f" in cut:
            for row, column in _find_uncalculated(cut, tag, name):
                found.add_odd(row, column, NOT_CALCULATED, name)
    if places < cells or found.rows * found.columns > most_cells:
        found.rows, found.columns = _measure_exactly(read(), name)
    return found


def _cut_between_cells(blocks: Iterator[bytes], name: str) -> Iterator[tuple[bytes, bytes]]:
    """The cells of a sheet as XML, in pieces that end between cells, and their prefix."""
    rest, tag = b"", b""
    is_inside = False
    for block in blocks:
        rest += block
        if not is_inside:
            start = re.search(rb"<([\w.-]+:)?sheetData\s*>", rest)
            if start is None:
                rest = rest[-1024:] if len(rest) > _LONGEST_CELL else rest
                continue
            is_inside, tag, rest = True, start[1] or b"", rest[start.end() :]
        end = rest.find(b"</" + tag + b"sheetData")
        if end >= 0:
            yield rest[:end], tag
            for _ in blocks:  # To the end, so that the checksum is looked at.
                pass
            return
        cut = max(rest.rfind(b"<" + tag + b"c "), rest.rfind(b"<" + tag + b"c>"))
        if cut > 0:
            yield rest[:cut], tag
            rest = rest[cut:]
        elif len(rest) > _LONGEST_CELL:
            raise SourceError("holds a cell that never ends: export it again.", where=name)
    if is_inside and rest:
        yield rest, tag


@dataclass(frozen=True, kw_only=True, slots=True)
class _Attributes:
    """XML as bytes, and where the values of all attributes begin in it, with their quotes."""

    text: Bytes
    quotes: Places

    def start(self, name: str) -> Places:
        """Where the values of an attribute begin; its name has one letter."""
        at: Places = self.quotes[self.text[self.quotes - 2] == ord(name)]
        found: Places = at[self.text[at - 3] <= ord(" ")] + 1
        return found


def _find_attributes(cut: bytes) -> _Attributes:
    text: Bytes = np.frombuffer(cut + b"\0" * 16, np.uint8)
    quotes: Places = np.flatnonzero(text == ord('"'))
    quotes = quotes[quotes >= len(' r="') - 1]
    return _Attributes(text=text, quotes=quotes[text[quotes - 1] == ord("=")])


def _has_error(attributes: _Attributes) -> bool:
    at, text = attributes.start("t"), attributes.text
    return bool(((text[at] == ord("e")) & (text[at + 1] == ord('"'))).any())


def _read_references(attributes: _Attributes) -> tuple[Places, Places]:
    """Columns and rows of all references ``r="B12"``, counted from 1."""
    text, at = attributes.text, attributes.start("r")
    at = at[_is_letter(text[at])]
    column = np.zeros(len(at), np.int64)
    for _ in range(3):
        letter = _is_letter(text[at])
        column = np.where(letter, column * 26 + (text[at] - ord("A") + 1), column)
        at = at + letter
    row = np.zeros(len(at), np.int64)
    for _ in range(_ROW_DIGITS):
        digit = (text[at] >= ord("0")) & (text[at] <= ord("9"))
        if not digit.any():
            break
        row = np.where(digit, row * 10 + (text[at] - ord("0")), row)
        at = at + digit
    return column, row


def _is_letter(text: Bytes) -> npt.NDArray[np.bool_]:
    return (text >= ord("A")) & (text <= ord("Z"))


def _find_errors(cut: bytes, tag: bytes, name: str) -> Iterator[tuple[int, int]]:
    """Row and column of cells that hold an error."""
    for one in re.finditer(rb"<" + re.escape(tag) + rb"c(\s[^>]*)>", cut):
        if re.search(rb'\st="e"', one[1]):
            yield _find_place(one[1], name, HAS_ERROR)


def _find_uncalculated(cut: bytes, tag: bytes, name: str) -> Iterator[tuple[int, int]]:
    """Row and column of cells that hold a formula and no value.

    Programs that do not calculate write an empty one; Excel says of an empty text that it is text.
    """
    prefix = re.escape(tag)
    formula = rb"<" + prefix + rb"f(?:\s[^>]*)?(?:/>|>[^<]*</" + prefix + rb"f>)\s*"
    value = rb"(<" + prefix + rb"v\s*/>\s*|<" + prefix + rb"v>\s*</" + prefix + rb"v>\s*)?"
    cell = rb"<" + prefix + rb"c(\s[^>]*)?>\s*" + formula + value + rb"</" + prefix + rb"c>"
    for one in re.finditer(cell, cut):
        if one[2] is None or b't="str"' not in (one[1] or b""):
            yield _find_place(one[1] or b"", name, NOT_CALCULATED)


def _find_place(attributes: bytes, name: str, why: str) -> tuple[int, int]:
    place = _REFERENCE.search(attributes)
    if place is None:
        raise SourceError(
            f"a cell, of which the file does not say where it is, {why}. Save the workbook again.",
            where=name,
        )
    return int(place[2]), read_letters(place[1])


def read_letters(letters: bytes) -> int:
    """The number of a column, counted from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _measure_exactly(blocks: Iterator[bytes], name: str) -> tuple[int, int]:
    """Last row and column with a cell that is not empty; cells need not say where they are."""
    rows = columns = row = column = 0
    for cut, tag in _cut_between_cells(blocks, name):
        for one in re.finditer(rb"<" + re.escape(tag) + rb"(row|c)(?=[\s/>])([^>]*)>", cut):
            attributes = one[2].replace(b"'", b'"')
            if one[1] == b"row":
                said = re.search(rb'(?:^|\s)r="([0-9]{1,8})"', attributes)
                row, column = int(said[1]) if said else row + 1, 0
                continue
            place = _REFERENCE.search(attributes)
            row, column = (int(place[2]), read_letters(place[1])) if place else (row, column + 1)
            if not attributes.endswith(b"/"):
                rows, columns = max(rows, row), max(columns, column)
    return rows, columns
