"""Rows as tools wrap and nest them → flat rows with the names of columns.

Replicators put a row into a message (Airbyte, Singer, Debezium); ``$expand`` puts the record that a
lookup points to into the row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from pipeline.extract.files.json_page import ARRAYS, DECODER, ENVELOPES
from pipeline.extract.headers import ColumnSelection
from schemas.sales import TABLES

Row: TypeAlias = dict[str, object]

WRAPPED: Final = frozenset(
    {"_airbyte_data", "record", "payload", "after", "before", "type", "_meta"}
)
"""Keys of which a message has one."""
_OTHER_MESSAGES: Final = frozenset(
    {"SCHEMA", "STATE", "ACTIVATE_VERSION", "LOG", "SPEC", "CATALOG", "TRACE", "CONNECTION_STATUS"}
)
_REFERENCE: Final = frozenset({"Id", "LogicalName"})
_TARGETS: Final = ("account", "contact")
"""What a lookup of several types can point to."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a row cannot be read; ``is_other`` for a line that is not an object at all."""

    reason: str
    is_other: bool = False


def unwrap_rows(
    numbered: Iterable[tuple[int, object]], selection: ColumnSelection
) -> Iterator[tuple[int, object]]:
    """Rows out of their messages; messages of other kinds, and of other tables, are left out."""
    for number, row in numbered:
        found = unwrap(row, selection) if isinstance(row, dict) else row
        if found is not None:
            yield number, found


def unwrap(row: Row, selection: ColumnSelection) -> Row | Unreadable | None:
    """The row in a message, or the row itself if it is not in one; none if the message has none."""
    if "_airbyte_data" in row:
        return _unwrap_airbyte(row)
    kind = row.get("type")
    if kind == "RECORD" and isinstance(row.get("record"), dict):
        return _unwrap_record(row, selection)
    if kind in _OTHER_MESSAGES and selection.table.key not in row:
        return None
    payload = row.get("payload")
    if isinstance(payload, dict) and selection.table.key not in row:
        return unwrap({**_read_metadata(row), **payload}, selection)
    if "op" in row and ("after" in row or "before" in row):
        return _unwrap_change(row, selection)
    meta = row.get("_meta")
    return {**row, "_meta/op": meta["op"]} if isinstance(meta, dict) and "op" in meta else row


def _read_metadata(message: Row) -> Row:
    """What Google Datastream says of a row, by the names of its flat columns."""
    told = message.get("source_metadata")
    if not isinstance(told, dict):
        return {}
    marks = {"_metadata_deleted": "is_deleted", "_metadata_change_type": "change_type"}
    return {name: told[key] for name, key in marks.items() if told.get(key) is not None}


def _unwrap_airbyte(row: Row) -> Row | Unreadable:
    """The row of a raw table, with what the replicator says of it."""
    data = row["_airbyte_data"]
    if isinstance(data, str):
        try:
            data = DECODER.decode(data)
        except (ValueError, RecursionError):
            data = None
    if not isinstance(data, dict):
        return Unreadable("its _airbyte_data is not a JSON object")
    return {**{key: cell for key, cell in row.items() if key != "_airbyte_data"}, **data}


def _unwrap_record(row: Row, selection: ColumnSelection) -> Row | None:
    """The row of a message of Singer (``record``) or of Airbyte (``record.data``)."""
    record = row["record"]
    if not isinstance(record, dict):
        return None
    data = record.get("data")
    inner = data if isinstance(data, dict) and "stream" in record else record
    stream = str(record.get("stream") if inner is data else row.get("stream")).casefold()
    own = {selection.table.name, selection.table.singular}
    others = {name for one in TABLES.values() for name in (one.name, one.singular)} - own
    return None if stream in others else inner


def _unwrap_change(row: Row, selection: ColumnSelection) -> Row | Unreadable:
    """The row after a change as Debezium writes it, or its deletion."""
    if row["op"] != "d":
        after = row.get("after")
        if isinstance(after, dict):
            return after
        return Unreadable("it is a message of a change without the row")
    before = row.get("before")
    key = selection.table.key
    if not isinstance(before, dict) or key not in before:
        return Unreadable("it is the message of a deletion that does not name the row")
    return {key: before[key], "isdelete": True}


