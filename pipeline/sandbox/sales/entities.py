"""One row: read, changed, made by its key, deleted.

With the conditions of ``If-Match`` and ``If-None-Match``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pipeline.sandbox.odata.address import Segment
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.call import SalesCall
from pipeline.sandbox.sales.payload import load_body
from pipeline.sandbox.sales.references import find_row_id, is_alternate, read_alternate_key
from pipeline.sandbox.sales.schema import SalesTable
from pipeline.sandbox.sales.tables import answer_write
from pipeline.sandbox.wire.batch import ODataAnswer


def answer_row(call: SalesCall, table: SalesTable, segment: Segment) -> ODataAnswer:
    """GET, PATCH or DELETE of a row."""
    call.only("GET", "PATCH", "DELETE")
    call.allowed(table)
    if call.method == "GET":
        return read_row(call, table, find_row(call, table, segment))
    with call.store.transaction():
        if call.method == "DELETE":
            return _delete(call, table, find_row(call, table, segment))
        return _patch(call, table, segment)


def find_row(call: SalesCall, table: SalesTable, segment: Segment) -> str:
    """The id of the row that a segment names; an alternate key must lead somewhere.

    Raises ``SalesFailure``.
    """
    wanted = find_row_id(call.store, table, segment)
    if wanted is None:
        raise failures.no_key(table.name)
    return wanted


def read_row(call: SalesCall, table: SalesTable, wanted: str, context: str = "") -> ODataAnswer:
    """A row, unless the caller has it already."""
    row = call.reader(table).one(wanted)
    if row is None:
        raise failures.no_row(table.name, wanted)
    etag = _etag(call, table, wanted)
    conditional = not call.query.expand and call.prefer.annotations is None
    if conditional and etag in _tags(call.header("if-none-match")):
        return ODataAnswer(
            status=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag, "OData-Version": "4.0"}
        )
    head = call.context(f"{context or table.set_name}{call.shape(table).context()}/$entity")
    return call.json(f"{{{head}{row[1:]}".encode(), headers={"ETag": etag})


def check_etag(call: SalesCall, table: SalesTable, wanted: str) -> None:
    """Refuse to continue if ``If-Match`` names another version. Raises ``SalesFailure``."""
    tags = _tags(call.header("if-match"))
    if not tags or "*" in tags:
        return
    if _etag(call, table, wanted) not in tags:
        raise failures.version_mismatch()


def _etag(call: SalesCall, table: SalesTable, wanted: str) -> str:
    version = call.store.rows(
        f"SELECT versionnumber FROM {table.name} WHERE {table.id} = ?", (wanted,)
    )
    if not version:
        raise failures.no_row(table.name, wanted)
    return f'W/"{version[0][0]}"'


def _tags(header: str) -> set[str]:
    return {tag.strip() for tag in header.split(",") if tag.strip()}


def _delete(call: SalesCall, table: SalesTable, wanted: str) -> ODataAnswer:
    check_etag(call, table, wanted)
    call.writer.delete(table, wanted)
    return call.done()


def _patch(call: SalesCall, table: SalesTable, segment: Segment) -> ODataAnswer:
    """An update, or an insert under the key in the address.

    ``If-Match`` forbids the one, ``If-None-Match: *`` the other.
    """
    body = load_body(table, call.operation.body)
    wanted = find_row_id(call.store, table, segment)
    there = wanted is not None and bool(
        call.store.rows(f"SELECT 1 FROM {table.name} WHERE {table.id} = ?", (wanted,))
    )
    if there and wanted is not None:
        return _update(call, table, wanted, body)
    if call.header("if-match"):
        raise failures.no_row(table.name, wanted) if wanted else failures.no_key(table.name)
    key = read_alternate_key(table, segment) if is_alternate(table, segment) else None
    made = call.writer.create(table, body, row_id=wanted, given=key)
    return answer_write(
        call,
        table,
        made,
        HTTPStatus.CREATED if call.prefer.representation else HTTPStatus.NO_CONTENT,
    )


def _update(call: SalesCall, table: SalesTable, wanted: str, body: dict[str, Any]) -> ODataAnswer:
    if call.header("if-none-match") == "*":
        raise failures.row_exists()
    check_etag(call, table, wanted)
    call.writer.update(table, wanted, body)
    return answer_write(call, table, wanted, HTTPStatus.OK)
