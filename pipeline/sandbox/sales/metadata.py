"""Tables, columns, keys and relationships as the metadata entities of the Web API describe them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from pipeline.sandbox.sales.schema import NAMESPACE, TABLES, Column, Link, Table, Type

Described = dict[str, Any]

_IDS: Final = uuid.UUID("5a1e5000-0000-4000-8000-000000000000")
_LANGUAGE: Final = 1033
_TYPES: Final = {
    Type.ID: "Uniqueidentifier",
    Type.GUID: "Uniqueidentifier",
    Type.TEXT: "String",
    Type.MEMO: "Memo",
    Type.INTEGER: "Integer",
    Type.BIGINT: "BigInt",
    Type.FLAG: "Boolean",
    Type.CHOICE: "Picklist",
    Type.STATE: "State",
    Type.STATUS: "Status",
    Type.MONEY: "Money",
    Type.DECIMAL: "Decimal",
    Type.DATE: "DateTime",
    Type.TIME: "DateTime",
    Type.LOOKUP: "Lookup",
}
_CUSTOMERS: Final = frozenset({"account", "contact"})


@cache
def tables() -> tuple[Described, ...]:
    """All tables, their parts in them."""
    return tuple(_table(table) for table in TABLES.values())


@cache
def relationships() -> tuple[Described, ...]:
    """All relationships, once each."""
    return tuple(one for table in tables() for one in table["OneToManyRelationships"])


def label(text: str) -> Described:
    """A text in the one language there is."""
    local = {
        "Label": text,
        "LanguageCode": _LANGUAGE,
        "IsManaged": True,
        "MetadataId": _id("label", text),
        "HasChanged": None,
    }
    return {"LocalizedLabels": [local], "UserLocalizedLabel": local}


def _id(*names: str) -> str:
    return str(uuid.uuid5(_IDS, "/".join(names)))


def _table(table: Table) -> Described:
    plural = table.label[:-1] + "ies" if table.label.endswith("y") else f"{table.label}s"
    return {
        "MetadataId": _id(table.name),
        "LogicalName": table.name,
        "SchemaName": table.schema_name,
        "EntitySetName": table.set_name,
        "LogicalCollectionName": table.set_name,
        "CollectionSchemaName": plural.replace(" ", ""),
        "PrimaryIdAttribute": table.id,
        "PrimaryNameAttribute": table.primary_name,
        "ObjectTypeCode": table.code,
        "OwnershipType": "UserOwned" if table.owned else "OrganizationOwned",
        "TableType": "Standard",
        "ChangeTrackingEnabled": table.tracked,
        "IsCustomEntity": table.custom,
        "IsManaged": True,
        "IsPrivate": False,
        "IsActivity": False,
        "IsIntersect": False,
        "IsLogicalEntity": False,
        "IsValidForAdvancedFind": True,
        "IsAuditEnabled": {
            "Value": False,
            "CanBeChanged": True,
            "ManagedPropertyLogicalName": "canmodifyauditsettings",
        },
        "DisplayName": label(table.label),
        "DisplayCollectionName": label(plural),
        "Description": label(""),
        "HasChanged": None,
        "Attributes": [_column(table, column) for column in table.columns.values()],
        "Keys": [_key(table, name, columns) for name, columns in table.keys.items()],
        "ManyToOneRelationships": [
            _relationship(table, link) for link in table.links.values() if not link.to_many
        ],
        "OneToManyRelationships": [
            _relationship(table, link) for link in table.links.values() if link.to_many
        ],
        "ManyToManyRelationships": [],
    }


def _type_of(column: Column) -> str:
    if column.name == "ownerid":
        return "Owner"
    return "Customer" if set(column.targets) == _CUSTOMERS else _TYPES[column.type]


def _column(table: Table, column: Column) -> Described:
    kind = _type_of(column)
    typed = (
        "Lookup"
        if column.type is Type.LOOKUP
        else "UniqueIdentifier"
        if kind == "Uniqueidentifier"
        else kind
    )
    platform = column.read_only or column.type is Type.ID
    return {
        "@odata.type": f"#{NAMESPACE}.{typed}AttributeMetadata",
        "MetadataId": _id(table.name, column.name),
        "LogicalName": column.name,
        "SchemaName": _schema_name(column),
        "EntityLogicalName": table.name,
        "AttributeType": kind,
        "AttributeTypeName": {"Value": f"{kind}Type"},
        "AttributeOf": None,
        "DisplayName": label(column.label),
        "Description": label(""),
        "IsPrimaryId": column.type is Type.ID,
        "IsPrimaryName": column.name == table.primary_name,
        "IsCustomAttribute": column.name.startswith("msdynce_"),
        "IsLogical": False,
        "IsManaged": True,
        "IsValidForRead": True,
        "IsValidForCreate": not column.read_only,
        "IsValidForUpdate": not platform,
        "IsValidODataAttribute": True,
        "RequiredLevel": {
            "Value": "SystemRequired" if column.required or column.type is Type.ID else "None",
            "CanBeChanged": False,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
        "HasChanged": None,
        **_details(column),
    }


def _schema_name(column: Column) -> str:
    """The label's letters where they are the name's, so that ``firstname`` is ``FirstName``."""
    letters = "".join(char for char in column.label if char.isalnum())
    return letters if letters.lower() == column.name else column.name


def _details(column: Column) -> Described:
    """What a kind of column has besides."""
    described = _DETAILS.get(column.type)
    return {} if described is None else described(column)


def _text(column: Column) -> Described:
    form = "TextArea" if column.type is Type.MEMO else "Email" if "email" in column.name else "Text"
    return {"MaxLength": column.length, "Format": form, "FormatName": {"Value": form}}


def _whole_number(column: Column) -> Described:
    return {"MinValue": column.least, "MaxValue": column.most or 2**63 - 1, "Format": "None"}


def _decimal(column: Column) -> Described:
    return {"MinValue": -922337203685477, "MaxValue": 922337203685477, "Precision": column.digits}


def _moment(column: Column) -> Described:
    day = column.type is Type.DATE
    behavior = {"Value": "DateOnly" if day else "UserLocal"}
    return {"Format": "DateOnly" if day else "DateAndTime", "DateTimeBehavior": behavior}


_DETAILS: Final[Mapping[Type, Callable[[Column], Described]]] = {
    Type.TEXT: _text,
    Type.MEMO: _text,
    Type.INTEGER: _whole_number,
    Type.BIGINT: _whole_number,
    Type.MONEY: _decimal,
    Type.DECIMAL: _decimal,
    Type.DATE: _moment,
    Type.TIME: _moment,
    Type.LOOKUP: lambda column: {"Targets": list(column.targets), "Format": "None"},
    Type.FLAG: lambda column: {"DefaultValue": bool(column.default)},
}


def option_set(table: str, column: Column) -> Described:
    """The labels of a choice, or of a two-option."""
    options = [
        {
            "Value": value,
            "Label": label(option.label),
            "Description": label(""),
            "State": option.state,
            "Color": None,
        }
        for value, option in column.options.items()
    ]
    found: Described = {
        "MetadataId": _id(table, column.name, "options"),
        "Name": f"{table}_{column.name}",
        "IsGlobal": False,
    }
    if column.type is Type.FLAG:
        return {
            **found,
            "OptionSetType": "Boolean",
            "TrueOption": options[1],
            "FalseOption": options[0],
        }
    kind = {Type.STATE: "State", Type.STATUS: "Status"}.get(column.type, "Picklist")
    return {**found, "OptionSetType": kind, "Options": options}


def _key(table: Table, name: str, columns: tuple[str, ...]) -> Described:
    return {
        "MetadataId": _id(table.name, "key", name),
        "LogicalName": name,
        "SchemaName": name,
        "EntityLogicalName": table.name,
        "KeyAttributes": list(columns),
        "EntityKeyIndexStatus": "Active",
        "DisplayName": label(", ".join(table.columns[column].label for column in columns)),
        "IsManaged": True,
        "IsSynchronous": False,
        "HasChanged": None,
    }


def _relationship(table: Table, link: Link) -> Described:
    """A relationship, seen from either side.

    ``table`` has the collection if the link is to many.
    """
    one, many = (table, TABLES[link.table]) if link.to_many else (TABLES[link.table], table)
    collection = link.column.targets[one.name]
    return {
        "@odata.type": f"#{NAMESPACE}.OneToManyRelationshipMetadata",
        "MetadataId": _id("relationship", collection),
        "SchemaName": collection,
        "RelationshipType": "OneToManyRelationship",
        "ReferencedEntity": one.name,
        "ReferencedAttribute": one.id,
        "ReferencedEntityNavigationPropertyName": collection,
        "ReferencingEntity": many.name,
        "ReferencingAttribute": link.column.name,
        "ReferencingEntityNavigationPropertyName": link.column.navigation(one.name),
        "IsCustomRelationship": False,
        "IsManaged": True,
        "IsHierarchical": one is many,
        "IsValidForAdvancedFind": True,
        "HasChanged": None,
    }


def columns_with_options(name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The choices of a table, each with its labels."""
    table = TABLES[name]
    for column in table.columns.values():
        if column.options:
            yield column.name, option_set(name, column)
