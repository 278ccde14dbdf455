"""Which row an address means: by id, by alternate key, in a URL of its own."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from pipeline.sandbox.odata.address import UNNAMED, Segment, parse_address
from pipeline.sandbox.odata.tree import Constant, Kind
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.schema import SETS, TABLES, Column, Table, Type
from pipeline.sandbox.sales.store import Store

_ROOT: Final = re.compile(r"^(?:https?://[^/]+)?/?(?:api/data/v\d+\.\d+/)?")
_BREAKING: Final = frozenset("/<>*%&:\\?+")


def table_of(set_name: str) -> Table:
    """The table of an entity set. Raises ``FailedError``."""
    if set_name not in SETS:
        raise failures.no_segment(set_name)
    return SETS[set_name]


def row_id(store: Store, table: Table, segment: Segment) -> str | None:
    """The id that a segment's keys mean; null for an alternate key that nobody has.

    Raises ``FailedError``.
    """
    keys = segment.keys or {}
    if set(keys) in ({UNNAMED}, {table.id}):
        (key,) = keys.values()
        return _guid(table, key)
    return _by_key(store, table, alternate_key(table, segment))


def is_alternate(table: Table, segment: Segment) -> bool:
    """Whether a segment names its row by an alternate key."""
    return bool(segment.keys) and set(segment.keys or {}) not in ({UNNAMED}, {table.id})


def alternate_key(table: Table, segment: Segment) -> dict[str, str | int | None]:
    """The columns and values of an alternate key, as rows keep them. Raises ``FailedError``."""
    keys = dict(segment.keys or {})
    columns = [_key_column(table, name) for name in keys]
    if not any(set(names) == {column.name for column in columns} for names in table.keys.values()):
        raise failures.bad_request(
            (
                f"The specified keys ({', '.join(keys)}) are no entity key of the resource "
                f"'Microsoft.Dynamics.CRM.{table.name}'."
            ),
            "0x80060888",
        )
    return {
        column.name: _key_value(table, column, keys[name])
        for column, name in zip(columns, keys, strict=True)
    }


def bound_row(
    store: Store, text: object, allowed: Mapping[str, str], table: Table
) -> tuple[Table, str]:
    """Table and id of the row that ``@odata.bind`` or ``@odata.id`` names; it must be there.

    Raises ``FailedError``.
    """
    if not isinstance(text, str):
        raise failures.bad_payload(
            table.set_name,
            "Microsoft.OData.ODataException: The value of @odata.bind must be a text.",
        )
    segments = parse_address(_ROOT.sub("", text))
    if len(segments) != 1 or not segments[0].keys:
        raise failures.bad_payload(
            table.set_name,
            f"Microsoft.OData.ODataException: Invalid entity reference '{unquote(text)}'.",
        )
    target = table_of(segments[0].name)
    if target.name not in allowed.values():
        raise failures.bad_payload(
            table.set_name,
            (
                f"Microsoft.OData.ODataException: '{target.set_name}' is no valid target; "
                f"{', '.join(allowed.values())} is."
            ),
        )
    found = row_id(store, target, segments[0])
    if found is None:
        raise failures.no_key(target.name)
    if not exists(store, target, found):
        raise failures.no_row(target.name, found)
    return target, found


def exists(store: Store, table: Table, wanted: str) -> bool:
    """Whether a row is there."""
    return bool(store.rows(f"SELECT 1 FROM {table.name} WHERE {table.id} = ?", (wanted,)))


def _guid(table: Table, key: Constant) -> str:
    if key.kind is not Kind.GUID:
        raise failures.bad_request(
            f"Invalid value '{key.value}' for the key of '{table.set_name}': a GUID is expected."
        )
    return str(uuid.UUID(str(key.value)))


def _key_column(table: Table, name: str) -> Column:
    if name not in table.properties:
        raise failures.no_property(name, table.name)
    return table.properties[name]


def _key_value(table: Table, column: Column, key: Constant) -> str | int | None:
    value = key.value
    if column.type in {Type.TEXT, Type.MEMO} and key.kind is not Kind.TEXT:
        raise failures.bad_request(
            f"The value of the key '{column.name}' of '{table.set_name}' must be a text in quotes."
        )
    if isinstance(value, str) and (breaking := _BREAKING & set(value)):
        raise failures.bad_request(
            (
                "A potentially dangerous Request.Path value was detected from the client "
                f"({min(breaking)})."
            ),
            "0x80060888",
        )
    return value if isinstance(value, int) else str(value)


def _by_key(store: Store, table: Table, values: Mapping[str, str | int | None]) -> str | None:
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
        raise failures.bad_request(message, "0x80060893")
    return str(found[0][0]) if found else None


def table_named(name: str) -> Table:
    """A table by its logical name. Raises ``FailedError``."""
    if name not in TABLES:
        message = (
            f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the "
            "MetadataCache."
        )
        raise failures.bad_request(message, "0x80041102")
    return TABLES[name]
