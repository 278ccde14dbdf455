"""One property of a row, read and set by an address of its own."""

from __future__ import annotations

from typing import Any

import orjson

from pipeline.sandbox.sales import entities, failures
from pipeline.sandbox.sales.call import SalesCall
from pipeline.sandbox.sales.links import RowAddress
from pipeline.sandbox.sales.payload import Payload, load_body, set_lookup
from pipeline.sandbox.sales.rows import compile_value
from pipeline.sandbox.sales.schema import ColumnType, SalesColumn
from pipeline.sandbox.sales.values import read_value
from pipeline.sandbox.wire.batch import ODataAnswer


def answer_property(
    call: SalesCall, row: RowAddress, column: SalesColumn, rest: list[str]
) -> ODataAnswer:
    """GET, PUT or DELETE of a property. Raises ``SalesFailure``."""
    if call.method in {"PUT", "DELETE"} and not rest:
        return _set_property(call, row, column)
    call.only("GET")
    sql = (
        f"SELECT {compile_value(column, 't')} FROM {row.table.name} AS t WHERE t.{row.table.id} = ?"
    )
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


def _set_property(call: SalesCall, row: RowAddress, column: SalesColumn) -> ODataAnswer:
    value: Any = None
    if call.method == "PUT":
        value = load_body(row.table, call.operation.body).get("value")
    values = {} if column.read_only else {column.name: read_value(row.table, column, value)}
    if column.type is ColumnType.LOOKUP:
        values = set_lookup(column, None, None)
    with call.store.transaction():
        entities.check_etag(call, row.table, row.id)
        call.writer.change(row.table, row.id, Payload(values=values))
    return call.done()
