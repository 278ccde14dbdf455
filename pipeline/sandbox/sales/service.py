"""The Web API of the Sales twin: one operation in, one answer out, alone or as part of a batch."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from pipeline.sandbox.odata.address import Segment, parse_address
from pipeline.sandbox.odata.options import parse_query
from pipeline.sandbox.odata.tree import ODataError, Query
from pipeline.sandbox.sales import (
    actions,
    csdl,
    definitions,
    entities,
    failures,
    functions,
    members,
    tables,
)
from pipeline.sandbox.sales.call import Call, Caller
from pipeline.sandbox.sales.failures import FailedError
from pipeline.sandbox.sales.functions import Facts
from pipeline.sandbox.sales.prefer import preferences
from pipeline.sandbox.sales.references import table_of
from pipeline.sandbox.sales.schema import NAMESPACE, SETS
from pipeline.sandbox.sales.store import Store
from pipeline.sandbox.wire import batch, multipart
from pipeline.sandbox.wire.batch import Answer, BatchError, Operation

BATCH_LIMIT: Final = 1000

_ROOT: Final = re.compile(r"/api/data/v9\.[0-2](?=/|$)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """One Dataverse environment."""

    store: Store
    facts: Facts
    now: Callable[[], datetime]

    def handle(self, operation: Operation, origin: str, caller: Caller) -> Answer:
        """Answer an operation. ``origin`` is scheme and host that the caller sees."""
        noted = preferences(operation.headers).all_annotations
        try:
            return self._handle(operation, origin, caller)
        except FailedError as failure:
            return failure.answer(noted=noted)
        except ODataError as error:
            return failures.bad_request(str(error)).answer(noted=noted)
        except (sqlite3.Error, RecursionError) as error:
            message = f"An unexpected error occurred. {error}"
            broken = FailedError(
                status=HTTPStatus.INTERNAL_SERVER_ERROR, code="0x80040216", message=message
            )
            return broken.answer(noted=noted)

    def _handle(self, operation: Operation, origin: str, caller: Caller) -> Answer:
        path, query_text = operation.target(f"{origin}/api/data/v9.2/$batch")
        match = _ROOT.match(path)
        if match is None:
            raise failures.no_segment(path.strip("/"))
        if path.endswith("/$batch"):
            return self._batch(operation, origin, caller)
        query = parse_query(query_text)
        call = Call(
            store=self.store,
            operation=operation,
            caller=caller,
            root=f"{origin}{match.group()}",
            address=f"{origin}{path}",
            query=query,
            query_text=query_text,
            prefer=preferences(operation.headers, query.format),
            now=self.now,
        )
        return self._routed(call, parse_address(path[match.end() :], _aliases(query)))

    def _batch(self, operation: Operation, origin: str, caller: Caller) -> Answer:
        """Answer a batch: with the first error's status, unless it was asked to go on."""
        try:
            parts = multipart.parse(
                operation.headers.get("content-type", ""), operation.body, limit=BATCH_LIMIT
            )
        except BatchError as error:
            raise failures.bad_request(str(error), "0x80048d19") from error
        go_on = preferences(operation.headers).continue_on_error
        result = batch.run(
            parts,
            send=lambda one: self.handle(one, origin, caller),
            transaction=self.store.transaction,
            continue_on_error=go_on,
        )
        status = HTTPStatus.OK if go_on or result.failed is None else result.failed.status
        kind, body = multipart.render(result.parts)
        return Answer(
            status=status, headers={"Content-Type": kind, "OData-Version": "4.0"}, body=body
        )

    def _routed(self, call: Call, segments: tuple[Segment, ...]) -> Answer:
        if not segments:
            return call.value(csdl.service_document(), "")
        first = segments[0]
        if first.name == "$metadata":
            return Answer(
                status=HTTPStatus.OK,
                headers={"Content-Type": "application/xml", "OData-Version": "4.0"},
                body=csdl.csdl(),
            )
        if first.name in definitions.ROOTS:
            return definitions.answer(call, segments)
        if first.name in SETS:
            return _set(call, segments)
        return self._function(call, first)

    def _function(self, call: Call, segment: Segment) -> Answer:
        name = segment.name.removeprefix(f"{NAMESPACE}.")
        if name == "RetrieveMetadataChanges":
            return definitions.changes(call, segment)
        if name == "BulkDelete":
            return actions.bulk_delete(call)
        found = functions.answer(call, self.facts, segment)
        if found is None:
            raise failures.no_segment(segment.name)
        return found


def _set(call: Call, segments: tuple[Segment, ...]) -> Answer:
    """What begins with an entity set."""
    table, keyed = table_of(segments[0].name), segments[0].keys
    if keyed:
        return (
            entities.answer(call, table, segments[0])
            if len(segments) == 1
            else members.answer(call, table, segments)
        )
    match [segment.name for segment in segments[1:]]:
        case []:
            return tables.answer(call, table)
        case ["$count"]:
            return tables.counted(call, table)
        case [name] if name.startswith(f"{NAMESPACE}."):
            return actions.answer(call, table, name)
        case rest:
            raise failures.no_segment(rest[0])


def _aliases(query: Query) -> dict[str, str]:
    return {name: value for name, value in query.others.items() if name.startswith("@")}
