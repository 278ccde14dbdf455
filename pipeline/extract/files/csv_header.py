"""The dialect and the header line of a CSV file, by proof.

The delimiter is the one under which the first line has the most names of columns that are known.
What cannot be proved is refused, in words that show nothing of a first line that could be a row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import SourceError
from pipeline.extract.files.csv_bounds import Dialect
from pipeline.extract.files.csv_strict import Record, StrictRecords, read_strict
from pipeline.extract.files.csv_text import CsvText
from pipeline.extract.files.header_again import HeaderAgain
from pipeline.extract.headers import ColumnSelection, looks_like_data
from pipeline.extract.spellings import Cells
from schemas.catalogue import Table
from schemas.sales import TABLES

_DELIMITERS: Final = (",", ";", "\t", "|", "~", "\x01", "\x1f", "^", ":")
_NAMES: Final = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "\x01": "the control character 1",
    "\x1f": "the control character 31",
}
_SEPARATOR_LINE: Final = re.compile(
    rb"[\r\n]*sep=([^\w\"'\r\n\x80-\xff])\r?[\r\n]", re.IGNORECASE | re.ASCII
)
_TYPE_LINE: Final = re.compile(rb'[\r\n]*"?#TYPE [^\r\n]*+\r?[\r\n]')
_FIXED: Final = re.compile(r" {2,}|\s*[|+]\s*")
_DRESSED: Final = re.compile(r"[^\[\]]*\[([^\[\]]+)\]|[^.]+\.[\"'`]?(\w+)[\"'`]?")
"""A column as DAX Studio, SQL and joins write it: ``contact[fax]``, ``[fax]``, ``c.fax``."""
_FEW: Final = 2
"""Rows that show how lines end, at least."""
_MOST: Final = 20
"""Lines in which a header is looked for, to say where it is; rows that show how lines end, at
most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """The first record under one delimiter, and how many of its cells are known columns."""

    dialect: Dialect
    read: StrictRecords
    known: int

    @property
    def record(self) -> Record:
        return self.read.records[0]


def read_header(text: CsvText, selection: ColumnSelection) -> tuple[Dialect, list[str]]:
    """The dialect and the columns, by the first line that is not blank; both are used up.

    A line ``sep=;``, as Excel takes it, and the line ``#TYPE`` of PowerShell may stand before it.

    Raises:
        SourceError: the file is empty, or has no header line that can be understood.
    """
    line_end = text.find_line_end()
    given = _skip_preamble(text, line_end)
    first = text.read_first_record()
    readings = [
        _read_under(first, Dialect(delimiter=one, line_end=line_end), text, selection)
        for one in (_DELIMITERS if given is None else (given,))
    ]
    found = max(
        (one for one in readings if one.read.records),
        key=lambda one: (one.known, len(one.record.fields)),
        default=None,
    )
    if found is None:
        raise SourceError(
            "is empty. Export it again, or remove the file."
            if given is None and not text.rest.strip()
            else "has no header line.",
            where=text.name,
        )
    if found.record.trouble is not None:
        raise SourceError(
            f"the header line cannot be read: {found.record.trouble}.", where=text.name
        )
    text.take(found.read.end, found.read.breaks)
    _refuse_rows(found, text, selection)
    return found.dialect, _fit_to_rows(list(found.record.fields), text, found.dialect)


def _fit_to_rows(header: list[str], text: CsvText, dialect: Dialect) -> list[str]:
    """The header, if all of the first rows end with a delimiter and it does not, or vice versa."""
    read = read_strict(text.rest, dialect, text.limit, is_last=text.ended, most=_MOST)
    while len(read.records) < _MOST and len(text.rest) <= _MOST * text.limit and not text.ended:
        text.read_more()
        read = read_strict(text.rest, dialect, text.limit, is_last=text.ended, most=_MOST)
    rows = [one.fields for one in read.records if one.trouble is None]
    if len(rows) < _FEW or b'\\"' in text.rest[: read.end]:  # A backslash may escape the quote.
        return header
    if all(len(row) == len(header) + 1 and not row[-1] for row in rows):
        return [*header, ""]
    if not header[-1].strip() and all(len(row) == len(header) - 1 for row in rows):
        return header[:-1]
    return header


