from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.scenes.sales_caller import TYPE, Caller

CONTACT = "EntityDefinitions(LogicalName='contact')"


@pytest.fixture(scope="module")
def sales() -> Iterator[Caller]:
    with Caller() as caller:
        yield caller


def test_tables_are_found_by_condition_name_and_id(sales: Caller) -> None:
    url = (
        "EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute&"
        "$filter=LogicalName eq 'salesorder'"
    )
    (row,) = sales.get(url)["value"]
    assert {key: row[key] for key in row if key != "MetadataId"} == {
        "LogicalName": "salesorder",
        "EntitySetName": "salesorders",
        "PrimaryIdAttribute": "salesorderid",
    }
    by_id = sales.get(f"EntityDefinitions({row['MetadataId']})?$select=SchemaName")
    assert by_id["SchemaName"] == "SalesOrder"
    assert sales.get("EntityDefinitions(LogicalName='salesorder')")["OwnershipType"] == "UserOwned"
    assert sales.ask("GET", "EntityDefinitions(LogicalName='lead')").status_code == 404


def test_tables_that_track_changes_say_so(sales: Caller) -> None:
    found = sales.get(
        "EntityDefinitions?$select=LogicalName&$filter=ChangeTrackingEnabled eq true"
    )["value"]
    assert {"contact", "account", "quote", "salesorder", "invoice"} <= {
        row["LogicalName"] for row in found
    }
    assert "systemuser" not in {row["LogicalName"] for row in found}


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (
            "msdynce_contactnumber",
            {"AttributeType": "String", "MaxLength": 20, "IsCustomAttribute": True},
        ),
        ("description", {"AttributeType": "Memo", "MaxLength": 2000}),
        ("parentcustomerid", {"AttributeType": "Customer", "Targets": ["account", "contact"]}),
        ("birthdate", {"AttributeType": "DateTime", "DateTimeBehavior": {"Value": "DateOnly"}}),
        ("creditlimit", {"AttributeType": "Money", "Precision": 4}),
        (
            "contactid",
            {"AttributeType": "Uniqueidentifier", "IsPrimaryId": True, "IsValidForUpdate": False},
        ),
        ("fullname", {"IsPrimaryName": True, "IsValidForCreate": False}),
        ("statecode", {"AttributeType": "State"}),
    ],
)
def test_columns_are_described(sales: Caller, column: str, expected: dict[str, Any]) -> None:
    row = sales.get(f"{CONTACT}/Attributes(LogicalName='{column}')")
    assert {key: row[key] for key in expected} == expected


def test_derived_properties_are_selected_behind_a_cast_only(sales: Caller) -> None:
    assert sales.refused("GET", f"{CONTACT}/Attributes?$select=MaxLength", 400)[1].startswith(
        "Could not find a property named"
    )
    cast = f"{CONTACT}/Attributes/{TYPE}.StringAttributeMetadata?$select=LogicalName,MaxLength"
    lengths = {row["LogicalName"]: row["MaxLength"] for row in sales.get(cast)["value"]}
    assert (lengths["firstname"], lengths["fullname"]) == (50, 160)
    assert "description" not in lengths


@pytest.mark.parametrize(
    ("kind", "column", "labels"),
    [
        ("Picklist", "gendercode", ["Male", "Female"]),
        ("State", "statecode", ["Active", "Inactive"]),
        ("Status", "statuscode", ["Active", "Inactive"]),
    ],
)
def test_choices_tell_their_labels(
    sales: Caller, kind: str, column: str, labels: list[str]
) -> None:
    cast = f"{CONTACT}/Attributes/{TYPE}.{kind}AttributeMetadata"
    url = f"{cast}?$select=LogicalName&$expand=OptionSet($select=Options)"
    (row,) = [one for one in sales.get(url)["value"] if one["LogicalName"] == column]
    options = row["OptionSet"]["Options"]
    assert [option["Label"]["UserLocalizedLabel"]["Label"] for option in options] == labels
    assert set(row) == {"@odata.type", "MetadataId", "LogicalName", "OptionSet"}


