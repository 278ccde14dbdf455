"""Rows out of CSV files as Sales exports them: one file for each entity set, columns as the Web API spells them.

Nothing is checked and no plug-in runs: an export may hold what the platform would refuse today.
What no database holds is left out and counted: a row without a readable id, a value that is none of
its column's.
"""

from __future__ import annotations

import csv
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from pipeline.errors import SourceError
from pipeline.sandbox.sales.prefer import LOOKUP_TYPE
from pipeline.sandbox.sales.schema import SETS, Column, Table, Type
from pipeline.sandbox.sales.store import Store

_TRUE: Final = frozenset({"true", "1", "yes"})
_FALSE: Final = frozenset({"false", "0", "no"})
_SIZE: Final = 10_000
_LIMIT: Final = 2**30

Kept = str | int | None


@dataclass(kw_only=True, slots=True)
class Loaded:
    """What became of one file."""

    rows: int = 0
    rows_left_out: int = 0
    values_left_out: int = 0


def load(store: Store, folder: Path) -> dict[str, Loaded]:
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
                found[table.name] = _load(store, table, path)
    return found


def _load(store: Store, table: Table, path: Path) -> Loaded:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        columns = {at: _column(table, name) for at, name in enumerate(header)}
        known = {at: column for at, column in columns.items() if column is not None}
        if table.id not in {name for name, _ in known.values()}:
            raise SourceError(f"the column {table.id} is missing.", where=str(path))
        deleted = next(
            (at for at, name in enumerate(header) if name.strip().lower() == "isdelete"), None
        )
        loaded = Loaded()
        loaded.rows = _store(store, table, _rows(table, reader, known, deleted, loaded))
        return loaded


def _column(table: Table, header: str) -> tuple[str, Callable[[str], Kept]] | None:
    """SQL column and reader of a CSV column; null for columns that the table does not have."""
    name = header.strip()
    base, _, note = name.partition("@")
    column = table.properties.get(base) or table.columns.get(base)
    if column is None:
        return None
    if note:
        return (column.type_name, _text) if column.polymorphic and note == LOOKUP_TYPE else None
    return column.name, _reader(column)


def _reader(column: Column) -> Callable[[str], Kept]:
    if column.type is Type.FLAG:
        return _flag
    if column.type in {Type.MONEY, Type.DECIMAL}:
        return lambda text: int(Decimal(text).scaleb(column.digits))
    if column.type in {Type.ID, Type.GUID, Type.LOOKUP}:
        return _guid
    return int if column.type in _NUMBERS else _text


_NUMBERS: Final = frozenset({Type.INTEGER, Type.BIGINT, Type.CHOICE, Type.STATE, Type.STATUS})


def _text(text: str) -> str:
    return text


def _guid(text: str) -> str:
    return str(uuid.UUID(text.strip()))


def _flag(text: str) -> int:
    low = text.strip().lower()
    if low not in _TRUE | _FALSE:
        raise ValueError(text)
    return int(low in _TRUE)


def _rows(
    table: Table,
    reader: Iterator[Sequence[str]],
    known: Mapping[int, tuple[str, Callable[[str], Kept]]],
    deleted: int | None,
    loaded: Loaded,
) -> Iterator[tuple[dict[str, Kept], bool]]:
    """Rows as kept, and whether they are marked deleted."""
    for cells in reader:
        row: dict[str, Kept] = {}
        for at, (name, read) in known.items():
            try:
                row[name] = read(cells[at]) if at < len(cells) and cells[at] else None
            except (ValueError, InvalidOperation):
                row[name] = None
                loaded.values_left_out += name != table.id
        if row[table.id] is None:
            loaded.rows_left_out += 1
            continue
        yield (
            _settled(table, row),
            deleted is not None
            and deleted < len(cells)
            and cells[deleted].strip().lower() in _TRUE,
        )


def _settled(table: Table, row: dict[str, Kept]) -> dict[str, Kept]:
    """A status for the state, where the file has only one of the two."""
    if "statecode" in table.columns and row.get("statuscode") is None:
        row["statecode"] = row.get("statecode") or next(iter(table.columns["statecode"].options))
        options = table.columns["statuscode"].options
        row["statuscode"] = next(
            (status for status, option in options.items() if option.state == row["statecode"]), None
        )
    return row


def _store(store: Store, table: Table, rows: Iterator[tuple[dict[str, Kept], bool]]) -> int:
    """Insert rows.

    Of several with one id the last version counts, as a table can have it only once.
    """
    newest: dict[str, dict[str, Kept]] = {}
    gone: dict[str, int] = {}
    for row, deleted in rows:
        key, version = str(row[table.id]), int(row.get("versionnumber") or store.next_version())
        row["versionnumber"] = version
        store.seen_version(version)
        if version < max(
            gone.get(key, -1), int((newest.get(key) or {}).get("versionnumber") or -1)
        ):
            continue
        newest.pop(key, None)
        gone.pop(key, None)
        if deleted:
            gone[key] = version
        else:
            newest[key] = row
    for key, version in gone.items():
        store.log_deletion(table, key, version)
    names = list(next(iter(newest.values()), {}))
    store.insert_many(table, names, ([row.get(name) for name in names] for row in newest.values()))
    return len(newest)