class NoRows:
    """What stands among the rows of a file with a header line and is none.

    Rows of nothing but delimiters, as spreadsheets write them behind the last row; and the header
    again, where files were put together.
    """

    def __init__(self, again: HeaderAgain, dialect: Dialect, width: int) -> None:
        """``width``: cells of a row."""
        self._header, self._width = again, width
        names = [*again.names, *("\ufeff" + name for name in again.names)]
        self._names = pa.array(names, pa.string())
        mark = re.escape(dialect.delimiter.encode())
        self._blank = re.compile(rb'(?:\A|[\r\n])(?:"")?(?:%b(?:"")?)+(?:[\r\n]|\Z)' % mark)

    def may_be_blank(self, block: bytes, shortest: int) -> bool:
        """Whether a block could hold rows of nothing but delimiters.

        Args:
            block: the text.
            shortest: bytes of its shortest row: nearly always more than such a row has.
        """
        return shortest <= 3 * self._width and self._blank.search(block) is not None

    def repeat_header(self, cells: Mapping[str, Cells]) -> bool:
        """Whether rows have the name of a column where their id stands."""
        if self._header.column not in cells or not len(self._names):
            return False
        ids = cells[self._header.column]
        return bool(pc.any(pc.is_in(ids, value_set=self._names)).as_py())

    def drop(self, records: Sequence[Record], line: int) -> list[Record]:
        """The records that are rows, or cannot be read; the first physical line is ``line``.

        Raises:
            SourceError: the header comes again, with the columns in another order.
        """
        return [
            one
            for one in records
            if one.trouble is not None
            or not (_is_blank(one) or self._header.is_header(one.fields, one.line + line))
        ]


def find_no_rows(
    text: CsvText,
    dialect: Dialect,
    header: Sequence[str],
    picked: Mapping[str, Sequence[int]],
    table: Table,
) -> NoRows:
    """What is no row of a file; ``picked`` are the places of the columns in its header."""
    again = HeaderAgain(header, picked, table, text.name)
    return NoRows(again, dialect, len(header))


def _is_blank(record: Record) -> bool:
    return len(record.fields) > 1 and not any(record.fields)


def _skip_preamble(text: CsvText, line_end: bytes) -> str | None:
    """Pass the lines before the header; the delimiter that one of them says."""
    given = None
    for _ in range(2):
        for line in (_TYPE_LINE, _SEPARATOR_LINE):
            found = line.match(text.rest)
            if found is not None:
                given = found.group(1).decode() if line is _SEPARATOR_LINE else given
                text.take(found.end(), found.group().count(line_end))
                text.find_line_end()
    return given


def _read_under(
    first: bytes, dialect: Dialect, text: CsvText, selection: ColumnSelection
) -> _Reading:
    read = read_strict(first, dialect, text.limit, is_last=True, most=1)
    known = selection.count_known(read.records[0].fields) if read.records else 0
    return _Reading(dialect=dialect, read=read, known=known)


def _refuse_rows(found: _Reading, text: CsvText, selection: ColumnSelection) -> None:
    """Refuse a first line that is a row, or that has no column that is known."""
    cells = found.record.fields
    if looks_like_data(cells):
        raise SourceError(
            "has no header line: row 1 looks like data. Export it again with the names of the "
            "columns in the first line.",
            where=text.name,
        )
    wrapper = selection.explain_wrapper(cells)
    if found.known and wrapper is None:
        return
    reason = (
        wrapper
        or _explain_whole(found, selection)
        or _explain_dress(cells, selection)
        or _explain_form(cells)
        or _explain_place(found, text, selection)
        or _explain_fixed(cells, selection)
        or _explain_other_table(cells)
        or _explain_delimiter(found)
    )
    needed = ", ".join(" or ".join(group) for group in selection.table.required)
    needs = f" p2c needs the columns {needed}." if needed else ""
    raise SourceError(f"{reason}{needs}", where=text.name)


