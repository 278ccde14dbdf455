"""A workbook that is open, and its sheets as far as they are in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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

MOST_CELLS: Final = 32 * 1024 * 1024
"""Cells of the rectangle that a sheet fills; the reader needs 32 bytes for each."""
HEADER_ROWS: Final = 20
"""So many rows from the first filled one on are looked at for a header."""


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
        rows = enumerate(islice(loaded.iter_rows(), first, first + HEADER_ROWS), start=first + 1)
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
