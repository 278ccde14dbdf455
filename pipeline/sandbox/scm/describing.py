"""The metadata service at ``/metadata``.

What data entities, properties and enums there are, as JSON, with their labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Final

import orjson

from pipeline.sandbox.odata.address import Segment, parse_address
from pipeline.sandbox.odata.evaluate import holds
from pipeline.sandbox.odata.options import parse_query
from pipeline.sandbox.odata.tree import ODataError, Query
from pipeline.sandbox.scm import failures
from pipeline.sandbox.scm.entities import (
    DATA_ENTITIES,
    ENUMS,
    Catalogue,
    Property,
    PropertyKind,
    ScmEntity,
)
from pipeline.sandbox.scm.failures import ScmFailure
from pipeline.sandbox.scm.metadata import ActionType
from pipeline.sandbox.scm.payload import name_edm_type
from pipeline.sandbox.wire.batch import ODataAnswer, ODataOperation

MetadataRow = Mapping[str, Any]

_ROOT: Final = "/metadata"
_OPERATORS: Final = ("eq", "ne")
_DATA_TYPES: Final = {
    PropertyKind.STRING: "String",
    PropertyKind.ENUM: "Enum",
    PropertyKind.INT: "Int32",
    PropertyKind.INT64: "Int64",
    PropertyKind.DECIMAL: "Real",
    PropertyKind.DATETIME: "UtcDateTime",
}
_KEYS: Final = {
    "DataEntities": ("Name",),
    "PublicEntities": ("Name",),
    "PublicEnumerations": ("Name",),
    "Labels": ("Id", "Language"),
}


def answer_metadata(
    operation: ODataOperation, root: str, catalogue: Catalogue, actions: tuple[ActionType, ...]
) -> ODataAnswer:
    """Answer a request below ``/metadata``."""
    try:
        return _answer(operation, root, catalogue, actions)
    except ScmFailure as failure:
        return failure.answer()
    except ODataError as error:
        return failures.bad_request(str(error)).answer()


def _answer(
    operation: ODataOperation, root: str, catalogue: Catalogue, actions: tuple[ActionType, ...]
) -> ODataAnswer:
    if operation.method != "GET":
        raise ScmFailure(
            status=HTTPStatus.METHOD_NOT_ALLOWED, message="The metadata service is read-only."
        )
    path, query_text = operation.target(f"{root}{_ROOT}/")
    segments = parse_address(path[len(_ROOT) :])
    if len(segments) != 1 or segments[0].name not in _KEYS:
        raise failures.no_resource(f"Resource not found for the segment '{path}'.")
    name, query = segments[0].name, parse_query(query_text)
    rows = _rows(name, catalogue, actions)
    context = f"{root}/Metadata/$metadata#{name}"
    if segments[0].keys:
        found = _choose(query, _find(rows, name, segments[0]))
        return _json({"@odata.context": f"{context}/$entity", **found})
    rows = [row for row in rows if query.filter is None or holds(query.filter, row, _OPERATORS)]
    page = rows[query.skip or 0 :][: query.top if query.top is not None else None]
    count = {"@odata.count": len(rows)} if query.count else {}
    return _json(
        {"@odata.context": context, **count, "value": [_choose(query, row) for row in page]}
    )


def _json(value: MetadataRow) -> ODataAnswer:
    headers = {"Content-Type": "application/json; odata.metadata=minimal", "OData-Version": "4.0"}
    return ODataAnswer(status=HTTPStatus.OK, headers=headers, body=orjson.dumps(value))


def _find(rows: Iterable[MetadataRow], name: str, segment: Segment) -> MetadataRow:
    given = {
        key or _KEYS[name][0]: constant.value for key, constant in (segment.keys or {}).items()
    }
    language = str(given.pop("Language", ""))
    found = next(
        (row for row in rows if all(row.get(key) == value for key, value in given.items())), None
    )
    if found is None:
        raise failures.no_resource(
            f"No row of '{name}' has the key {', '.join(map(str, given.values()))}."
        )
    return {**found, "Language": language} if language else found


def _choose(query: Query, row: MetadataRow) -> MetadataRow:
    return {name: row[name] for name in query.select if name in row} if query.select else row


@cache
def _rows(name: str, catalogue: Catalogue, actions: tuple[ActionType, ...]) -> list[MetadataRow]:
    match name:
        case "DataEntities":
            return [_data_entity(entity) for entity in catalogue.entities.values()]
        case "PublicEntities":
            return [_public_entity(entity, actions) for entity in catalogue.entities.values()]
        case "PublicEnumerations":
            return [_enumeration(enum, members) for enum, members in ENUMS.items()]
        case _:
            return [
                {"Id": one, "Language": "en-US", "Value": text}
                for one, text in _labels(catalogue).items()
            ]


def _labels(catalogue: Catalogue) -> Mapping[str, str]:
    """Every label by its id."""
    entities = {_label(entity.name): entity.label for entity in catalogue.entities.values()}
    fields = {
        _label(entity.name, one.name): one.label
        for entity in catalogue.entities.values()
        for one in entity.properties
    }
    members = {
        _label(enum, member): member
        for enum, all_members in ENUMS.items()
        for member in all_members
    }
    return entities | fields | {_label(enum): enum for enum in ENUMS} | members


def _label(*names: str) -> str:
    return f"@Sandbox:{'_'.join(names)}"


def _data_entity(entity: ScmEntity) -> MetadataRow:
    return {
        "Name": entity.aot,
        "PublicEntityName": entity.type,
        "PublicCollectionName": entity.name,
        "LabelId": _label(entity.name),
        "DataServiceEnabled": True,
        "DataManagementEnabled": entity.dmf,
        "EntityCategory": "Reference" if entity.shared else "Master",
        "IsReadOnly": entity.readonly,
    }


def _public_entity(entity: ScmEntity, actions: tuple[ActionType, ...]) -> MetadataRow:
    return {
        "Name": entity.type,
        "EntitySetName": entity.name,
        "LabelId": _label(entity.name),
        "IsReadOnly": entity.readonly,
        "ConfigurationEnabled": True,
        "Properties": [_property(entity, one) for one in entity.properties],
        "NavigationProperties": [],
        "PropertyGroups": [],
        "Actions": [_action(one) for one in actions if one.entity_set == entity.name],
    }


def _property(entity: ScmEntity, one: Property) -> MetadataRow:
    return {
        "Name": one.name,
        "TypeName": name_edm_type(one),
        "DataType": _DATA_TYPES[one.kind],
        "LabelId": _label(entity.name, one.name),
        "IsKey": one.key,
        "IsMandatory": one.mandatory,
        "ConfigurationEnabled": True,
        "AllowEdit": not (one.key or entity.readonly),
        "AllowEditOnCreate": not entity.readonly,
        "IsDimension": False,
        "DimensionRelation": None,
        "IsDynamicDimension": False,
        "DimensionLegalEntityProperty": None,
        "DimensionTypeProperty": None,
    }


def _action(action: ActionType) -> MetadataRow:
    return {
        "Name": action.name,
        "BindingKind": "BoundToEntitySet",
        "Parameters": [{"Name": name, "Type": _type(kind)} for name, kind in action.parameters],
        "ReturnType": _type(action.returns) if action.returns else None,
        "FieldLookup": None,
    }


def _type(name: str) -> MetadataRow:
    inner = name.removeprefix("Collection(").removesuffix(")")
    return {"TypeName": inner.removeprefix(f"{DATA_ENTITIES}."), "IsCollection": inner != name}


def _enumeration(name: str, members: Iterable[str]) -> MetadataRow:
    listed = [
        {
            "Name": member,
            "Value": value,
            "LabelId": _label(name, member),
            "ConfigurationEnabled": True,
        }
        for value, member in enumerate(members)
    ]
    return {"Name": name, "LabelId": _label(name), "Members": listed}
