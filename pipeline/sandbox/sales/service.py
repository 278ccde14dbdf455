"""The Web API of the Sales twin: one operation in, one answer out, alone or as part of a batch."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from pipeline.sandbox.odata.address import parse_address
from pipeline.sandbox.odata.options import parse_query
from pipeline.sandbox.odata.tree import ODataError, Query
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.call import USUAL, Caller, RowBounds, SalesCall
from pipeline.sandbox.sales.failures import SalesFailure
from pipeline.sandbox.sales.functions import Facts
from pipeline.sandbox.sales.prefer import read_preferences
from pipeline.sandbox.sales.routing import route
from pipeline.sandbox.sales.store import SalesStore
from pipeline.sandbox.wire import batch, multipart
from pipeline.sandbox.wire.batch import BatchError, ODataAnswer, ODataOperation

SALES_BATCH_LIMIT: Final = 1000

_ROOT: Final = re.compile(r"/api/data/v9\.[0-2](?=/|$)")


@dataclass(frozen=True, kw_only=True, slots=True)
class SalesService:
    """One Dataverse environment."""

    store: SalesStore
    facts: Facts
    now: Callable[[], datetime]
    bounds: RowBounds = USUAL

    def handle(self, operation: ODataOperation, origin: str, caller: Caller) -> ODataAnswer:
        """Answer an operation. ``origin`` is scheme and host that the caller sees."""
        noted = read_preferences(operation.headers).all_annotations
        try:
            return self._handle(operation, origin, caller)
        except SalesFailure as failure:
            return failure.answer(noted=noted)
        except ODataError as error:
            return failures.bad_call(str(error)).answer(noted=noted)
        except (sqlite3.Error, RecursionError) as error:
            message = f"An unexpected error occurred. {error}"
            broken = SalesFailure(
                status=HTTPStatus.INTERNAL_SERVER_ERROR, code="0x80040216", message=message
            )
            return broken.answer(noted=noted)

    def _handle(self, operation: ODataOperation, origin: str, caller: Caller) -> ODataAnswer:
        path, query_text = operation.target(f"{origin}/api/data/v9.2/$batch")
        match = _ROOT.match(path)
        if match is None:
            raise failures.no_segment(path.strip("/"))
        if path.endswith("/$batch"):
            return self._batch(operation, origin, caller)
        query = parse_query(query_text)
        call = SalesCall(
            store=self.store,
            operation=operation,
            caller=caller,
            root=f"{origin}{match.group()}",
            address=f"{origin}{path}",
            query=query,
            query_text=query_text,
            prefer=read_preferences(operation.headers, query.format),
            now=self.now,
            bounds=self.bounds,
        )
        segments = parse_address(path[match.end() :], _aliases(query))
        return route(call, self.facts, segments)

    def _batch(self, operation: ODataOperation, origin: str, caller: Caller) -> ODataAnswer:
        """Answer a batch: with the first error's status, unless it was asked to continue."""
        try:
            parts = multipart.parse_batch(
                operation.headers.get("content-type", ""), operation.body, limit=SALES_BATCH_LIMIT
            )
        except BatchError as error:
            raise failures.bad_call(str(error), "0x80048d19") from error
        go_on = read_preferences(operation.headers).continue_on_error
        result = batch.run_batch(
            parts,
            send=lambda one: self.handle(one, origin, caller),
            transaction=self.store.transaction,
            continue_on_error=go_on,
        )
        status = HTTPStatus.OK if go_on or result.failed is None else result.failed.status
        kind, body = multipart.render_batch(result.parts)
        return ODataAnswer(
            status=status, headers={"Content-Type": kind, "OData-Version": "4.0"}, body=body
        )


def _aliases(query: Query) -> dict[str, str]:
    return {name: value for name, value in query.others.items() if name.startswith("@")}
