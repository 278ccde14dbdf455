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
from pipeline.sandbox.sales.call import Call
from pipeline.sandbox.sales.functions import Facts
from pipeline.sandbox.sales.schema import NAMESPACE, SETS
from pipeline.sandbox.wire.batch import Answer


def route(call: Call, facts: Facts, segments: tuple[Segment, ...]) -> Answer:
    """The answer to a call of an address below the service's root.

    Raises ``ODataError`` and ``FailedError``.
    """
    if not segments:
        return call.value(csdl.service_document(), "")
    first = segments[0]
    if first.name == "$metadata":
        return call.xml(csdl.csdl())
    if first.name in definitions.ROOTS:
        return definitions.answer(call, segments)
    if first.name in SETS:
        return _set(call, segments)
    return _function(call, facts, first)


def _function(call: Call, facts: Facts, segment: Segment) -> Answer:
    name = segment.name.removeprefix(f"{NAMESPACE}.")
    if name == "RetrieveMetadataChanges":
        return definitions.changes(call, segment)
    if name == "BulkDelete":
        return actions.bulk_delete(call)
    found = functions.answer(call, facts, segment)
    if found is None:
        raise failures.no_segment(segment.name)
    return found


def _set(call: Call, segments: tuple[Segment, ...]) -> Answer:
    """What begins with an entity set."""
    table, keyed = SETS[segments[0].name], segments[0].keys
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