def _explain_form(cells: Sequence[str]) -> str | None:
    """Whether the file is of another form."""
    start = cells[0].lstrip()[:1]
    if start in {"{", "["}:
        return "is JSON: let its name end in .json, or in .jsonl if each line is a row."
    return "is XML: let its name end in .xml." if start == "<" else None


def _explain_dress(cells: Sequence[str], selection: ColumnSelection) -> str | None:
    """Whether the names of the columns have signs, or the name of a table, around them."""
    if selection.count_known([cell.strip().strip("'`") for cell in cells]):
        return (
            "the columns in its header line are quoted with ' or `, which is not read: export it "
            'with double quotes (").'
        )
    found = [_DRESSED.fullmatch(cell.strip()) for cell in cells]
    bare = [one.group(1) or one.group(2) for one in found if one is not None]
    if not selection.count_known(bare):
        return None
    return (
        "the columns in its header line have brackets or the name of a table around them, as in "
        f"{selection.table.singular}[{selection.table.key}]. Export plain names, such as "
        f"{selection.table.key}."
    )


def _explain_whole(found: _Reading, selection: ColumnSelection) -> str | None:
    """Whether quotes around each line make one value of it, under any delimiter."""
    cell, *others = found.record.fields
    was_said = found.dialect.delimiter not in {_DELIMITERS[0], *cell}
    if others or was_said or max(selection.count_known(cell.split(x)) for x in _DELIMITERS) < _FEW:
        return None
    return (
        "its header line is in quotes as a whole, so that all columns are one: a tool took each "
        "line for one value. Export it again."
    )


def _explain_place(found: _Reading, text: CsvText, selection: ColumnSelection) -> str | None:
    """Whether the header comes later."""
    for _ in range(_MOST):
        line = text.line
        first = text.read_first_record()
        readings = [
            _read_under(
                first,
                Dialect(delimiter=one, line_end=found.dialect.line_end),
                text,
                selection,
            )
            for one in _DELIMITERS
        ]
        best = max(readings, key=lambda one: one.known)
        if not best.read.records:
            return None
        if best.known > 1 and not looks_like_data(best.record.fields):
            place = line + best.record.line
            return (
                f"has no header line at its beginning: the names of the columns stand in line "
                f"{place}. Delete the lines above it."
            )
        text.take(best.read.end, best.read.breaks)
    return None


def _explain_fixed(cells: Sequence[str], selection: ColumnSelection) -> str | None:
    parts = _FIXED.split(" ".join(cells).strip())
    if selection.count_known(parts) < min(len(parts), 2):
        return None
    return (
        "has no header line whose columns are divided by a delimiter: they are set in columns of "
        "fixed width. Export it as CSV."
    )


def _explain_other_table(cells: Sequence[str]) -> str | None:
    """Whether the columns are those of another table."""
    folded = {cell.strip().casefold() for cell in cells}
    other = next((name for name, table in TABLES.items() if table.key in folded), None)
    if other is None:
        return None
    return f"has the columns of {other}: give each file the name of its table."


def _explain_delimiter(found: _Reading) -> str:
    """What the first line looks like."""
    cells = found.record.fields
    if len(cells) > 1:
        return (
            "has no header line with columns that p2c knows: row 1 has "
            f"{len(cells)} cells, divided by {_name(found.dialect.delimiter)}, and none is such a "
            "name. If row 1 is data, export it again with a header line; if it has labels of "
            "another language, export logical names."
        )
    signs = Counter(sign for sign in cells[0] if not sign.isalnum() and sign not in " _.-\"'")
    usual = signs.most_common(1)
    guess = (
        f" Is it divided by {_name(usual[0][0])}? Then put a line sep={usual[0][0]} in front."
        if usual and usual[0][1] > 1 and usual[0][0].isascii()
        else " If something else than a comma, semicolon or tab divides the columns, put a line "
        "like sep=| in front, with that delimiter."
    )
    return (
        "has no header line with columns that p2c knows: row 1 is one cell, under every usual "
        f"delimiter.{guess}"
    )


def _name(delimiter: str) -> str:
    return _NAMES.get(delimiter, f"`{delimiter}`")
