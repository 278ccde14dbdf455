"""Which sheet of a workbook holds a table, and which of its rows is the header."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from pipeline.errors import SourceError
from pipeline.extract.files.workbook_loading import (
    HEADER_ROWS,
    LoadedSheet,
    OpenWorkbook,
    SheetHead,
    open_workbook,
)
from pipeline.extract.headers import ColumnSelection
from schemas.catalogue import Table
from schemas.sales import TABLES
from schemas.text import WHITE_SPACE

_PROOF: Final = 2
"""So many known columns make a row a header that lacks some."""


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
    _refuse_rows_in_cells(heads, selection, name)
    said = opened.names.table if opened.names is not None else table.singular
    other = f" It says that it is an export of {said}." if said != table.singular else ""
    sheets = ", ".join(f"'{one}'" for one in opened.sheets)
    raise SourceError(
        f"none of the first {HEADER_ROWS} rows of a sheet has columns of {table.name} as its "
        f"headers. Its sheets are {sheets}.{other}",
        where=name,
    )


def _refuse_rows_in_cells(
    heads: Sequence[SheetHead], selection: ColumnSelection, name: str
) -> None:
    """Refuse a CSV that Excel opened without taking its rows apart.

    Raises:
        SourceError: a cell holds a whole header.
    """
    for cell in (cell for head in heads for row in head.rows.values() for cell in row):
        for delimiter in ",;\t|":
            if len(_match(cell.split(delimiter), selection)) >= _PROOF:
                raise SourceError(
                    "has whole rows in single cells: its CSV file was opened without being taken "
                    "apart. Give p2c that CSV file as it is.",
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


def find_trouble(path: Path) -> str | None:
    """Why a workbook cannot be read, as a sentence; none if it can be."""
    try:
        open_workbook(path, path.name)
    except SourceError as error:
        return str(error)
    return None


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
