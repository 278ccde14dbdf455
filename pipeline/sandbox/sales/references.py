"""Which row an address means: by id, by alternate key, in a URL of its own."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from pipeline.sandbox.odata.address import UNNAMED, Segment, parse_address
from pipeline.sandbox.odata.tree import Constant, ValueKind
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.schema import SETS, TABLES, ColumnType, SalesColumn, SalesTable
from pipeline.sandbox.sales.store import SalesStore

_ROOT: Final = re.compile(r"^(?:https?://[^/]+)?/?(?:api/data/v\d+\.\d+/)?")
_BREAKING: Final = frozenset("/<>*%&:\\?+")


def find_table(set_name: str) -> SalesTable:
    """The table of an entity set. Raises ``SalesFailure``."""
    if set_name not in SETS:
        raise failures.no_segment(set_name)
    return SETS[set_name]


def find_row_id(store: SalesStore, table: SalesTable, segment: Segment) -> str | None:
    """The id that a segment's keys mean; null for an alternate key that no row has.

    Raises ``SalesFailure``.
    """
    keys = segment.keys or {}
    if set(keys) in ({UNNAMED}, {table.id}):
        (key,) = keys.values()
        return _guid(table, key)
    return _by_key(store, table, read_alternate_key(table, segment))


def is_alternate(table: SalesTable, segment: Segment) -> bool:
    """Whether a segment names its row by an alternate key."""
    return bool(segment.keys) and set(segment.keys or {}) not in ({UNNAMED}, {table.id})


def read_alternate_key(table: SalesTable, segment: Segment) -> dict[str, str | int | None]:
    """The columns and values of an alternate key, as rows keep them. Raises ``SalesFailure``."""
    keys = dict(segment.keys or {})
    columns = [_key_column(table, name) for name in keys]
    if not any(set(names) == {column.name for column in columns} for names in table.keys.values()):
        raise failures.bad_call(
            (
                f"The specified keys ({', '.join(keys)}) are not an entity key of the resource "
                f"'Microsoft.Dynamics.CRM.{table.name}'."
            ),
            "0x80060888",
        )
    return {
        column.name: _key_value(table, column, keys[name])
        for column, name in zip(columns, keys, strict=True)
    }


def find_bound_row(
    store: SalesStore, text: object, allowed: Mapping[str, str], table: SalesTable
) -> tuple[SalesTable, str]:
    """Table and id of the row that ``@odata.bind`` or ``@odata.id`` names; it must be there.

    Raises ``SalesFailure``.
    """
    if not isinstance(text, str):
        raise failures.bad_body(
            table.set_name,
            "Microsoft.OData.ODataException: The value of @odata.bind must be a text.",
        )
    segments = parse_address(_ROOT.sub("", text))
    if len(segments) != 1 or not segments[0].keys:
        raise failures.bad_body(
            table.set_name,
            f"Microsoft.OData.ODataException: Invalid entity reference '{unquote(text)}'.",
        )
    target = find_table(segments[0].name)
    if target.name not in allowed.values():
        raise failures.bad_body(
            table.set_name,
            (
                f"Microsoft.OData.ODataException: '{target.set_name}' is not a valid target; "
                f"{', '.join(allowed.values())} is."
            ),
        )
    found = find_row_id(store, target, segments[0])
    if found is None:
        raise failures.no_key(target.name)
    if not is_there(store, target, found):
        raise failures.no_row(target.name, found)
    return target, found


def is_there(store: SalesStore, table: SalesTable, wanted: str) -> bool:
    """Whether a row is there."""
    return bool(store.rows(f"SELECT 1 FROM {table.name} WHERE {table.id} = ?", (wanted,)))


def _guid(table: SalesTable, key: Constant) -> str:
    if key.kind is not ValueKind.GUID:
        raise failures.bad_call(
            f"Invalid value '{key.value}' for the key of '{table.set_name}': a GUID is expected."
        )
    return str(uuid.UUID(str(key.value)))


def _key_column(table: SalesTable, name: str) -> SalesColumn:
    if name not in table.properties:
        raise failures.no_property(name, table.name)
    return table.properties[name]


def _key_value(table: SalesTable, column: SalesColumn, key: Constant) -> str | int | None:
    value = key.value
    if column.type in {ColumnType.TEXT, ColumnType.MEMO} and key.kind is not ValueKind.TEXT:
        raise failures.bad_call(
            f"The value of the key '{column.name}' of '{table.set_name}' must be a text in quotes."
        )
    if isinstance(value, str) and (breaking := _BREAKING & set(value)):
        raise failures.bad_call(
            (
                "A potentially dangerous Request.Path value was detected from the client "
                f"({min(breaking)})."
            ),
            "0x80060888",
        )
    return value if isinstance(value, int) else str(value)


def _by_key(
    store: SalesStore, table: SalesTable, values: Mapping[str, str | int | None]
) -> str | None:
    terms = " AND ".join(f"{name} = ? COLLATE NOCASE" for name in values)
    found = store.rows(
        f"SELECT {table.id} FROM {table.name} WHERE {terms} LIMIT 2", tuple(values.values())
    )
    if len(found) > 1:
        attributes = ",".join(values)
        message = (
            f"More than one record exists for entity {table.name} with entity key involving "
            f"attributes {attributes}"
        )
        raise failures.bad_call(message, "0x80060893")
    return str(found[0][0]) if found else None


def find_named_table(name: str) -> SalesTable:
    """A table by its logical name. Raises ``SalesFailure``."""
    if name not in TABLES:
        message = (
            f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the "
            "MetadataCache."
        )
        raise failures.bad_call(message, "0x80041102")
    return TABLES[name]
