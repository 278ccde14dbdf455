"""What hangs on a row: single properties, related rows, and the references that make rows related."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from pipeline.sandbox.odata.address import Segment
from pipeline.sandbox.odata.columns import Sql
from pipeline.sandbox.sales import entities, failures, tables
from pipeline.sandbox.sales.call import Call
from pipeline.sandbox.sales.payload import Payload, loaded, lookup_values
from pipeline.sandbox.sales.references import bound_row, row_id
from pipeline.sandbox.sales.rows import json_value
from pipeline.sandbox.sales.schema import TABLES, Column, Link, Table, Type
from pipeline.sandbox.sales.scope import belonging, reference
from pipeline.sandbox.sales.values import kept
from pipeline.sandbox.wire.batch import Answer


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """The row that an address begins with."""

    table: Table
    id: str


def answer(call: Call, table: Table, segments: tuple[Segment, ...]) -> Answer:
    """An address of a row and at least one segment more."""
    call.allowed(table)
    row = _Row(table=table, id=entities.found(call, table, segments[0]))
    segment, rest = segments[1], [one.name for one in segments[2:]]
    if segment.name in table.properties and segment.keys is None:
        return _property(call, row, table.properties[segment.name], rest)
    if segment.name not in table.links:
        raise failures.no_segment(segment.name)
    link = table.links[segment.name]
    if rest == ["$ref"]:
        return _reference(call, row, link, segment)
    return _many(call, row, link, rest) if link.to_many else _one(call, row, link, rest)


def _property(call: Call, row: _Row, column: Column, rest: list[str]) -> Answer:
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


def _set_property(call: Call, row: _Row, column: Column) -> Answer:
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


def _one(call: Call, row: _Row, link: Link, rest: list[str]) -> Answer:
    """The related row; 204 where there is none."""
    call.only("GET")
    if rest:
        raise failures.no_segment(rest[0])
    wanted = _target(call, row, link)
    if wanted is None:
        return call.done()
    return entities.read(call, TABLES[link.table], wanted)


def _target(call: Call, row: _Row, link: Link) -> str | None:
    sql = f"SELECT {reference(link, 't')} FROM {row.table.name} AS t WHERE t.{row.table.id} = ?"
    found = call.store.rows(sql, (row.id,))
    if not found:
        raise failures.no_row(row.table.name, row.id)
    return None if found[0][0] is None else str(found[0][0])


def _many(call: Call, row: _Row, link: Link, rest: list[str]) -> Answer:
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


def _reference(call: Call, row: _Row, link: Link, segment: Segment) -> Answer:
    """``$ref``: related rows by their addresses alone, set and taken away."""
    call.only("GET", "POST", "PUT", "DELETE")
    if call.method == "GET":
        wanted = None if link.to_many else _target(call, row, link)
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


def _join(call: Call, row: _Row, link: Link, other: str) -> None:
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


def _part(call: Call, row: _Row, link: Link, segment: Segment) -> None:
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
