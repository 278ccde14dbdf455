"""Columns as ``$metadata`` of a live SCM describe them."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import AnswerUnreadable
from pipeline.mapping.columns import ColumnDeclaration, extend_entity
from pipeline.mapping.template import FieldRow, MappingRow, Template
from pipeline.scm.columns import LearnedColumns, learn_columns
from pipeline.scm.metadata import Model, read_model
from schemas.catalogue import ColumnKind
from schemas.scm import CUSTOMERS_V2

NAMESPACE = "Microsoft.Dynamics.DataEntities"
HEAD = (
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    '<edmx:DataServices><Schema Namespace="Microsoft.Dynamics.DataEntities" '
    'xmlns="http://docs.oasis-open.org/odata/ns/edm">'
)
TAIL = (
    '<EntityContainer Name="Resources"><EntitySet Name="CustomersV2" '
    'EntityType="Microsoft.Dynamics.DataEntities.CustomerV2"/></EntityContainer>'
    "</Schema></edmx:DataServices></edmx:Edmx>"
)
COMPUTED = '<Annotation Term="Org.OData.Core.V1.Computed" Bool="true"/>'
PROPERTIES = f"""
<EnumType Name="NoYes"><Member Name="No" Value="0"/><Member Name="Yes" Value="1"/></EnumType>
<EnumType Name="Odd"><Member Name="First" Value="x"/><Member Name="Second"/></EnumType>
<EntityType Name="Base" Abstract="true"><Property Name="Inherited" Type="Edm.String" MaxLength="9"/>
</EntityType>
<EntityType Name="CustomerV2" BaseType="{NAMESPACE}.Base">
<Property Name="CustomerAccount" Type="Edm.String" Nullable="false" MaxLength="12"/>
<Property Name="PersonFirstName" Type="Edm.String" MaxLength="50"/>
<Property Name="PersonGender" Type="Edm.String"/>
<Property Name="OnHoldStatus" Type="{NAMESPACE}.NoYes"/>
<Property Name="CreditLimit" Type="Edm.Double" Nullable="false"/>
<Property Name="SalesMemo" Type="Edm.String" MaxLength="max"/>
<Property Name="AddressCity" Type="Edm.String"/>
<Property Name="Tier" Type="Edm.String" MaxLength="10"/>
<Property Name="Points" Type="Edm.Int32"/>
<Property Name="Serial" Type="Edm.Int64"/>
<Property Name="IsPartner" Type="{NAMESPACE}.NoYes"/>
<Property Name="IsOdd" Type="{NAMESPACE}.Odd"/>
<Property Name="IsPlain" Type="Edm.Boolean"/>
<Property Name="Since" Type="Edm.DateTimeOffset"/>
<Property Name="Token" Type="Edm.Guid"/>
<Property Name="Photo" Type="Edm.Stream"/>
<Property Name="Tags" Type="Collection(Edm.String)"/>
<Property Name="FullName" Type="Edm.String">{COMPUTED}</Property>
</EntityType>"""


@pytest.fixture(scope="module")
def model() -> Model:
    return read_model((HEAD + PROPERTIES + TAIL).encode(), "SCM")


def learn(
    model: Model, name: str, declared: ColumnDeclaration | None = None, **row: Any
) -> LearnedColumns:
    """What is learned of one column, mapped by such a row."""
    template = Template(
        name="t", task="ContactToCustomer", source="contacts", entity="Customers V2",
        rows=(FieldRow(destination=name, row=MappingRow(**row)),),
    )  # fmt: skip
    entity = extend_entity(CUSTOMERS_V2, {} if declared is None else {name: declared})
    return learn_columns(template, entity, model)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Tier", ColumnDeclaration(type=ColumnKind.TEXT, length=10)),
        ("Inherited", ColumnDeclaration(type=ColumnKind.TEXT, length=9)),
        ("Points", ColumnDeclaration(type=ColumnKind.INTEGER)),
        ("Serial", ColumnDeclaration(type=ColumnKind.LONG)),
        ("IsPartner", ColumnDeclaration(type=ColumnKind.ENUM, members=("No", "Yes"))),
        ("IsOdd", ColumnDeclaration(type=ColumnKind.ENUM, members=("First", "Second"))),
        ("IsPlain", ColumnDeclaration(type=ColumnKind.BOOLEAN)),
        ("Since", ColumnDeclaration(type=ColumnKind.TIMESTAMP)),
        ("Token", ColumnDeclaration(type=ColumnKind.GUID)),
        ("CustomerAccount", ColumnDeclaration(type=ColumnKind.TEXT, length=12, mandatory=True)),
        ("PersonFirstName", ColumnDeclaration(type=ColumnKind.TEXT, length=50)),
        ("OnHoldStatus", ColumnDeclaration(type=ColumnKind.ENUM, members=("No", "Yes"))),
    ],
)
def test_scm_says_of_what_type_and_how_long_a_column_is(
    model: Model, name: str, expected: ColumnDeclaration
) -> None:
    assert learn(model, name) == LearnedColumns(found={name: expected})


@pytest.mark.parametrize("name", ["PersonGender", "CreditLimit", "SalesMemo", "AddressCity"])
def test_where_scm_says_no_more_than_the_catalogue_the_catalogue_stays(
    model: Model, name: str
) -> None:
    assert learn(model, name) == LearnedColumns()


@pytest.mark.parametrize("text", ["<html><p>Sign in</p></html>", HEAD + TAIL])
def test_a_page_in_the_place_of_metadata_is_no_model(text: str) -> None:
    page = text.replace("EntitySet ", "Set ")
    with pytest.raises(AnswerUnreadable, match="that is not XML, with another page"):
        read_model(page.encode(), "SCM")


def test_scm_outranks_what_is_declared_and_leaves_what_it_does_not_say(model: Model) -> None:
    wrong = ColumnDeclaration(type=ColumnKind.DECIMAL, mandatory=True)
    assert learn(model, "Points", wrong).found == {
        "Points": ColumnDeclaration(type=ColumnKind.INTEGER, mandatory=True)
    }
    declared = ColumnDeclaration(type=ColumnKind.TEXT, length=30)
    assert learn(model, "AddressCity", declared) == LearnedColumns()


@pytest.mark.parametrize(
    ("name", "row", "sentence"),
    [
        ("Teir", {}, "CustomersV2 in this SCM has no such column. Did you mean 'Tier'?"),
        ("tier", {}, "CustomersV2 in this SCM has no such column. Did you mean 'Tier'?"),
        (
            "NordwindPoints",
            {},
            "CustomersV2 in this SCM has no such column. Did you mean 'Points'?",
        ),
        ("Colour", {}, "CustomersV2 in this SCM has no such column."),
        ("Photo", {}, "is of the type Edm.Stream in this SCM, which p2c cannot fill."),
        ("Tags", {}, "is of the type Collection(Edm.String) in this SCM, which p2c cannot fill."),
        ("FullName", {}, "SCM fills this column itself; take it out of the mapping."),
        (
            "Tier",
            {"max_length": 11},
            (
                "max_length is 11, but this SCM takes 10 characters at the most. Lower it or leave "
                "it out."
            ),
        ),
    ],
)
def test_a_column_that_cannot_be_filled_is_a_sentence(
    model: Model, name: str, row: dict[str, Any], sentence: str
) -> None:
    assert learn(model, name, **row).wrong == [f"tasks.ContactToCustomer.fields.{name}: {sentence}"]


def test_several_near_names_are_told(model: Model) -> None:
    said = learn(model, "Is").wrong[0]
    assert said.endswith("Did you mean 'IsPartner'? Near are also 'IsOdd' and 'IsPlain'.")


def test_an_entity_set_that_is_not_there_says_nothing_of_columns() -> None:
    assert learn(Model(sets={}, enums={}), "Tier") == LearnedColumns()
