"""The bulk messages, each in one transaction: any error undoes all.

And BulkDelete, for rows named by their ids.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from pipeline.sandbox.odata.address import Segment, parse_address
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.call import SalesCall
from pipeline.sandbox.sales.payload import load_body
from pipeline.sandbox.sales.references import (
    find_named_table,
    find_row_id,
    find_table,
    is_alternate,
    is_there,
    read_alternate_key,
)
from pipeline.sandbox.sales.schema import CRM, SETS, SalesTable
from pipeline.sandbox.sales.values import read_guid, read_value
from pipeline.sandbox.wire.batch import ODataAnswer

MESSAGES: Final = ("CreateMultiple", "UpdateMultiple", "UpsertMultiple")


def answer_action(call: SalesCall, table: SalesTable, name: str) -> ODataAnswer:
    """An action bound to an entity set."""
    call.only("POST")
    call.allowed(table)
    message = name.removeprefix(f"{CRM}.")
    if message == "DeleteMultiple":
        raise failures.not_implemented("DeleteMultiple has not yet been implemented.")
    if message not in _RUN:
        raise failures.no_segment(name)
    targets = _targets(call, table)
    with call.store.transaction():
        return _RUN[message](call, table, targets)


def _targets(call: SalesCall, table: SalesTable) -> list[dict[str, Any]]:
    targets = load_body(table, call.operation.body).get("Targets")
    if not isinstance(targets, list) or not all(isinstance(target, dict) for target in targets):
        raise failures.bad_body(
            table.set_name,
            "Microsoft.OData.ODataException: The parameter 'Targets' must be a list of rows.",
        )
    wanted = f"{CRM}.{table.name}"
    for target in targets:
        if str(target.get("@odata.type", "")).removeprefix("#") != wanted:
            raise failures.bad_body(
                table.set_name,
                "Microsoft.OData.ODataException: A type named in each element of 'Targets' is "
                "needed: "
                f'"@odata.type": "{wanted}".',
            )
    return targets


def _create(call: SalesCall, table: SalesTable, targets: list[dict[str, Any]]) -> ODataAnswer:
    ids = [call.writer.create(table, target) for target in targets]
    return call.value({"Ids": ids}, f"{CRM}.CreateMultipleResponse")


def _update(call: SalesCall, table: SalesTable, targets: list[dict[str, Any]]) -> ODataAnswer:
    """Of several targets with one id the first alone is applied."""
    firsts: dict[str, dict[str, Any]] = {}
    for target in targets:
        wanted = _id_in(call, table, target)
        if wanted is None:
            raise failures.bad_call(
                f"Entity Id must be specified for the update of {table.name}.", "0x80040203"
            )
        firsts.setdefault(wanted, target)
    missing = [wanted for wanted in firsts if not is_there(call.store, table, wanted)]
    if missing:
        raise failures.no_rows(table.name, ", ".join(missing))
    for wanted, target in firsts.items():
        call.writer.update(table, wanted, target)
    return call.done()


def _upsert(call: SalesCall, table: SalesTable, targets: list[dict[str, Any]]) -> ODataAnswer:
    """Several targets with one key are an error."""
    seen: set[tuple[Any, ...]] = set()
    for target in targets:
        segment = _segment(table, target)
        key = (
            read_alternate_key(table, segment)
            if segment is not None and is_alternate(table, segment)
            else None
        )
        wanted = _id_in(call, table, target)
        mark = (wanted,) if key is None else tuple(key.items())
        if mark in seen and mark != (None,):
            raise failures.bad_call(
                "Duplicate keys are not allowed in Targets of UpsertMultiple.", "0x80040237"
            )
        seen.add(mark)
        if wanted is not None and is_there(call.store, table, wanted):
            call.writer.update(table, wanted, target)
        else:
            call.writer.create(table, target, row_id=wanted, given=key)
    return call.done()


def _segment(table: SalesTable, target: Mapping[str, Any]) -> Segment | None:
    """The key that ``@odata.id`` names."""
    text = target.get("@odata.id")
    if text is None:
        return None
    segments = parse_address(
        str(text).split("/api/data/", 1)[-1].split("/", 1)[-1]
        if "/api/data/" in str(text)
        else str(text)
    )
    if len(segments) != 1 or SETS.get(segments[0].name) is not table or not segments[0].keys:
        raise failures.bad_body(
            table.set_name, f"Microsoft.OData.ODataException: Invalid @odata.id '{text}'."
        )
    return segments[0]


def _id_in(call: SalesCall, table: SalesTable, target: Mapping[str, Any]) -> str | None:
    """The id of the row that a target means, null for a new one."""
    segment = _segment(table, target)
    if segment is not None:
        return find_row_id(call.store, table, segment)
    value = target.get(table.id)
    return None if value is None else read_guid(table, table.columns[table.id], value)


_RUN: Final[Mapping[str, Callable[[SalesCall, SalesTable, list[dict[str, Any]]], ODataAnswer]]] = {
    "CreateMultiple": _create,
    "UpdateMultiple": _update,
    "UpsertMultiple": _upsert,
}


def answer_bulk_delete(call: SalesCall) -> ODataAnswer:
    """A job that deletes the rows whose ids, or one value, a query names; it is done at once."""
    call.only("POST")
    body = load_body(find_table("contacts"), call.operation.body)
    queries = body.get("QuerySet")
    if not isinstance(queries, list) or not queries:
        raise failures.bad_call("BulkDelete needs a QuerySet.", "0x80040203")
    with call.store.transaction():
        for query in queries:
            _delete_query(call, query)
    return call.value({"JobId": str(uuid.uuid4())}, f"{CRM}.BulkDeleteResponse")


def _delete_query(call: SalesCall, query: Mapping[str, Any]) -> None:
    table = find_named_table(str(query.get("EntityName")))
    call.allowed(table)
    for condition in (query.get("Criteria") or {}).get("Conditions") or []:
        column = table.columns.get(str(condition.get("AttributeName")))
        if column is None or condition.get("Operator") not in {"In", "Equal"}:
            raise failures.not_implemented("BulkDelete takes conditions with In and Equal here.")
        for value in condition.get("Values") or []:
            wanted = read_value(
                table, column, value.get("Value") if isinstance(value, dict) else value
            )
            for (one,) in call.store.rows(
                f"SELECT {table.id} FROM {table.name} WHERE {column.name} = ?", (wanted,)
            ):
                call.writer.delete(table, one)