@dataclass(frozen=True, kw_only=True)
class Expansions:
    """The lookups of a table that ``$expand`` can put a record into."""

    selection: ColumnSelection

    @cached_property
    def keys(self) -> Mapping[str, tuple[str, str]]:
        """Key of a row → the lookup, and the type of what it points to (blank: by the lookup)."""
        fields = {name.casefold() for name in self.selection.names}
        lookups = [
            field.name
            for field in self.selection.table.fields
            if f"_{field.name}_value" in field.names
        ]
        found = {name: (name, "") for name in lookups}
        for name in lookups:
            if f"{name}type" in fields:
                found |= {f"{name}_{target}": (name, target) for target in _TARGETS}
        return found

    def flatten_rows(self, numbered: Iterable[tuple[int, object]]) -> list[tuple[int, object]]:
        """Rows with flat columns instead of records: ``lookup.column``, its id and its type."""
        return [
            (number, self._flatten(row) if isinstance(row, dict) else row)
            for number, row in numbered
        ]

    def _flatten(self, row: Row) -> Row:
        nested = {key: cell for key, cell in row.items() if isinstance(cell, dict)}
        flat = dict(row)
        for key, record in nested.items():
            if (plain := _read_plain(record)) is not record:
                flat[key] = plain
            elif key in self.keys and record.keys() >= _REFERENCE:
                self._put_reference(flat, key, record)
            elif key in self.keys:
                self._put(flat, key, record)
        return flat

    def _put_reference(self, flat: Row, key: str, record: Row) -> None:
        """A lookup as the SDK has it: ``{"Id": …, "LogicalName": "account"}``."""
        lookup, _ = self.keys[key]
        flat[lookup] = record["Id"]
        flat.setdefault(f"{lookup}_entitytype", record["LogicalName"])

    def _put(self, flat: Row, key: str, record: Row) -> None:
        lookup, target = self.keys[key]
        columns = {
            f"{lookup}.{name}": cell
            for name, cell in record.items()
            if not isinstance(cell, dict | list) and "@" not in name
        }
        found = _find_id(lookup, target, record)
        is_known = found is not None or self.selection.count_known(columns) > 0
        if is_known or key != lookup:
            del flat[key]
        if found is not None:
            flat.setdefault(lookup, found)
            if target:
                flat.setdefault(f"{lookup}type", target)
        elif key != lookup and not {lookup, f"_{lookup}_value"} & flat.keys():
            flat[lookup] = record  # Nothing says which record this is.
        flat |= {name: cell for name, cell in columns.items() if name not in flat}


def _read_plain(record: Row) -> object:
    """The value in an object that has nothing else; the object itself if it is another.

    The SDK has choices and amounts so (``{"Value": 1}``), MongoDB dates and decimals
    (``{"$date": …}``).
    """
    keys = record.keys() - {"ExtensionData"}
    if len(keys) != 1:
        return record
    (key,) = keys
    value = record[key]
    if key != "Value" and not key.startswith("$"):
        return record
    inner = _read_plain(value) if isinstance(value, dict) else value
    return record if isinstance(inner, dict | list) else inner


def _find_id(lookup: str, target: str, record: Row) -> object:
    keys = [f"{target}id"] if target else [lookup, *(table.key for table in TABLES.values())]
    return next((record[key] for key in keys if record.get(key) is not None), None)


def looks_like_row(line: bytes, selection: ColumnSelection) -> bool:
    """Whether a line is one row of the table, in a message or not."""
    try:
        row = DECODER.decode(line.decode())
    except (json.JSONDecodeError, ValueError, RecursionError):
        return False
    if not isinstance(row, dict):
        return False
    if unwrap(row, selection) is not row:
        return True
    is_page = any(
        isinstance(cell, dict) if key in ENVELOPES else key in ARRAYS and isinstance(cell, list)
        for key, cell in row.items()
    )
    return not is_page and selection.count_known(row) > 0
