"""Which part of the Web API answers an address."""

from __future__ import annotations

from pipeline.sandbox.odata.address import Segment
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
from pipeline.sandbox.sales.call import SalesCall
from pipeline.sandbox.sales.functions import Facts
from pipeline.sandbox.sales.schema import CRM, SETS
from pipeline.sandbox.wire.batch import ODataAnswer


def route(call: SalesCall, facts: Facts, segments: tuple[Segment, ...]) -> ODataAnswer:
    """The answer to a call of an address below the service's root.

    Raises ``ODataError`` and ``SalesFailure``.
    """
    if not segments:
        return call.value(csdl.list_sales_sets(), "")
    first = segments[0]
    if first.name == "$metadata":
        return call.xml(csdl.write_sales_csdl())
    if first.name in definitions.ROOTS:
        return definitions.answer_definitions(call, segments)
    if first.name in SETS:
        return _set(call, segments)
    return _function(call, facts, first)


def _function(call: SalesCall, facts: Facts, segment: Segment) -> ODataAnswer:
    name = segment.name.removeprefix(f"{CRM}.")
    if name == "RetrieveMetadataChanges":
        return definitions.answer_metadata_changes(call, segment)
    if name == "BulkDelete":
        return actions.answer_bulk_delete(call)
    found = functions.answer_function(call, facts, segment)
    if found is None:
        raise failures.no_segment(segment.name)
    return found


def _set(call: SalesCall, segments: tuple[Segment, ...]) -> ODataAnswer:
    """What begins with an entity set."""
    table, keyed = SETS[segments[0].name], segments[0].keys
    if keyed:
        return (
            entities.answer_row(call, table, segments[0])
            if len(segments) == 1
            else members.answer_member(call, table, segments)
        )
    match [segment.name for segment in segments[1:]]:
        case []:
            return tables.answer_table(call, table)
        case ["$count"]:
            return tables.count_rows(call, table)
        case [name] if name.startswith(f"{CRM}."):
            return actions.answer_action(call, table, name)
        case rest:
            raise failures.no_segment(rest[0])
