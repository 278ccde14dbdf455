"""Rows out of CSV files as Sales exports them.

One file for each entity set, columns as the Web API spells them.

Nothing is checked and no plug-in runs: an export may hold what the platform would refuse today.
What no database holds is left out and counted: a row without a readable id, a value that is none of
its column's.
"""

from __future__ import annotations

import csv
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from pipeline.errors import SourceError
from pipeline.sandbox.sales.prefer import LOOKUP_TYPE
from pipeline.sandbox.sales.schema import SETS, ColumnType, SalesColumn, SalesTable
from pipeline.sandbox.sales.store import SalesStore

_TRUE: Final = frozenset({"true", "1", "yes"})
_FALSE: Final = frozenset({"false", "0", "no"})
_LIMIT: Final = 2**30
_PLAIN_GUID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch

Kept = str | int | None


@dataclass(kw_only=True, slots=True)
class LoadedFile:
    """What became of one file."""

    rows: int = 0
    rows_left_out: int = 0
    values_left_out: int = 0


def load_rows(store: SalesStore, folder: Path) -> dict[str, LoadedFile]:
    """All files of a folder that are named as entity sets are; answers what became of them.

    Raises ``SourceError``.
    """
    if not folder.is_dir():
        raise SourceError("there is no such folder of CSV files.", where=str(folder))
    csv.field_size_limit(_LIMIT)
    found = {}
    for name, table in SETS.items():
        path = folder / f"{name}.csv"
        if path.is_file():
            with store.transaction():
                found[table.name] = _load_file(store, table, path)
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """Where a file has what: place, SQL column and reader of its cells; the mark of deletion."""

    table: SalesTable
    cells: tuple[tuple[int, str, Callable[[str], Kept]], ...]
    deleted: int | None

    @property
    def names(self) -> list[str]:
        """The SQL columns that its rows have."""
        found = [name for _, name, _ in self.cells] + ["versionnumber"]
        found += ["statecode", "statuscode"] if "statecode" in self.table.columns else []
        return list(dict.fromkeys(found))


def _load_file(store: SalesStore, table: SalesTable, path: Path) -> LoadedFile:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        layout = _layout(table, next(reader, []))
        if table.id not in layout.names:
            raise SourceError(f"the column {table.id} is missing.", where=str(path))
        loaded = LoadedFile()
        loaded.rows = _insert(store, layout, _rows(layout, reader, loaded))
        return loaded


def _layout(table: SalesTable, header: Sequence[str]) -> _Layout:
    known = [(at, _column(table, name)) for at, name in enumerate(header)]
    marks = [at for at, name in enumerate(header) if name.strip().lower() == "isdelete"]
    return _Layout(
        table=table,
        cells=tuple((at, *column) for at, column in known if column is not None),
        deleted=marks[0] if marks else None,
    )


def _column(table: SalesTable, header: str) -> tuple[str, Callable[[str], Kept]] | None:
    """SQL column and reader of a CSV column; null for columns that the table does not have."""
    name = header.strip()
    base, _, note = name.partition("@")
    column = table.properties.get(base) or table.columns.get(base)
    if column is None:
        return None
    if note:
        return (column.type_name, _text) if column.polymorphic and note == LOOKUP_TYPE else None
    return column.name, _reader(column)


def _reader(column: SalesColumn) -> Callable[[str], Kept]:
    if column.type is ColumnType.FLAG:
        return _flag
    if column.type in {ColumnType.MONEY, ColumnType.DECIMAL}:
        return lambda text: int(Decimal(text).scaleb(column.digits))
    if column.type in {ColumnType.ID, ColumnType.GUID, ColumnType.LOOKUP}:
        return _guid
    return int if column.type in _NUMBERS else _text


_NUMBERS: Final = frozenset(
    {ColumnType.INTEGER, ColumnType.BIGINT, ColumnType.CHOICE, ColumnType.STATE, ColumnType.STATUS}
)


def _text(text: str) -> str:
    return text


def _guid(text: str) -> str:
    return text if _PLAIN_GUID(text) else str(uuid.UUID(text.strip()))


def _flag(text: str) -> int:
    low = text.strip().lower()
    if low not in _TRUE | _FALSE:
        raise ValueError(text)
    return int(low in _TRUE)


def _rows(
    layout: _Layout, reader: Iterator[Sequence[str]], loaded: LoadedFile
) -> Iterator[tuple[dict[str, Kept], bool]]:
    """Rows as kept, and whether they are marked deleted."""
    for cells in reader:
        row = _read(layout, cells, loaded)
        if row[layout.table.id] is None:
            loaded.rows_left_out += 1
            continue
        mark = cells[layout.deleted : layout.deleted + 1] if layout.deleted is not None else ()
        yield _settle(layout.table, row), any(text.strip().lower() in _TRUE for text in mark)


def _read(layout: _Layout, cells: Sequence[str], loaded: LoadedFile) -> dict[str, Kept]:
    row: dict[str, Kept] = {}
    width = len(cells)
    for at, name, read in layout.cells:
        text = cells[at] if at < width else ""
        try:
            row[name] = read(text) if text else None
        except (ValueError, InvalidOperation):
            row[name] = None
            loaded.values_left_out += name != layout.table.id
    return row


def _settle(table: SalesTable, row: dict[str, Kept]) -> dict[str, Kept]:
    """A status for the state, where the file has only one of the two."""
    if "statecode" in table.columns and row.get("statuscode") is None:
        row["statecode"] = row.get("statecode") or next(iter(table.columns["statecode"].options))
        options = table.columns["statuscode"].options
        row["statuscode"] = next(
            (status for status, option in options.items() if option.state == row["statecode"]), None
        )
    return row


def _insert(
    store: SalesStore, layout: _Layout, rows: Iterator[tuple[dict[str, Kept], bool]]
) -> int:
    """Insert rows; how many are there in the end.

    Of several with one id the last version counts, as a table can have it only once.
    """
    table, names = layout.table, layout.names
    gone: dict[str, int] = {}

    def living() -> Iterator[list[Kept]]:
        for row, deleted in rows:
            key, version = str(row[table.id]), int(row.get("versionnumber") or store.next_version())
            row["versionnumber"] = version
            store.seen_version(version)
            if deleted:
                gone[key] = max(version, gone.get(key, version))
            else:
                yield [row.get(name) for name in names]

    store.insert_many(table, names, living())
    store.drop_superseded(table)
    store.drop_deleted(table, gone)
    return int(store.rows(f"SELECT count(*) FROM {table.name}")[0][0])
