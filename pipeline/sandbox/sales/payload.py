"""The body of a write as columns and values.

Lookups are bound, related rows that are to be made are set aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.references import bound_row
from pipeline.sandbox.sales.schema import Column, Link, Table, Type
from pipeline.sandbox.sales.store import Row, Store
from pipeline.sandbox.sales.values import kept, unknown_property

_BIND: Final = "@odata.bind"


@dataclass(kw_only=True, slots=True)
class Payload:
    """What a body sets.

    ``related``: links with the bodies of rows that a deep insert makes with the row.
    """

    values: Row = field(default_factory=dict)
    related: list[tuple[Link, Any]] = field(default_factory=list)


def loaded(table: Table, body: bytes) -> dict[str, Any]:
    """The JSON object that a body is. Raises ``FailedError``."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise failures.bad_payload(
            table.set_name, f"Microsoft.OData.ODataException: {error}"
        ) from error
    if not isinstance(found, dict):
        raise failures.bad_payload(
            table.set_name, "Microsoft.OData.ODataException: The body is no JSON object."
        )
    return found


def read_payload(store: Store, table: Table, body: Mapping[str, Any]) -> Payload:
    """What the body sets, read-only columns left out. Raises ``FailedError``."""
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


def lookup_values(column: Column, target: str | None, row_id: str | None) -> Row:
    """The SQL columns of a lookup that is set, or cleared."""
    return {column.name: row_id, **({column.type_name: target} if column.polymorphic else {})}


def _set(table: Table, name: str, value: Any, payload: Payload) -> None:
    column = table.properties.get(name)
    if column is None:
        undeclared = table.columns.get(name)
        if undeclared is not None and undeclared.type is Type.LOOKUP:
            raise failures.bad_payload(
                table.set_name,
                f"Microsoft.OData.ODataException: An undeclared property '{name}' which only has "
                "property annotations in the payload but no property value was found in the "
                "payload. In OData, only declared navigation properties and "
                "declared named streams can be represented as properties without values.",
            )
        raise unknown_property(table, name)
    if column.read_only:
        return
    payload.values[column.name] = kept(table, column, value)


def _bind(store: Store, table: Table, name: str, value: Any, payload: Payload) -> None:
    link = table.links.get(name)
    if link is None:
        raise unknown_property(table, name)
    if link.to_many:
        for one in value if isinstance(value, list) else [value]:
            payload.related.append((link, bound_row(store, one, {link.name: link.table}, table)[1]))
    elif value is None:
        payload.values |= lookup_values(link.column, None, None)
    else:
        target, row_id = bound_row(store, value, {name: link.table}, table)
        payload.values |= lookup_values(link.column, target.name, row_id)


def _relate(table: Table, link: Link, value: Any, payload: Payload) -> None:
    if link.to_many:
        bodies = value if isinstance(value, list) else None
    elif value is None:
        payload.values |= lookup_values(link.column, None, None)
        return
    else:
        bodies = [value]
    if bodies is None or not all(isinstance(body, dict) for body in bodies):
        raise failures.bad_payload(
            table.set_name,
            (
                "Microsoft.OData.ODataException: The value of the navigation property "
                f"'{link.name}' is malformed."
            ),
        )
    payload.related += [(link, body) for body in bodies]
