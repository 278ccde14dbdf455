"""``$ref``: which rows are related to a row, by their addresses alone, set and taken away."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.sandbox.odata.address import Segment
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.call import SalesCall
from pipeline.sandbox.sales.payload import Payload, load_body, set_lookup
from pipeline.sandbox.sales.references import find_bound_row, find_row_id
from pipeline.sandbox.sales.schema import TABLES, SalesLink, SalesTable
from pipeline.sandbox.sales.scope import compile_reference
from pipeline.sandbox.wire.batch import ODataAnswer


@dataclass(frozen=True, kw_only=True, slots=True)
class RowAddress:
    """The row that an address begins with."""

    table: SalesTable
    id: str


def answer_reference(
    call: SalesCall, row: RowAddress, link: SalesLink, segment: Segment
) -> ODataAnswer:
    """An address that ends with ``$ref``. Raises ``SalesFailure``."""
    call.only("GET", "POST", "PUT", "DELETE")
    if call.method == "GET":
        wanted = None if link.to_many else find_target(call, row, link)
        if wanted is None:
            return call.done()
        context = f'{call.context("$ref")}"@odata.id":"{call.entity(TABLES[link.table], wanted)}"'
        return call.json(f"{{{context}}}".encode())
    with call.store.transaction():
        if call.method == "DELETE":
            _part(call, row, link, segment)
        else:
            body = load_body(row.table, call.operation.body)
            _, other = find_bound_row(
                call.store, body.get("@odata.id"), {link.name: link.table}, row.table
            )
            _join(call, row, link, other)
    return call.done()


def _join(call: SalesCall, row: RowAddress, link: SalesLink, other: str) -> None:
    if link.to_many:
        call.writer.change(
            TABLES[link.table],
            other,
            Payload(values=set_lookup(link.column, row.table.name, row.id)),
        )
    else:
        call.writer.change(
            row.table, row.id, Payload(values=set_lookup(link.column, link.table, other))
        )


def _part(call: SalesCall, row: RowAddress, link: SalesLink, segment: Segment) -> None:
    emptied = Payload(values=set_lookup(link.column, None, None))
    if not link.to_many:
        call.writer.change(row.table, row.id, emptied)
        return
    target = TABLES[link.table]
    if segment.keys:
        other = find_row_id(call.store, target, segment)
    else:
        _, other = find_bound_row(
            call.store, call.query.others.get("$id"), {link.name: link.table}, row.table
        )
    if other is None:
        raise failures.no_key(target.name)
    call.writer.change(target, other, emptied)


def find_target(call: SalesCall, row: RowAddress, link: SalesLink) -> str | None:
    """The id of the row that a single-valued link leads to. Raises ``SalesFailure``."""
    value = compile_reference(link, "t")
    sql = f"SELECT {value} FROM {row.table.name} AS t WHERE t.{row.table.id} = ?"
    found = call.store.rows(sql, (row.id,))
    if not found:
        raise failures.no_row(row.table.name, row.id)
    return None if found[0][0] is None else str(found[0][0])
