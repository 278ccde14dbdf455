"""The bulk messages, each in one transaction: any error undoes all.

And BulkDelete, for rows named by their ids.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from pipeline.sandbox.odata.address import Segment, parse_address
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.call import Call
from pipeline.sandbox.sales.payload import loaded
from pipeline.sandbox.sales.references import (
    alternate_key,
    exists,
    is_alternate,
    row_id,
    table_named,
    table_of,
)
from pipeline.sandbox.sales.schema import NAMESPACE, SETS, Table
from pipeline.sandbox.sales.values import guid, kept
from pipeline.sandbox.wire.batch import Answer

MESSAGES: Final = ("CreateMultiple", "UpdateMultiple", "UpsertMultiple")


def answer(call: Call, table: Table, name: str) -> Answer:
    """An action bound to an entity set."""
    call.only("POST")
    call.allowed(table)
    message = name.removeprefix(f"{NAMESPACE}.")
    if message == "DeleteMultiple":
        raise failures.not_implemented("DeleteMultiple has not yet been implemented.")
    if message not in _RUN:
        raise failures.no_segment(name)
    targets = _targets(call, table)
    with call.store.transaction():
        return _RUN[message](call, table, targets)


def _targets(call: Call, table: Table) -> list[dict[str, Any]]:
    targets = loaded(table, call.operation.body).get("Targets")
    if not isinstance(targets, list) or not all(isinstance(target, dict) for target in targets):
        raise failures.bad_payload(
            table.set_name,
            "Microsoft.OData.ODataException: The parameter 'Targets' must be a list of rows.",
        )
    wanted = f"{NAMESPACE}.{table.name}"
    for target in targets:
        if str(target.get("@odata.type", "")).removeprefix("#") != wanted:
            raise failures.bad_payload(
                table.set_name,
                "Microsoft.OData.ODataException: A type named in each element of 'Targets' is "
                "needed: "
                f'"@odata.type": "{wanted}".',
            )
    return targets


def _create(call: Call, table: Table, targets: list[dict[str, Any]]) -> Answer:
    ids = [call.writer.create(table, target) for target in targets]
    return call.value({"Ids": ids}, f"{NAMESPACE}.CreateMultipleResponse")


def _update(call: Call, table: Table, targets: list[dict[str, Any]]) -> Answer:
    """Of several targets with one id the first alone is applied."""
    firsts: dict[str, dict[str, Any]] = {}
    for target in targets:
        wanted = _id_in(call, table, target)
        if wanted is None:
            raise failures.bad_request(
                f"Entity Id must be specified for the update of {table.name}.", "0x80040203"
            )
        firsts.setdefault(wanted, target)
    missing = [wanted for wanted in firsts if not exists(call.store, table, wanted)]
    if missing:
        raise failures.no_rows(table.name, ", ".join(missing))
    for wanted, target in firsts.items():
        call.writer.update(table, wanted, target)
    return call.done()


def _upsert(call: Call, table: Table, targets: list[dict[str, Any]]) -> Answer:
    """Several targets with one key are an error."""
    seen: set[tuple[Any, ...]] = set()
    for target in targets:
        segment = _segment(table, target)
        key = (
            alternate_key(table, segment)
            if segment is not None and is_alternate(table, segment)
            else None
        )
        wanted = _id_in(call, table, target)
        mark = (wanted,) if key is None else tuple(key.items())
        if mark in seen and mark != (None,):
            raise failures.bad_request(
                "Duplicate keys are not allowed in Targets of UpsertMultiple.", "0x80040237"
            )
        seen.add(mark)
        if wanted is not None and exists(call.store, table, wanted):
            call.writer.update(table, wanted, target)
        else:
            call.writer.create(table, target, row_id=wanted, given=key)
    return call.done()


def _segment(table: Table, target: Mapping[str, Any]) -> Segment | None:
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
        raise failures.bad_payload(
            table.set_name, f"Microsoft.OData.ODataException: Invalid @odata.id '{text}'."
        )
    return segments[0]


def _id_in(call: Call, table: Table, target: Mapping[str, Any]) -> str | None:
    """The id of the row that a target means, null for a new one."""
    segment = _segment(table, target)
    if segment is not None:
        return row_id(call.store, table, segment)
    value = target.get(table.id)
    return None if value is None else guid(table, table.columns[table.id], value)


_RUN: Final[Mapping[str, Callable[[Call, Table, list[dict[str, Any]]], Answer]]] = {
    "CreateMultiple": _create,
    "UpdateMultiple": _update,
    "UpsertMultiple": _upsert,
}


def bulk_delete(call: Call) -> Answer:
    """A job that deletes the rows whose ids, or one value, a query names; it is done at once."""
    call.only("POST")
    body = loaded(table_of("contacts"), call.operation.body)
    queries = body.get("QuerySet")
    if not isinstance(queries, list) or not queries:
        raise failures.bad_request("BulkDelete needs a QuerySet.", "0x80040203")
    with call.store.transaction():
        for query in queries:
            _delete_query(call, query)
    return call.value({"JobId": str(uuid.uuid4())}, f"{NAMESPACE}.BulkDeleteResponse")


def _delete_query(call: Call, query: Mapping[str, Any]) -> None:
    table = table_named(str(query.get("EntityName")))
    call.allowed(table)
    for condition in (query.get("Criteria") or {}).get("Conditions") or []:
        column = table.columns.get(str(condition.get("AttributeName")))
        if column is None or condition.get("Operator") not in {"In", "Equal"}:
            raise failures.not_implemented("BulkDelete takes conditions with In and Equal here.")
        for value in condition.get("Values") or []:
            wanted = kept(table, column, value.get("Value") if isinstance(value, dict) else value)
            for (one,) in call.store.rows(
                f"SELECT {table.id} FROM {table.name} WHERE {column.name} = ?", (wanted,)
            ):
                call.writer.delete(table, one)
