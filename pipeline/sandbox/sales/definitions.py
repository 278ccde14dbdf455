"""``EntityDefinitions`` and its like on the wire.

Addresses, casts, ``$select``, ``$filter``, ``$expand`` over the metadata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from pipeline.sandbox.odata.address import UNNAMED, Segment
from pipeline.sandbox.odata.evaluate import holds
from pipeline.sandbox.odata.tree import ODataError, Query
from pipeline.sandbox.sales import failures, metadata
from pipeline.sandbox.sales.call import SalesCall
from pipeline.sandbox.sales.metadata import Described
from pipeline.sandbox.sales.schema import CRM
from pipeline.sandbox.wire.batch import ODataAnswer

ROOTS: Final = frozenset(
    {"EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions"}
)

_HIDDEN: Final = frozenset(
    {
        "Attributes",
        "Keys",
        "ManyToOneRelationships",
        "OneToManyRelationships",
        "ManyToManyRelationships",
        "OptionSet",
    }
)
"""Navigation properties: shown only when they are expanded."""
_DERIVED: Final = frozenset(
    {
        "MaxLength",
        "Format",
        "FormatName",
        "MinValue",
        "MaxValue",
        "Precision",
        "DateTimeBehavior",
        "Targets",
        "DefaultValue",
    }
)
"""Properties of derived types: selected only behind a cast."""


def answer_definitions(call: SalesCall, segments: Sequence[Segment]) -> ODataAnswer:
    """Metadata entities, read only."""
    if call.method != "GET":
        raise failures.not_implemented("The metadata of the sandbox cannot be changed.")
    found, cast = _walk(segments)
    context = "/".join(segment.name for segment in segments)
    if isinstance(found, list):
        rows = _filter(found, call.query)
        shown = [_show(row, call.query, cast=cast) for row in rows]
        return call.value(
            {**({"@odata.count": len(rows)} if call.query.count else {}), "value": shown}, context
        )
    if not isinstance(found, Mapping):
        return call.value({"value": found}, context)
    return call.value(_show(dict(found), call.query, cast=cast), f"{context}/$entity")


def answer_metadata_changes(call: SalesCall, segment: Segment) -> ODataAnswer:
    """``RetrieveMetadataChanges(Query=…)``.

    Tables and columns that criteria name, with the properties that were asked for.
    """
    query = orjson.loads((segment.texts or {}).get("Query", "{}"))
    attribute_query = query.get("AttributeQuery") or {}
    found = []
    for table in metadata.describe_tables():
        if not _meets(table, query.get("Criteria")):
            continue
        attributes = [
            one
            for one in map(_complete, table["Attributes"])
            if _meets(one, attribute_query.get("Criteria"))
        ]
        shown = _project(
            {
                **table,
                "Attributes": [
                    _project(one, attribute_query.get("Properties")) for one in attributes
                ],
            },
            query.get("Properties"),
        )
        found.append(shown)
    stamp = {"ServerVersionStamp": "1000000!01/01/2024 00:00:00", "DeletedMetadata": None}
    return call.value({"EntityMetadata": found, **stamp}, f"{CRM}.RetrieveMetadataChangesResponse")


def _walk(segments: Sequence[Segment]) -> tuple[Any, bool]:
    """What the address leads to, and whether a cast was on the way."""
    first = segments[0].name
    found: Any = list(metadata.describe_tables()) if first == "EntityDefinitions" else []
    if first == "RelationshipDefinitions":
        found = list(metadata.describe_relationships())
    found, cast = _pick_by_key(found, segments[0]), False
    for segment in segments[1:]:
        if segment.name.startswith(f"{CRM}."):
            found, cast = _cast(found, segment.name), True
            found = _pick_by_key(found, segment)
            continue
        if segment.name == "$count" and isinstance(found, list):
            return len(found), cast
        whole = _complete(found) if isinstance(found, dict) else {}
        if segment.name not in whole:
            raise failures.no_segment(segment.name)
        found = _pick_by_key(whole[segment.name], segment)
    return found, cast


def _pick_by_key(found: Any, segment: Segment) -> Any:
    """The one row that a key names."""
    if segment.keys is None:
        return found
    for name, key in segment.keys.items():
        names = ["MetadataId"] if name == UNNAMED else [name]
        wanted = str(key.value).lower()
        found = next(
            (row for row in found if any(str(row.get(one)).lower() == wanted for one in names)),
            None,
        )
        if found is None:
            kind = "entity" if segment.name == "EntityDefinitions" else "metadata item"
            message = f"Could not find an {kind} with name or id {key.value}."
            raise failures.SalesFailure(status=404, code="0x80060888", message=message)
    return found


def _cast(found: Any, name: str) -> Any:
    if isinstance(found, list):
        return [row for row in found if row.get("@odata.type") == f"#{name}"]
    if found.get("@odata.type") != f"#{name}":
        raise failures.no_segment(name)
    return found


def _complete(row: Described) -> Described:
    """A row with its labels, which only choices have."""
    if "AttributeType" not in row:
        return row
    labels = dict(metadata.list_choices(row["EntityLogicalName"])).get(row["LogicalName"])
    return row if labels is None else {**row, "OptionSet": labels}


def _filter(rows: list[Described], query: Query) -> list[Described]:
    kept = [row for row in rows if query.filter is None or holds(query.filter, row)]
    for order in reversed(query.orderby):
        name = order.path.names[0]
        kept.sort(key=lambda row: str(row.get(name)), reverse=order.descending)
    return kept if query.top is None else kept[: query.top]


def _show(row: Described, query: Query, *, cast: bool) -> Described:
    whole = _complete(row)
    _check(whole, query.select, cast=cast)
    always = {"MetadataId", "@odata.type"}
    found = {
        name: value
        for name, value in whole.items()
        if name not in _HIDDEN and (not query.select or name in query.select or name in always)
    }
    for expand in query.expand:
        name = expand.path[0]
        if name not in whole:
            raise ODataError(
                f"Could not find a property named '{name}' on type '{CRM}.{_type_of(row)}'."
            )
        value = whole[name]
        if isinstance(value, list):
            found[name] = [
                _show(one, expand.query, cast=cast) for one in _filter(value, expand.query)
            ]
        else:
            found[name] = _show(value, expand.query, cast=cast)
    return found


def _check(row: Described, select: Sequence[str], *, cast: bool) -> None:
    unknown = [
        name
        for name in select
        if name not in row or (name in _DERIVED and not cast and "AttributeType" in row)
    ]
    if unknown and not (unknown[0] in _DERIVED and cast):
        raise failures.no_property(unknown[0], _type_of(row))


def _type_of(row: Described) -> str:
    if "AttributeType" in row:
        return "AttributeMetadata"
    return str(row.get("@odata.type", f"#{CRM}.EntityMetadata")).rsplit(".", 1)[-1]


def _meets(row: Described, criteria: Mapping[str, Any] | None) -> bool:
    """Whether a row meets the conditions of a metadata query, which may be joined by Or."""
    if not criteria:
        return True
    parts = [_condition(row, one) for one in criteria.get("Conditions") or []]
    parts += [_meets(row, one) for one in criteria.get("Filters") or []]
    if not parts:
        return True
    return any(parts) if criteria.get("FilterOperator") == "Or" else all(parts)


def _condition(row: Described, condition: Mapping[str, Any]) -> bool:
    value = (condition.get("Value") or {}).get("Value")
    mine = row.get(str(condition.get("PropertyName")))
    wanted = value if isinstance(value, list) else [value]
    found = str(mine).lower() in [str(one).lower() for one in wanted]
    operator = condition.get("ConditionOperator")
    if operator not in {"Equals", "In", "NotEquals", "NotIn"}:
        raise failures.bad_call(
            f"The condition operator '{operator}' is not supported.", "0x80040203"
        )
    return found if operator in {"Equals", "In"} else not found


def _project(row: Described, properties: Mapping[str, Any] | None) -> Described:
    names = (properties or {}).get("PropertyNames") or []
    if (properties or {}).get("AllProperties") or not properties:
        return row
    always = {"MetadataId", "@odata.type", "LogicalName"}
    return {name: value for name, value in row.items() if name in names or name in always}
