"""``$metadata``: the model of the service as CSDL, and the service document."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from pipeline.sandbox.sales.actions import MESSAGES
from pipeline.sandbox.sales.schema import (
    CRM,
    SETS,
    TABLES,
    ColumnType,
    SalesColumn,
    SalesLink,
    SalesTable,
)

_EDM: Final = {
    ColumnType.ID: "Edm.Guid",
    ColumnType.GUID: "Edm.Guid",
    ColumnType.LOOKUP: "Edm.Guid",
    ColumnType.TEXT: "Edm.String",
    ColumnType.MEMO: "Edm.String",
    ColumnType.BIGINT: "Edm.Int64",
    ColumnType.FLAG: "Edm.Boolean",
    ColumnType.MONEY: "Edm.Decimal",
    ColumnType.DECIMAL: "Edm.Decimal",
    ColumnType.DATE: "Edm.Date",
    ColumnType.TIME: "Edm.DateTimeOffset",
}
_COMPUTED: Final = '<Annotation Term="Org.OData.Core.V1.Computed" Bool="true" />'
_HEAD: Final = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    '<edmx:Reference Uri="http://vocabularies.odata.org/OData.Community.Keys.V1.xml">'
    '<edmx:Include Namespace="OData.Community.Keys.V1" Alias="Keys" /></edmx:Reference>'
    "<edmx:Reference "
    'Uri="http://docs.oasis-open.org/odata/odata/v4.0/os/vocabularies/Org.OData.Core.V1.xml">'
    '<edmx:Include Namespace="Org.OData.Core.V1" Alias="Core" /></edmx:Reference>'
    f'<edmx:DataServices><Schema Namespace="{CRM}" Alias="mscrm" '
    'xmlns="http://docs.oasis-open.org/odata/ns/edm">'
)
_COMPLEX: Final = {
    "WhoAmIResponse": {
        "BusinessUnitId": "Edm.Guid",
        "UserId": "Edm.Guid",
        "OrganizationId": "Edm.Guid",
    },
    "RetrieveVersionResponse": {"Version": "Edm.String"},
    "EntityRecordCountCollection": {
        "Count": "Edm.Int32",
        "IsReadOnly": "Edm.Boolean",
        "Keys": "Collection(Edm.String)",
        "Values": "Collection(Edm.Int64)",
    },
    "RetrieveTotalRecordCountResponse": {
        "EntityRecordCountCollection": "mscrm.EntityRecordCountCollection"
    },
    "CreateMultipleResponse": {"Ids": "Collection(Edm.Guid)"},
}
_FUNCTIONS: Final[dict[str, tuple[dict[str, str], str]]] = {
    "WhoAmI": ({}, "WhoAmIResponse"),
    "RetrieveVersion": ({}, "RetrieveVersionResponse"),
    "RetrieveTotalRecordCount": (
        {"EntityNames": "Collection(Edm.String)"},
        "RetrieveTotalRecordCountResponse",
    ),
}


@cache
def write_sales_csdl() -> bytes:
    """The model as XML."""
    return "".join(
        [
            _HEAD,
            *_types(),
            *_operations(),
            *_container(),
            "</Schema></edmx:DataServices></edmx:Edmx>",
        ]
    ).encode()


def list_sales_sets() -> list[dict[str, Any]]:
    """All entity sets."""
    return [{"name": name, "kind": "EntitySet", "url": name} for name in SETS]


def _types() -> Iterator[str]:
    yield '<EntityType Name="crmbaseentity" Abstract="true" />'
    for table in TABLES.values():
        yield (
            f'<EntityType Name="{table.name}" BaseType="mscrm.crmbaseentity"><Key><PropertyRef '
            f'Name="{table.id}" /></Key>'
        )
        for column in table.columns.values():
            yield _property(column)
        for link in table.links.values():
            yield _navigation(table, link)
        if table.keys:
            yield _keys(table)
        yield "</EntityType>"
    for name, members in _COMPLEX.items():
        inside = "".join(
            f'<Property Name="{member}" Type="{kind}" />' for member, kind in members.items()
        )
        yield f'<ComplexType Name="{name}">{inside}</ComplexType>'


def _property(column: SalesColumn) -> str:
    kind = _EDM.get(column.type, "Edm.Int32")
    more = f' MaxLength="{column.length}"' if column.length else ""
    more += f' Scale="{column.digits}"' if column.digits else ""
    more += ' Nullable="false"' if column.type is ColumnType.ID else ""
    inside = f'<Annotation Term="Org.OData.Core.V1.Description" String={quoteattr(column.label)} />'
    inside += _COMPUTED if column.read_only or column.type is ColumnType.LOOKUP else ""
    return f'<Property Name="{column.wire}" Type="{kind}"{more}>{inside}</Property>'


def _navigation(table: SalesTable, link: SalesLink) -> str:
    if link.to_many:
        partner = link.column.navigation(table.name)
        return (
            f'<NavigationProperty Name="{link.name}" Type="Collection(mscrm.{link.table})" '
            f'Partner="{partner}" />'
        )
    target = TABLES[link.table]
    constraint = (
        f'<ReferentialConstraint Property="{link.column.wire}" ReferencedProperty="{target.id}" />'
    )
    partner = link.column.targets[link.table]
    return (
        f'<NavigationProperty Name="{link.name}" Type="mscrm.{link.table}" '
        f'Partner="{partner}">{constraint}</NavigationProperty>'
    )


def _keys(table: SalesTable) -> str:
    records = []
    for columns in table.keys.values():
        names = "".join(
            '<Record Type="OData.Community.Keys.V1.PropertyRef">'
            f'<PropertyValue Property="Name" PropertyPath="{name}" /><PropertyValue '
            f'Property="Alias" String="{name}" /></Record>'
            for name in columns
        )
        records.append(
            '<Record Type="OData.Community.Keys.V1.AlternateKey"><PropertyValue Property="Key">'
            f"<Collection>{names}</Collection></PropertyValue></Record>"
        )
    inside = "".join(records)
    return (
        "<Annotation "
        f'Term="OData.Community.Keys.V1.AlternateKeys"><Collection>{inside}</Collection>'
        "</Annotation>"
    )


def _operations() -> Iterator[str]:
    for name, (parameters, returned) in _FUNCTIONS.items():
        inside = "".join(
            f'<Parameter Name="{key}" Type="{kind}" Nullable="false" />'
            for key, kind in parameters.items()
        )
        yield (
            f'<Function Name="{name}">{inside}<ReturnType Type="mscrm.{returned}" '
            'Nullable="false" /></Function>'
        )
    for table in TABLES.values():
        for message in MESSAGES:
            returned = (
                '<ReturnType Type="mscrm.CreateMultipleResponse" />'
                if message == "CreateMultiple"
                else ""
            )
            rows = f"Collection(mscrm.{table.name})"
            yield (
                f'<Action Name="{message}" IsBound="true"><Parameter Name="entityset" '
                f'Type="{rows}" Nullable="false" />'
                f'<Parameter Name="Targets" Type="{rows}" Nullable="false" />{returned}</Action>'
            )


def _container() -> Iterator[str]:
    yield '<EntityContainer Name="System">'
    for table in TABLES.values():
        yield f'<EntitySet Name="{table.set_name}" EntityType="{CRM}.{table.name}">'
        for link in table.links.values():
            yield (
                f'<NavigationPropertyBinding Path="{link.name}" '
                f'Target="{TABLES[link.table].set_name}" />'
            )
        yield "</EntitySet>"
    for name in _FUNCTIONS:
        yield f'<FunctionImport Name="{name}" Function="{CRM}.{name}" />'
    yield "</EntityContainer>"
