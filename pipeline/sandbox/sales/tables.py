"""Entity sets: rows listed, counted and made."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from pipeline.sandbox.odata.columns import Sql
from pipeline.sandbox.sales import aggregates, changes, fetch, sqlquery
from pipeline.sandbox.sales.call import Call
from pipeline.sandbox.sales.payload import loaded
from pipeline.sandbox.sales.reading import COUNTED, Reader, next_link
from pipeline.sandbox.sales.schema import Table
from pipeline.sandbox.sales.store import Row
from pipeline.sandbox.wire.batch import Answer

_NOTE: Final = "Microsoft.Dynamics.CRM"


def answer(call: Call, table: Table) -> Answer:
    """GET or POST of an entity set."""
    call.only("GET", "POST")
    call.allowed(table)
    return created(call, table) if call.method == "POST" else _listed(call, table)


def _listed(call: Call, table: Table) -> Answer:
    others = {name.lower(): value for name, value in call.query.others.items()}
    if "fetchxml" in others:
        return fetch.answer(call, table, others["fetchxml"])
    if "sql" in others:
        return sqlquery.answer(call, table, others["sql"])
    if call.query.apply is not None:
        return aggregates.answer(call, table)
    if changes.asked(call):
        return changes.answer(call, table)
    return listed(call, table)


def listed(call: Call, table: Table, belonging: Sql | None = None, context: str = "") -> Answer:
    """A page of a set, or of a collection that rows are ``belonging`` to."""
    reader = Reader(store=call.store, shape=call.shape(table), belonging=belonging)
    page = reader.page()
    head = call.context(f"{context or table.set_name}{reader.shape.context()}") + _totals(
        call, reader
    )
    tail = (
        f',"@odata.nextLink":{next_link(call.address, call.query_text, page.token)}'
        if page.token
        else ""
    )
    return call.json(b"".join((f'{{{head}"value":['.encode(), page.body, f"]{tail}}}".encode())))


def counted(call: Call, table: Table, belonging: Sql | None = None) -> Answer:
    """``/$count`` of a set or a collection."""
    call.only("GET")
    call.allowed(table)
    if call.query.deltatoken is not None:
        return call.plain(str(changes.count(call, table)))
    return call.plain(
        str(Reader(store=call.store, shape=call.shape(table), belonging=belonging).count())
    )


def created(call: Call, table: Table, given: Row | None = None) -> Answer:
    """A row is made from the body; ``given`` are columns set beside it."""
    body = loaded(table, call.operation.body)
    with call.store.transaction():
        row_id = call.writer.create(table, body, given=given)
        return written(call, table, row_id, HTTPStatus.CREATED)


def written(call: Call, table: Table, row_id: str, status: int) -> Answer:
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


def _totals(call: Call, reader: Reader) -> str:
    """What a page says of the number of all rows."""
    total = reader.count() if call.query.count else -1
    parts = [f'"@odata.count":{total},'] if call.query.count else []
    if call.prefer.notes(f"{_NOTE}.totalrecordcount"):
        parts.append(f'"@{_NOTE}.totalrecordcount":{total},')
    if call.prefer.notes(f"{_NOTE}.totalrecordcountlimitexceeded"):
        exceeded = "true" if total >= COUNTED and reader.exceeds() else "false"
        parts.append(f'"@{_NOTE}.totalrecordcountlimitexceeded":{exceeded},')
    return "".join(parts)