def test_keys_and_relationships_are_described(sales: Caller) -> None:
    (key,) = sales.get(f"{CONTACT}/Keys")["value"]
    assert (key["KeyAttributes"], key["EntityKeyIndexStatus"]) == (
        ["msdynce_contactnumber"],
        "Active",
    )
    url = (
        f"{CONTACT}/ManyToOneRelationships?$filter=ReferencingAttribute eq "
        "'parentcustomerid'&$orderby=ReferencedEntity"
    )
    many = sales.get(url)["value"]
    assert [row["ReferencingEntityNavigationPropertyName"] for row in many] == [
        "parentcustomerid_account",
        "parentcustomerid_contact",
    ]
    found = sales.get("RelationshipDefinitions?$filter=SchemaName eq 'contact_customer_accounts'")[
        "value"
    ]
    assert [row["ReferencedEntity"] for row in found] == ["account"]
    whole = sales.get(
        "EntityDefinitions?$filter=LogicalName eq "
        "'contact'&$select=LogicalName&$expand=Attributes($select=LogicalName),Keys"
    )
    assert len(whole["value"][0]["Attributes"]) > 100
    assert sales.get(f"{CONTACT}/ManyToManyRelationships")["value"] == []
    assert sales.get(f"{CONTACT}/EntitySetName")["value"] == "contacts"


def test_metadata_changes_are_queried_as_a_tree(sales: Caller) -> None:
    named = {"PropertyName": "LogicalName", "ConditionOperator": "Equals"}
    query = {
        "Criteria": {
            "Conditions": [{**named, "Value": {"Type": "System.String", "Value": "contact"}}]
        },
        "Properties": {"PropertyNames": ["LogicalName", "Attributes"]},
        "AttributeQuery": {
            "Criteria": {
                "Conditions": [{**named, "Value": {"Type": "System.String", "Value": "firstname"}}]
            },
            "Properties": {"PropertyNames": ["MaxLength"]},
        },
    }
    (table,) = sales.get("RetrieveMetadataChanges(Query=@p1)", params={"@p1": json.dumps(query)})[
        "EntityMetadata"
    ]
    assert [(row["LogicalName"], row["MaxLength"]) for row in table["Attributes"]] == [
        ("firstname", 50)
    ]


def test_metadata_cannot_be_changed(sales: Caller) -> None:
    assert sales.ask("POST", "EntityDefinitions", json={}).status_code == 501


def test_the_organisation_names_itself(sales: Caller) -> None:
    detail = sales.get(
        "RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')"
    )["Detail"]
    assert detail["OrganizationId"] == sales.get("WhoAmI()")["OrganizationId"]
    assert (detail["UniqueName"], detail["FriendlyName"]) == ("test", "Contoso")
    assert "https://sales.test/" in detail["Endpoints"]["Values"]
    assert sales.get(f"{TYPE}.WhoAmI")["UserId"]
    assert sales.get("RetrieveVersion()")["Version"].startswith("9.2.")
    assert sales.ask("POST", "WhoAmI").status_code == 405


@pytest.mark.parametrize("name", ["CanChangeTrackingBeEnabled", "IsCustomizable", "IsRenameable"])
def test_managed_properties_say_whether_they_may_change(sales: Caller, name: str) -> None:
    for url in (CONTACT, "EntityDefinitions(LogicalName='account')"):
        assert sales.get(f"{url}?$select={name}")[name] == {
            "Value": True,
            "CanBeChanged": True,
            "ManagedPropertyLogicalName": name.lower(),
        }


def test_documented_properties_of_tables_and_columns_can_be_selected(sales: Caller) -> None:
    tables = "PrimaryImageAttribute,IsBPFEntity,HasNotes,DaysSinceRecordLastModified,IsSLAEnabled"
    for row in sales.get(f"EntityDefinitions?$select={tables}&$filter=IsIntersect eq false")[
        "value"
    ]:
        assert set(row) == {"MetadataId", *tables.split(",")}
        assert row["PrimaryImageAttribute"] is None
    columns = "IsCustomizable,IsSearchable,ColumnNumber,IsSecured,SourceType"
    url = f"{CONTACT}/Attributes(LogicalName='firstname')?$select={columns}"
    assert set(columns.split(",")) <= set(sales.get(url))
    assert sales.ask("GET", f"{CONTACT}?$select=IsNoProperty").status_code == 400
