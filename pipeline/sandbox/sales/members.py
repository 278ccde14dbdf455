"""What hangs on a row: single properties, related rows, and the references that make rows related."""

from __future__ import annotations

from pipeline.sandbox.odata.address import Segment
from pipeline.sandbox.odata.columns import Sql
from pipeline.sandbox.sales import entities, failures, tables
from pipeline.sandbox.sales.call import Call
from pipeline.sandbox.sales.links import RowAddress, answer_reference, find_target
from pipeline.sandbox.sales.payload import lookup_values
from pipeline.sandbox.sales.property import answer_property
from pipeline.sandbox.sales.schema import TABLES, Link, Table
from pipeline.sandbox.sales.scope import belonging
from pipeline.sandbox.wire.batch import Answer


def answer(call: Call, table: Table, segments: tuple[Segment, ...]) -> Answer:
    """An address of a row and at least one segment more."""
    call.allowed(table)
    row = RowAddress(table=table, id=entities.found(call, table, segments[0]))
    segment, rest = segments[1], [one.name for one in segments[2:]]
    if segment.name in table.properties and segment.keys is None:
        return answer_property(call, row, table.properties[segment.name], rest)
    if segment.name not in table.links:
        raise failures.no_segment(segment.name)
    link = table.links[segment.name]
    if rest == ["$ref"]:
        return answer_reference(call, row, link, segment)
    return _many(call, row, link, rest) if link.to_many else _one(call, row, link, rest)


def _one(call: Call, row: RowAddress, link: Link, rest: list[str]) -> Answer:
    """The related row; 204 where there is none."""
    call.only("GET")
    if rest:
        raise failures.no_segment(rest[0])
    wanted = find_target(call, row, link)
    if wanted is None:
        return call.done()
    return entities.read(call, TABLES[link.table], wanted)


def _many(call: Call, row: RowAddress, link: Link, rest: list[str]) -> Answer:
    """The related rows, or a new one among them."""
    target = TABLES[link.table]
    outer = call.shape(row.table).scope
    text = belonging(link, "t", outer).replace(f"{outer.alias}.{row.table.id}", "?", 1)
    if rest == ["$count"]:
        return tables.counted(call, target, Sql(text=text, values=(row.id,)))
    if rest:
        raise failures.no_segment(rest[0])
    call.only("GET", "POST")
    if call.method == "POST":
        return tables.created(call, target, lookup_values(link.column, row.table.name, row.id))
    return tables.listed(call, target, Sql(text=text, values=(row.id,)))
