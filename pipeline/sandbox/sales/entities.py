"""One row: read, changed, made by its key, deleted.

With the conditions of ``If-Match`` and ``If-None-Match``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pipeline.sandbox.odata.address import Segment
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.call import Call
from pipeline.sandbox.sales.payload import loaded
from pipeline.sandbox.sales.references import alternate_key, is_alternate, row_id
from pipeline.sandbox.sales.schema import Table
from pipeline.sandbox.sales.tables import written
from pipeline.sandbox.wire.batch import Answer


def answer(call: Call, table: Table, segment: Segment) -> Answer:
    """GET, PATCH or DELETE of a row."""
    call.only("GET", "PATCH", "DELETE")
    call.allowed(table)
    if call.method == "GET":
        return read(call, table, found(call, table, segment))
    with call.store.transaction():
        if call.method == "DELETE":
            return _deleted(call, table, found(call, table, segment))
        return _patched(call, table, segment)


def found(call: Call, table: Table, segment: Segment) -> str:
    """The id of the row that a segment names; an alternate key must lead somewhere.

    Raises ``FailedError``.
    """
    wanted = row_id(call.store, table, segment)
    if wanted is None:
        raise failures.no_key(table.name)
    return wanted


def read(call: Call, table: Table, wanted: str, context: str = "") -> Answer:
    """A row, unless the caller has it already."""
    row = call.reader(table).one(wanted)
    if row is None:
        raise failures.no_row(table.name, wanted)
    etag = _etag(call, table, wanted)
    conditional = not call.query.expand and call.prefer.annotations is None
    if conditional and etag in _tags(call.header("if-none-match")):
        return Answer(
            status=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag, "OData-Version": "4.0"}
        )
    head = call.context(f"{context or table.set_name}{call.shape(table).context()}/$entity")
    return call.json(f"{{{head}{row[1:]}".encode(), headers={"ETag": etag})


def check_etag(call: Call, table: Table, wanted: str) -> None:
    """Refuse to go on if ``If-Match`` names another version. Raises ``FailedError``."""
    tags = _tags(call.header("if-match"))
    if not tags or "*" in tags:
        return
    if _etag(call, table, wanted) not in tags:
        raise failures.version_mismatch()


def _etag(call: Call, table: Table, wanted: str) -> str:
    version = call.store.rows(
        f"SELECT versionnumber FROM {table.name} WHERE {table.id} = ?", (wanted,)
    )
    if not version:
        raise failures.no_row(table.name, wanted)
    return f'W/"{version[0][0]}"'


def _tags(header: str) -> set[str]:
    return {tag.strip() for tag in header.split(",") if tag.strip()}


def _deleted(call: Call, table: Table, wanted: str) -> Answer:
    check_etag(call, table, wanted)
    call.writer.delete(table, wanted)
    return call.done()


def _patched(call: Call, table: Table, segment: Segment) -> Answer:
    """An update, or an insert under the key in the address.

    ``If-Match`` forbids the one, ``If-None-Match: *`` the other.
    """
    body = loaded(table, call.operation.body)
    wanted = row_id(call.store, table, segment)
    there = wanted is not None and bool(
        call.store.rows(f"SELECT 1 FROM {table.name} WHERE {table.id} = ?", (wanted,))
    )
    if there and wanted is not None:
        return _updated(call, table, wanted, body)
    if call.header("if-match"):
        raise failures.no_row(table.name, wanted) if wanted else failures.no_key(table.name)
    key = alternate_key(table, segment) if is_alternate(table, segment) else None
    made = call.writer.create(table, body, row_id=wanted, given=key)
    return written(
        call,
        table,
        made,
        HTTPStatus.CREATED if call.prefer.representation else HTTPStatus.NO_CONTENT,
    )


def _updated(call: Call, table: Table, wanted: str, body: dict[str, Any]) -> Answer:
    if call.header("if-none-match") == "*":
        raise failures.row_exists()
    check_etag(call, table, wanted)
    call.writer.update(table, wanted, body)
    return written(call, table, wanted, HTTPStatus.OK)
