"""What hangs on a row: its properties, related rows, and the references that relate them."""

from __future__ import annotations

from pipeline.sandbox.odata.address import Segment
from pipeline.sandbox.odata.columns import Sql
from pipeline.sandbox.sales import entities, failures, tables
from pipeline.sandbox.sales.call import SalesCall
from pipeline.sandbox.sales.links import RowAddress, answer_reference, find_target
from pipeline.sandbox.sales.payload import set_lookup
from pipeline.sandbox.sales.property import answer_property
from pipeline.sandbox.sales.schema import TABLES, SalesLink, SalesTable
from pipeline.sandbox.sales.scope import compile_belonging
from pipeline.sandbox.wire.batch import ODataAnswer


def answer_member(call: SalesCall, table: SalesTable, segments: tuple[Segment, ...]) -> ODataAnswer:
    """An address of a row and at least one segment more."""
    call.allowed(table)
    row = RowAddress(table=table, id=entities.find_row(call, table, segments[0]))
    segment, rest = segments[1], [one.name for one in segments[2:]]
    if segment.name in table.properties and segment.keys is None:
        return answer_property(call, row, table.properties[segment.name], rest)
    if segment.name not in table.links:
        raise failures.no_segment(segment.name)
    link = table.links[segment.name]
    if rest == ["$ref"]:
        return answer_reference(call, row, link, segment)
    return _many(call, row, link, rest) if link.to_many else _one(call, row, link, rest)


def _one(call: SalesCall, row: RowAddress, link: SalesLink, rest: list[str]) -> ODataAnswer:
    """The related row; 204 where there is none."""
    call.only("GET")
    if rest:
        raise failures.no_segment(rest[0])
    wanted = find_target(call, row, link)
    if wanted is None:
        return call.done()
    return entities.read_row(call, TABLES[link.table], wanted)


def _many(call: SalesCall, row: RowAddress, link: SalesLink, rest: list[str]) -> ODataAnswer:
    """The related rows, or a new one among them."""
    target = TABLES[link.table]
    outer = call.shape(row.table).scope
    text = compile_belonging(link, "t", outer).replace(f"{outer.alias}.{row.table.id}", "?", 1)
    if rest == ["$count"]:
        return tables.count_rows(call, target, Sql(text=text, values=(row.id,)))
    if rest:
        raise failures.no_segment(rest[0])
    call.only("GET", "POST")
    if call.method == "POST":
        return tables.create_row(call, target, set_lookup(link.column, row.table.name, row.id))
    return tables.list_rows(call, target, Sql(text=text, values=(row.id,)))
