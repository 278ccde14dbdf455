"""One property of a row, read and set by an address of its own."""

from __future__ import annotations

from typing import Any

import orjson

from pipeline.sandbox.sales import entities, failures
from pipeline.sandbox.sales.call import Call
from pipeline.sandbox.sales.links import RowAddress
from pipeline.sandbox.sales.payload import Payload, loaded, lookup_values
from pipeline.sandbox.sales.rows import json_value
from pipeline.sandbox.sales.schema import Column, Type
from pipeline.sandbox.sales.values import kept
from pipeline.sandbox.wire.batch import Answer


def answer_property(call: Call, row: RowAddress, column: Column, rest: list[str]) -> Answer:
    """GET, PUT or DELETE of a property. Raises ``FailedError``."""
    if call.method in {"PUT", "DELETE"} and not rest:
        return _set_property(call, row, column)
    call.only("GET")
    sql = f"SELECT {json_value(column, 't')} FROM {row.table.name} AS t WHERE t.{row.table.id} = ?"
    found = call.store.rows(sql, (row.id,))
    if not found:
        raise failures.no_row(row.table.name, row.id)
    if found[0][0] == "null":
        return call.done()
    if rest == ["$value"]:
        value = orjson.loads(found[0][0])
        return call.plain(value if isinstance(value, str) else found[0][0])
    if rest:
        raise failures.no_segment(rest[0])
    context = call.context(f"{row.table.set_name}({row.id})/{column.wire}")
    return call.json(f'{{{context}"value":{found[0][0]}}}'.encode())


def _set_property(call: Call, row: RowAddress, column: Column) -> Answer:
    value: Any = None
    if call.method == "PUT":
        value = loaded(row.table, call.operation.body).get("value")
    values = {} if column.read_only else {column.name: kept(row.table, column, value)}
    if column.type is Type.LOOKUP:
        values = lookup_values(column, None, None)
    with call.store.transaction():
        entities.check_etag(call, row.table, row.id)
        call.writer.change(row.table, row.id, Payload(values=values))
    return call.done()
