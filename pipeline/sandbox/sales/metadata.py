"""Tables, columns, keys and relationships as the metadata entities of the Web API describe them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from pipeline.sandbox.sales.entity_properties import describe_usual_column, describe_usual_table
from pipeline.sandbox.sales.schema import (
    CRM,
    TABLES,
    ColumnType,
    SalesColumn,
    SalesLink,
    SalesTable,
)

Described = dict[str, Any]

_IDS: Final = uuid.UUID("5a1e5000-0000-4000-8000-000000000000")
_LANGUAGE: Final = 1033
_TYPES: Final = {
    ColumnType.ID: "Uniqueidentifier",
    ColumnType.GUID: "Uniqueidentifier",
    ColumnType.TEXT: "String",
    ColumnType.MEMO: "Memo",
    ColumnType.INTEGER: "Integer",
    ColumnType.BIGINT: "BigInt",
    ColumnType.FLAG: "Boolean",
    ColumnType.CHOICE: "Picklist",
    ColumnType.STATE: "State",
    ColumnType.STATUS: "Status",
    ColumnType.MONEY: "Money",
    ColumnType.DECIMAL: "Decimal",
    ColumnType.DATE: "DateTime",
    ColumnType.TIME: "DateTime",
    ColumnType.LOOKUP: "Lookup",
}
_CUSTOMERS: Final = frozenset({"account", "contact"})


@cache
def describe_tables() -> tuple[Described, ...]:
    """All tables, their parts in them."""
    return tuple(_table(table) for table in TABLES.values())


@cache
def describe_relationships() -> tuple[Described, ...]:
    """All relationships, once each."""
    return tuple(one for table in describe_tables() for one in table["OneToManyRelationships"])


def make_label(text: str) -> Described:
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


def _table(table: SalesTable) -> Described:
    plural = table.label[:-1] + "ies" if table.label.endswith("y") else f"{table.label}s"
    return {
        **describe_usual_table(),
        "ReportViewName": f"Filtered{table.schema_name}",
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
        "DisplayName": make_label(table.label),
        "DisplayCollectionName": make_label(plural),
        "Description": make_label(""),
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


def _type_of(column: SalesColumn) -> str:
    if column.name == "ownerid":
        return "Owner"
    return "Customer" if set(column.targets) == _CUSTOMERS else _TYPES[column.type]


def _column(table: SalesTable, column: SalesColumn) -> Described:
    kind = _type_of(column)
    typed = (
        "Lookup"
        if column.type is ColumnType.LOOKUP
        else "UniqueIdentifier"
        if kind == "Uniqueidentifier"
        else kind
    )
    platform = column.read_only or column.type is ColumnType.ID
    return {
        **describe_usual_column(),
        "@odata.type": f"#{CRM}.{typed}AttributeMetadata",
        "MetadataId": _id(table.name, column.name),
        "LogicalName": column.name,
        "SchemaName": _schema_name(column),
        "EntityLogicalName": table.name,
        "AttributeType": kind,
        "AttributeTypeName": {"Value": f"{kind}Type"},
        "AttributeOf": None,
        "DisplayName": make_label(column.label),
        "Description": make_label(""),
        "IsPrimaryId": column.type is ColumnType.ID,
        "IsPrimaryName": column.name == table.primary_name,
        "IsCustomAttribute": column.name.startswith("msdynce_"),
        "IsLogical": False,
        "IsManaged": True,
        "IsValidForRead": True,
        "IsValidForCreate": not column.read_only,
        "IsValidForUpdate": not platform,
        "IsValidODataAttribute": True,
        "RequiredLevel": {
            "Value": "SystemRequired"
            if column.required or column.type is ColumnType.ID
            else "None",
            "CanBeChanged": False,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
        "HasChanged": None,
        **_details(column),
    }


def _schema_name(column: SalesColumn) -> str:
    """The label's letters where they are the name's, so that ``firstname`` is ``FirstName``."""
    letters = "".join(char for char in column.label if char.isalnum())
    return letters if letters.lower() == column.name else column.name


def _details(column: SalesColumn) -> Described:
    """What a kind of column has besides."""
    described = _DETAILS.get(column.type)
    return {} if described is None else described(column)


def _text(column: SalesColumn) -> Described:
    form = (
        "TextArea"
        if column.type is ColumnType.MEMO
        else "Email"
        if "email" in column.name
        else "Text"
    )
    return {"MaxLength": column.length, "Format": form, "FormatName": {"Value": form}}


def _whole_number(column: SalesColumn) -> Described:
    return {"MinValue": column.least, "MaxValue": column.most or 2**63 - 1, "Format": "None"}


def _decimal(column: SalesColumn) -> Described:
    return {"MinValue": -922337203685477, "MaxValue": 922337203685477, "Precision": column.digits}


def _moment(column: SalesColumn) -> Described:
    day = column.type is ColumnType.DATE
    behavior = {"Value": "DateOnly" if day else "UserLocal"}
    return {"Format": "DateOnly" if day else "DateAndTime", "DateTimeBehavior": behavior}


_DETAILS: Final[Mapping[ColumnType, Callable[[SalesColumn], Described]]] = {
    ColumnType.TEXT: _text,
    ColumnType.MEMO: _text,
    ColumnType.INTEGER: _whole_number,
    ColumnType.BIGINT: _whole_number,
    ColumnType.MONEY: _decimal,
    ColumnType.DECIMAL: _decimal,
    ColumnType.DATE: _moment,
    ColumnType.TIME: _moment,
    ColumnType.LOOKUP: lambda column: {"Targets": list(column.targets), "Format": "None"},
    ColumnType.FLAG: lambda column: {"DefaultValue": bool(column.default)},
}


def describe_options(table: str, column: SalesColumn) -> Described:
    """The labels of a choice, or of a two-option."""
    options = [
        {
            "Value": value,
            "Label": make_label(option.label),
            "Description": make_label(""),
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
    if column.type is ColumnType.FLAG:
        return {
            **found,
            "OptionSetType": "Boolean",
            "TrueOption": options[1],
            "FalseOption": options[0],
        }
    kind = {ColumnType.STATE: "State", ColumnType.STATUS: "Status"}.get(column.type, "Picklist")
    return {**found, "OptionSetType": kind, "Options": options}


def _key(table: SalesTable, name: str, columns: tuple[str, ...]) -> Described:
    return {
        "MetadataId": _id(table.name, "key", name),
        "LogicalName": name,
        "SchemaName": name,
        "EntityLogicalName": table.name,
        "KeyAttributes": list(columns),
        "EntityKeyIndexStatus": "Active",
        "DisplayName": make_label(", ".join(table.columns[column].label for column in columns)),
        "IsManaged": True,
        "IsSynchronous": False,
        "HasChanged": None,
    }


def _relationship(table: SalesTable, link: SalesLink) -> Described:
    """A relationship, seen from either side.

    ``table`` has the collection if the link is to many.
    """
    one, many = (table, TABLES[link.table]) if link.to_many else (TABLES[link.table], table)
    collection = link.column.targets[one.name]
    return {
        "@odata.type": f"#{CRM}.OneToManyRelationshipMetadata",
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


def list_choices(name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The choices of a table, each with its labels."""
    table = TABLES[name]
    for column in table.columns.values():
        if column.options:
            yield column.name, describe_options(name, column)
