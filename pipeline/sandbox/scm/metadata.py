"""The service document and ``$metadata`` of the SCM twin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from xml.etree import ElementTree as ET

import orjson

from pipeline.sandbox.scm.entities import (
    DATA_ENTITIES,
    ENTITIES,
    ENUMS,
    Catalogue,
    PropertyKind,
    ScmEntity,
)
from pipeline.sandbox.scm.payload import name_edm_type

_EDMX: Final = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM: Final = "http://docs.oasis-open.org/odata/ns/edm"


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionType:
    """An action bound to the collection of an entity set.

    Its parameters and what it returns, by Edm type.
    """

    name: str
    entity_set: str
    parameters: Sequence[tuple[str, str]]
    returns: str = "Edm.String"


def list_scm_sets(root: str) -> bytes:
    """All entity sets."""
    listed = [{"name": name, "kind": "EntitySet", "url": name} for name in sorted(ENTITIES)]
    return orjson.dumps({"@odata.context": f"{root}/data/$metadata", "value": listed})


@cache
def write_scm_csdl(catalogue: Catalogue, actions: tuple[ActionType, ...] = ()) -> bytes:
    """The metadata as CSDL 4.0."""
    edmx = ET.Element("edmx:Edmx", {"Version": "4.0", "xmlns:edmx": _EDMX})
    schema = ET.SubElement(
        ET.SubElement(edmx, "edmx:DataServices"),
        "Schema",
        {"Namespace": DATA_ENTITIES, "xmlns": _EDM},
    )
    for name, members in ENUMS.items():
        _enum(schema, name, members)
    for entity in catalogue.entities.values():
        _entity(schema, entity)
    for action in actions:
        _action(schema, action)
    container = ET.SubElement(schema, "EntityContainer", {"Name": "Resources"})
    for entity in ENTITIES.values():
        ET.SubElement(
            container,
            "EntitySet",
            {"Name": entity.name, "EntityType": f"{DATA_ENTITIES}.{entity.type}"},
        )
    return b'<?xml version="1.0" encoding="utf-8"?>' + ET.tostring(edmx)


def _enum(schema: ET.Element, name: str, members: Iterable[str]) -> None:
    enum = ET.SubElement(schema, "EnumType", {"Name": name})
    for value, member in enumerate(members):
        ET.SubElement(enum, "Member", {"Name": member, "Value": str(value)})


def _entity(schema: ET.Element, entity: ScmEntity) -> None:
    kind = ET.SubElement(schema, "EntityType", {"Name": entity.type})
    key = ET.SubElement(kind, "Key")
    for one in entity.keys:
        ET.SubElement(key, "PropertyRef", {"Name": one.name})
    for one in entity.properties:
        attributes = {"Name": one.name, "Type": name_edm_type(one)}
        if one.key or one.kind in (
            PropertyKind.INT,
            PropertyKind.INT64,
            PropertyKind.DECIMAL,
            PropertyKind.DATETIME,
        ):
            attributes["Nullable"] = "false"
        if one.kind is PropertyKind.DECIMAL:
            attributes["Scale"] = "variable"
        if one.length is not None:
            attributes["MaxLength"] = str(one.length)
        ET.SubElement(kind, "Property", attributes)


def _action(schema: ET.Element, action: ActionType) -> None:
    element = ET.SubElement(schema, "Action", {"Name": action.name, "IsBound": "true"})
    bound = f"Collection({DATA_ENTITIES}.{ENTITIES[action.entity_set].type})"
    ET.SubElement(element, "Parameter", {"Name": ENTITIES[action.entity_set].type, "Type": bound})
    for name, kind in action.parameters:
        ET.SubElement(element, "Parameter", {"Name": name, "Type": kind})
    if action.returns:
        ET.SubElement(element, "ReturnType", {"Type": action.returns})
