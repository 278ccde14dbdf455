"""Entity sets: rows listed, counted and made."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from pipeline.sandbox.odata.columns import Sql
from pipeline.sandbox.sales import aggregates, changes, fetch, sqlquery
from pipeline.sandbox.sales.call import SalesCall
from pipeline.sandbox.sales.payload import load_body
from pipeline.sandbox.sales.reading import COUNTED, SalesReader, make_next_link
from pipeline.sandbox.sales.schema import SalesTable
from pipeline.sandbox.sales.store import SalesRow
from pipeline.sandbox.wire.batch import ODataAnswer

_NOTE: Final = "Microsoft.Dynamics.CRM"


def answer_table(call: SalesCall, table: SalesTable) -> ODataAnswer:
    """GET or POST of an entity set."""
    call.only("GET", "POST")
    call.allowed(table)
    return create_row(call, table) if call.method == "POST" else _list(call, table)


def _list(call: SalesCall, table: SalesTable) -> ODataAnswer:
    others = {name.lower(): value for name, value in call.query.others.items()}
    if "fetchxml" in others:
        return fetch.answer_fetch(call, table, others["fetchxml"])
    if "sql" in others:
        return sqlquery.answer_sql(call, table, others["sql"])
    if call.query.apply is not None:
        return aggregates.answer_apply(call, table)
    if changes.asks_for_changes(call):
        return changes.answer_changes(call, table)
    return list_rows(call, table)


def list_rows(
    call: SalesCall, table: SalesTable, belonging: Sql | None = None, context: str = ""
) -> ODataAnswer:
    """A page of a set, or of a collection that rows are ``belonging`` to."""
    reader = SalesReader(store=call.store, shape=call.shape(table), belonging=belonging)
    page = reader.page()
    head = call.context(f"{context or table.set_name}{reader.shape.context()}") + _totals(
        call, reader
    )
    tail = (
        f',"@odata.nextLink":{make_next_link(call.address, call.query_text, page.token)}'
        if page.token
        else ""
    )
    return call.json(b"".join((f'{{{head}"value":['.encode(), page.body, f"]{tail}}}".encode())))


def count_rows(call: SalesCall, table: SalesTable, belonging: Sql | None = None) -> ODataAnswer:
    """``/$count`` of a set or a collection."""
    call.only("GET")
    call.allowed(table)
    if call.query.deltatoken is not None:
        return call.plain(str(changes.count_changes(call, table)))
    return call.plain(
        str(SalesReader(store=call.store, shape=call.shape(table), belonging=belonging).count())
    )


def create_row(call: SalesCall, table: SalesTable, given: SalesRow | None = None) -> ODataAnswer:
    """Make a row from the body; ``given`` are further columns that are set."""
    body = load_body(table, call.operation.body)
    with call.store.transaction():
        row_id = call.writer.create(table, body, given=given)
        return answer_write(call, table, row_id, HTTPStatus.CREATED)


def answer_write(call: SalesCall, table: SalesTable, row_id: str, status: int) -> ODataAnswer:
    """The answer to a write: no content, or the row with this status if it was asked for."""
    url = call.entity(table, row_id)
    headers = {"OData-EntityId": url}
    if status == HTTPStatus.CREATED:
        headers["Location"] = url
    if not call.prefer.representation:
        return call.done(headers)
    row = call.reader(table).one(row_id) or "{}"
    context = call.context(f"{table.set_name}{call.shape(table).context()}/$entity")
    return call.json(f"{{{context}{row[1:]}".encode(), status, headers)


def _totals(call: SalesCall, reader: SalesReader) -> str:
    """What a page says of the number of all rows."""
    total = reader.count() if call.query.count else -1
    parts = [f'"@odata.count":{total},'] if call.query.count else []
    if call.prefer.notes(f"{_NOTE}.totalrecordcount"):
        parts.append(f'"@{_NOTE}.totalrecordcount":{total},')
    if call.prefer.notes(f"{_NOTE}.totalrecordcountlimitexceeded"):
        exceeded = "true" if total >= COUNTED and reader.exceeds() else "false"
        parts.append(f'"@{_NOTE}.totalrecordcountlimitexceeded":{exceeded},')
    return "".join(parts)
