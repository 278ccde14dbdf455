"""A sheet of a workbook → chunks of text columns, each row with its number in the sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.extract.files.header_again import HeaderAgain
from pipeline.extract.files.workbook_cells import Cell, make_texts, name_column
from pipeline.extract.files.workbook_loading import LoadedSheet, open_workbook
from pipeline.extract.files.workbook_scan import MERGED
from pipeline.extract.files.workbook_sheets import find_sheet
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.records import Chunk, ReadOptions, UnreadableRow

"""Rows at which Dynamics 365 ends an export to Excel, without a word."""
_ROWS: Final = 2_000
"""Rows made into columns at once; many more keep the collector of garbage busy."""


def read_workbook(
    path: Path, name: str, selection: ColumnSelection, options: ReadOptions
) -> Iterator[Chunk]:
    """Read the sheet that holds the table.

    Rows without a value, and the header again, are left out. A row is unreadable if a cell of a
    column that is taken has no value of its own: an error, a formula that was not calculated, a
    merged cell.

    Raises:
        SourceError: the workbook is protected, broken or too large, no sheet is this table, or its
            header comes again in another order.
    """
    loaded, header = find_sheet(open_workbook(path, name, options.unpacked_limit), selection)
    headers = loaded.head.rows[header]
    picked = selection.pick(headers, name)
    columns = {
        column: [headers.index(one) for one in spellings] for column, spellings in picked.items()
    }
    troubles = _find_troubles(loaded, columns)
    rows = enumerate(islice(loaded.sheet.iter_rows(), header, None), start=header + 1)
    lost = {row for (row, _), why in loaded.scan.odd.items() if why != MERGED} & troubles.keys()
    again = HeaderAgain(headers, columns, selection.table, name)
    filled = (
        (number, cells)
        for number, cells in rows
        if number in lost or (cells.count("") < len(cells) and not again.is_header(cells, number))
    )
    yield _make_chunk(name, selection, columns, [], troubles)
    while batch := list(islice(filled, _ROWS)):
        yield _make_chunk(name, selection, columns, batch, troubles)


def _make_chunk(
    name: str,
    selection: ColumnSelection,
    columns: Mapping[str, Sequence[int]],
    batch: Sequence[tuple[int, Sequence[Cell]]],
    troubles: Mapping[int, str],
) -> Chunk:
    unreadable = tuple(
        UnreadableRow(source_file=name, source_line=number, detail=troubles[number])
        for number, _ in batch
        if number in troubles
    )
    if unreadable:
        batch = [(number, row) for number, row in batch if number not in troubles]
    cells = list(zip(*(row for _, row in batch), strict=True))
    texts = {
        place: make_texts(cells[place] if cells else ())
        for places in columns.values()
        for place in places
    }
    merged = {
        column: selection.merge(column, [texts[place] for place in places])
        for column, places in columns.items()
    }
    lines = pa.array([number for number, _ in batch], pa.int64())
    return Chunk(table=pa.table({**merged, "source_line": lines}), unreadable=unreadable)


def _find_troubles(loaded: LoadedSheet, columns: Mapping[str, Sequence[int]]) -> dict[int, str]:
    """Number of a row → why it cannot be read, with the first column that is to blame."""
    first = loaded.sheet.start[1] if loaded.sheet.start else 0
    taken = {place + first + 1: column for column, places in columns.items() for place in places}
    found = [
        (row, column, why) for (row, column), why in loaded.scan.odd.items() if column in taken
    ]
    found += [(row, column, MERGED) for row, column in _list_merged(loaded, sorted(taken))]
    troubles: dict[int, str] = {}
    for row, column, why in sorted(found):
        troubles.setdefault(row, f"{taken[column]} in cell {name_column(column)}{row} {why}")
    return troubles


def _list_merged(loaded: LoadedSheet, taken: Sequence[int]) -> list[tuple[int, int]]:
    """Row and column, counted from 1, of merged cells but for their first one."""
    end = loaded.sheet.end[0] + 1 if loaded.sheet.end else 0
    merged: npt.NDArray[np.int64] = np.zeros(end + 1, np.int64)
    for (top, left), (bottom, right) in loaded.sheet.merged_cell_ranges or ():
        for column in taken:
            if left < column <= right + 1:
                start = top + 1 + (column == left + 1)
                merged[start : bottom + 2] = column
    return [(int(row), int(merged[row])) for row in np.flatnonzero(merged)]
