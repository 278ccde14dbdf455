"""``$ref``: which rows are related to a row, by their addresses alone, set and taken away."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.sandbox.odata.address import Segment
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.call import Call
from pipeline.sandbox.sales.payload import Payload, loaded, lookup_values
from pipeline.sandbox.sales.references import bound_row, row_id
from pipeline.sandbox.sales.schema import TABLES, Link, Table
from pipeline.sandbox.sales.scope import reference
from pipeline.sandbox.wire.batch import Answer


@dataclass(frozen=True, kw_only=True, slots=True)
class RowAddress:
    """The row that an address begins with."""

    table: Table
    id: str


def answer_reference(call: Call, row: RowAddress, link: Link, segment: Segment) -> Answer:
    """An address that ends with ``$ref``. Raises ``FailedError``."""
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
            body = loaded(row.table, call.operation.body)
            _, other = bound_row(
                call.store, body.get("@odata.id"), {link.name: link.table}, row.table
            )
            _join(call, row, link, other)
    return call.done()


def _join(call: Call, row: RowAddress, link: Link, other: str) -> None:
    if link.to_many:
        call.writer.change(
            TABLES[link.table],
            other,
            Payload(values=lookup_values(link.column, row.table.name, row.id)),
        )
    else:
        call.writer.change(
            row.table, row.id, Payload(values=lookup_values(link.column, link.table, other))
        )


def _part(call: Call, row: RowAddress, link: Link, segment: Segment) -> None:
    emptied = Payload(values=lookup_values(link.column, None, None))
    if not link.to_many:
        call.writer.change(row.table, row.id, emptied)
        return
    target = TABLES[link.table]
    if segment.keys:
        other = row_id(call.store, target, segment)
    else:
        _, other = bound_row(
            call.store, call.query.others.get("$id"), {link.name: link.table}, row.table
        )
    if other is None:
        raise failures.no_key(target.name)
    call.writer.change(target, other, emptied)


def find_target(call: Call, row: RowAddress, link: Link) -> str | None:
    """The id of the row that a single-valued link leads to. Raises ``FailedError``."""
    sql = f"SELECT {reference(link, 't')} FROM {row.table.name} AS t WHERE t.{row.table.id} = ?"
    found = call.store.rows(sql, (row.id,))
    if not found:
        raise failures.no_row(row.table.name, row.id)
    return None if found[0][0] is None else str(found[0][0])
