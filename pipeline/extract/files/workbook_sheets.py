"""Which sheet of a workbook holds a table, and which of its rows is the header."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from typing import Final

from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from pipeline.errors import SourceError
from pipeline.extract.files.workbook_cells import render_cell
from pipeline.extract.files.workbook_export import HIDDEN_SHEET, ExportNames, read_export_names
from pipeline.extract.files.workbook_file import (
    MOST_UNPACKED,
    WorkbookFile,
    WorkbookKind,
    look_into,
    refusing_broken,
)
from pipeline.extract.files.workbook_ods import CONTENT, scan_documents
from pipeline.extract.files.workbook_scan import SheetScan, scan_sheet
from pipeline.extract.headers import ColumnSelection
from schemas.catalogue import Table
from schemas.sales import TABLES
from schemas.text import WHITE_SPACE

MOST_CELLS: Final = 32 * 1024 * 1024
"""Cells of the rectangle that a sheet fills; the reader needs 32 bytes for each."""
_HEADER_ROWS: Final = 20
"""So many rows from the first filled one on are looked at for a header."""
_PROOF: Final = 2
"""So many known columns make a row a header that lacks some."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetHead:
    """The first rows of a sheet, as headers: number of the row → its cells as text."""

    name: str
    rows: dict[int, list[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedSheet:
    """A sheet whose cells are in memory; ``head`` has logical names where the workbook has them."""

    head: SheetHead
    sheet: CalamineSheet
    scan: SheetScan


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenWorkbook:
    """A workbook, its visible sheets, and the names that an export of Dynamics 365 has."""

    file: WorkbookFile
    workbook: CalamineWorkbook
    sheets: tuple[str, ...]
    names: ExportNames | None = None
    scans: Mapping[str, SheetScan] | None = None
    """Of an OpenDocument workbook, whose sheets are looked through all at once."""

    def load(self, sheet: str) -> LoadedSheet:
        """Read a sheet.

        Raises:
            SourceError: it is broken, or fills too much.
        """
        scan = _scan(self.file, sheet) if self.scans is None else self.scans.get(sheet)
        if scan is None:
            raise SourceError(
                f"the sheet '{sheet}' is not in the file: open it in Excel and save it again.",
                where=self.file.name,
            )
        with refusing_broken(self.file.name):
            loaded = self.workbook.get_sheet_by_name(sheet)
        first = loaded.start[0] if loaded.start else 0
        rows = enumerate(islice(loaded.iter_rows(), first, first + _HEADER_ROWS), start=first + 1)
        texts = {number: [render_cell(cell) for cell in row] for number, row in rows}
        if self.names is not None:
            texts = {number: self.names.rename(row) for number, row in texts.items()}
        return LoadedSheet(head=SheetHead(name=sheet, rows=texts), sheet=loaded, scan=scan)


def open_workbook(path: Path, name: str, limit: int = MOST_UNPACKED) -> OpenWorkbook:
    """Open a workbook.

    Args:
        path: the file.
        name: what messages call it.
        limit: bytes that it may unpack to, at most ``MOST_UNPACKED``.

    Raises:
        SourceError: it cannot be read as a whole, or shows no sheet.
    """
    file = look_into(path, name, limit)
    scans = None
    if file.kind is WorkbookKind.OPEN_DOCUMENT:  # Its reader takes all sheets into memory at once.
        scans = scan_documents(file.read_part(CONTENT), name)
        for sheet, scan in scans.items():
            _refuse_far(scan, sheet, name)
    workbook = file.open()
    with refusing_broken(name):
        found = [one for one in workbook.sheets_metadata if one.typ is SheetTypeEnum.WorkSheet]
        shown = tuple(one.name for one in found if one.visible is SheetVisibleEnum.Visible)
        hidden = [one.name for one in found if one.name == HIDDEN_SHEET]
    if not shown:
        raise SourceError("shows no sheet: unhide the one with the table.", where=name)
    opened = OpenWorkbook(file=file, workbook=workbook, sheets=shown, scans=scans)
    if not hidden or HIDDEN_SHEET in shown:
        return opened
    return replace(opened, names=_read_names(opened))


def _read_names(opened: OpenWorkbook) -> ExportNames | None:
    rows = opened.load(HIDDEN_SHEET).head.rows
    return read_export_names(next(iter(rows.values()))[0]) if rows else None


def _scan(file: WorkbookFile, sheet: str) -> SheetScan | None:
    part = file.sheets.get(sheet)
    if part is None:
        return None
    scan = scan_sheet(lambda: file.read_part(part), file.name, MOST_CELLS)
    _refuse_far(scan, sheet, file.name)
    return scan


def _refuse_far(scan: SheetScan, sheet: str, name: str) -> None:
    if scan.rows * scan.columns > MOST_CELLS:
        raise SourceError(
            f"the sheet '{sheet}' reaches to row {scan.rows:,} and column {scan.columns:,}, which "
            f"is more than {MOST_CELLS:,} cells. Delete what stands far from the table, or export "
            "fewer columns.",
            where=name,
        )


def find_sheet(opened: OpenWorkbook, selection: ColumnSelection) -> tuple[LoadedSheet, int]:
    """The sheet of a table and the number of its header row.

    Raises:
        SourceError: no sheet has the table's columns, or several have them.
    """
    shown = _list_candidates(opened.sheets, selection.table)
    if len(shown) == 1:
        loaded = opened.load(shown[0])
        return loaded, _find_header([loaded.head], selection, opened)[1]
    heads = [opened.load(name).head for name in shown]
    head, row = _find_header(heads, selection, opened)
    return opened.load(head.name), row


def _list_candidates(sheets: Sequence[str], table: Table) -> list[str]:
    """Sheets named like the table; else those that are not named like another one."""
    own = [name for name in sheets if _fold(name) in {table.name, table.singular}]
    others = {one for other in TABLES.values() for one in (other.name, other.singular)}
    rest = [name for name in sheets if _fold(name) not in others]
    return own or rest or list(sheets)


def _find_header(
    heads: Sequence[SheetHead], selection: ColumnSelection, opened: OpenWorkbook
) -> tuple[SheetHead, int]:
    name, table = opened.file.name, selection.table
    whole = [(head, row) for head in heads if (row := _find_whole_row(head, selection)) is not None]
    if len(whole) > 1:
        sure = [one for one in whole if find_key_owner(one[0].rows[one[1]]) == table.name]
        whole = sure if len(sure) == 1 else whole
    if len(whole) > 1:
        sheets = " and ".join(f"'{head.name}'" for head, _ in whole)
        raise SourceError(
            f"the sheets {sheets} could both be {table.name}: name one of them {table.name}, or "
            "delete the others.",
            where=name,
        )
    if whole:
        return whole[0]
    counts = [
        (len(found), -place, head, row)
        for place, head in enumerate(heads)
        for row, cells in head.rows.items()
        if len(found := _match(cells, selection)) >= _PROOF or table.key in found
    ]
    if counts:
        return max(counts, key=lambda one: one[:2])[2:]
    said = opened.names.table if opened.names is not None else table.singular
    other = f" It says that it is an export of {said}." if said != table.singular else ""
    sheets = ", ".join(f"'{one}'" for one in opened.sheets)
    raise SourceError(
        f"none of the first {_HEADER_ROWS} rows of a sheet has columns of {table.name} as its "
        f"headers. Its sheets are {sheets}.{other}",
        where=name,
    )


def _find_whole_row(head: SheetHead, selection: ColumnSelection) -> int | None:
    """The first row with all columns that are needed."""
    for row, cells in head.rows.items():
        found = _match(cells, selection)
        if found and all(any(one in found for one in group) for group in selection.table.required):
            return row
    return None


def _match(cells: Sequence[str], selection: ColumnSelection) -> Collection[str]:
    """The columns of the table that a row names; doubles are no matter here."""
    return selection.match(list({_fold(cell): cell for cell in cells}.values()), "")


@cache
def _list_key_names() -> Mapping[str, str]:
    """Names of ids → the table that they are the ids of.

    Labels are left out, since a lookup has the same, and names that several tables have.
    """
    keys = [(table, field) for table in TABLES.values() if (field := table.field(table.key))]
    named = [(name, table.name) for table, field in keys for name in (field.name, *field.names)]
    counts = Counter(name for name, _ in named)
    return {name: table for name, table in named if counts[name] == 1}


def find_key_owner(headers: Sequence[str]) -> str | None:
    """The table whose id comes first among some headers."""
    keys = _list_key_names()
    return next((keys[one] for one in map(_fold, headers) if one in keys), None)


def holds_table(path: Path, table: Table) -> bool:
    """Whether a workbook that is not named after a table holds it.

    One of its sheets is named after the table, or has its id as the first of all ids. A workbook
    that is named after another table holds this one only in a sheet of this name; a broken one
    holds none.
    """
    state = path.stat()
    sheets, tables = _describe(path, state.st_size, state.st_mtime_ns)
    is_named = any(_fold(path.stem) in {one.name, one.singular} for one in TABLES.values())
    return any(_fold(one) in {table.name, table.singular} for one in sheets) or (
        table.name in tables and not is_named
    )


@lru_cache(maxsize=64)
def _describe(path: Path, _size: int, _changed: int) -> tuple[tuple[str, ...], frozenset[str]]:
    """The visible sheets of a workbook, and the tables whose ids they have."""
    try:
        opened = open_workbook(path, path.name)
        heads = [opened.load(name).head for name in opened.sheets]
    except SourceError:
        return (), frozenset()
    found = {find_key_owner(cells) for head in heads for cells in head.rows.values()}
    return opened.sheets, frozenset(name for name in found if name)


def _fold(text: str) -> str:
    return text.strip(WHITE_SPACE).casefold()
