"""The body of a write as columns and values.

Lookups are bound, related rows that are to be made are set aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.references import find_bound_row
from pipeline.sandbox.sales.schema import ColumnType, SalesColumn, SalesLink, SalesTable
from pipeline.sandbox.sales.store import SalesRow, SalesStore
from pipeline.sandbox.sales.values import read_value, unknown_property

_BIND: Final = "@odata.bind"


@dataclass(kw_only=True, slots=True)
class Payload:
    """What a body sets.

    ``related``: links with the bodies of rows that a deep insert makes with the row.
    """

    values: SalesRow = field(default_factory=dict)
    related: list[tuple[SalesLink, Any]] = field(default_factory=list)


def load_body(table: SalesTable, body: bytes) -> dict[str, Any]:
    """The JSON object that a body is. Raises ``SalesFailure``."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise failures.bad_body(
            table.set_name, f"Microsoft.OData.ODataException: {error}"
        ) from error
    if not isinstance(found, dict):
        raise failures.bad_body(
            table.set_name, "Microsoft.OData.ODataException: The body is not a JSON object."
        )
    return found


def read_payload(store: SalesStore, table: SalesTable, body: Mapping[str, Any]) -> Payload:
    """What the body sets, read-only columns left out. Raises ``SalesFailure``."""
    payload = Payload()
    for name, value in body.items():
        if name.endswith(_BIND):
            _bind(store, table, name.removesuffix(_BIND), value, payload)
        elif "@" in name:
            continue
        elif name in table.links:
            _relate(table, table.links[name], value, payload)
        else:
            _set(table, name, value, payload)
    return payload


def set_lookup(column: SalesColumn, target: str | None, row_id: str | None) -> SalesRow:
    """The SQL columns of a lookup that is set, or cleared."""
    return {column.name: row_id, **({column.type_name: target} if column.polymorphic else {})}


def _set(table: SalesTable, name: str, value: Any, payload: Payload) -> None:
    column = table.properties.get(name)
    if column is None:
        undeclared = table.columns.get(name)
        if undeclared is not None and undeclared.type is ColumnType.LOOKUP:
            raise failures.bad_body(
                table.set_name,
                f"Microsoft.OData.ODataException: An undeclared property '{name}' which only has "
                "property annotations in the payload but no property value was found in the "
                "payload. In OData, only declared navigation properties and "
                "declared named streams can be represented as properties without values.",
            )
        raise unknown_property(table, name)
    if column.read_only:
        return
    payload.values[column.name] = read_value(table, column, value)


def _bind(store: SalesStore, table: SalesTable, name: str, value: Any, payload: Payload) -> None:
    link = table.links.get(name)
    if link is None:
        raise unknown_property(table, name)
    if link.to_many:
        for one in value if isinstance(value, list) else [value]:
            payload.related.append(
                (link, find_bound_row(store, one, {link.name: link.table}, table)[1])
            )
    elif value is None:
        payload.values |= set_lookup(link.column, None, None)
    else:
        target, row_id = find_bound_row(store, value, {name: link.table}, table)
        payload.values |= set_lookup(link.column, target.name, row_id)


def _relate(table: SalesTable, link: SalesLink, value: Any, payload: Payload) -> None:
    if link.to_many:
        bodies = value if isinstance(value, list) else None
    elif value is None:
        payload.values |= set_lookup(link.column, None, None)
        return
    else:
        bodies = [value]
    if bodies is None or not all(isinstance(body, dict) for body in bodies):
        raise failures.bad_body(
            table.set_name,
            (
                "Microsoft.OData.ODataException: The value of the navigation property "
                f"'{link.name}' is malformed."
            ),
        )
    payload.related += [(link, body) for body in bodies]
