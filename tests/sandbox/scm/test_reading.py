from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.sandbox.login.login import LoginTwin
from pipeline.sandbox.scm.app import accept_any_token
from pipeline.sandbox.scm.entities import ENTITIES
from pipeline.sandbox.scm.switches import Switches
from pipeline.sandbox.wire import xmltree
from tests.scenes.scm_caller import ROOT, Caller, inner

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.fixture(scope="module")
def scm() -> Iterator[Caller]:
    with Caller(Switches(page_size=3)) as caller:
        for company in ("usmf", "demf"):
            for number in range(1, 6):
                row = {
                    "dataAreaId": company,
                    "CustomerAccount": f"C-{number}",
                    "PartyType": "Person",
                    "PersonLastName": f"O'Hara_{number}%",
                    "CustomerGroupId": "10" if number < 4 else "20",
                    "SalesCurrencyCode": "EUR",
                    "CreditLimit": number * 100,
                    "IsExternallyMaintained": "Yes" if number % 2 else "No",
                }
                assert caller.post("/data/CustomersV2", row).status_code == 201
        yield caller


def found(scm: Caller, query: str) -> list[str]:
    return [
        row["CustomerAccount"]
        for row in scm.get(f"/data/CustomersV2?$orderby=CustomerAccount&{query}")["value"]
    ]


def test_without_a_token_nobody_gets_in(scm: Caller) -> None:
    assert scm.ask("GET", "/data/CustomersV2", headers={"Authorization": ""}).status_code == 401


def test_an_application_must_be_registered_in_scm() -> None:
    for applications, status in ((frozenset({"another"}), 401), (frozenset({"tests"}), 200)):
        with Caller(applications=applications) as other:
            assert other.ask("GET", "/data/Currencies?$top=1").status_code == status


def test_tokens_of_the_sandboxs_login_open_the_door() -> None:
    login = LoginTwin(applications={})
    with Caller(door=login.authorize) as other:
        assert other.ask("GET", "/data/Currencies?$top=1").status_code == 401
        for audience, status in ((ROOT, 200), ("https://elsewhere.test", 401)):
            token = login.issuer.issue("app", audience, 60, "issuer")
            headers = {"Authorization": f"Bearer {token}"}
            assert (
                other.ask("GET", "/data/Currencies?$top=1", headers=headers).status_code == status
            )


def test_without_a_login_any_token_will_do() -> None:
    with Caller(door=accept_any_token) as other:
        for header, status in (("", 401), ("Bearer ", 401), ("Basic x", 401), ("Bearer x", 200)):
            assert (
                other.ask(
                    "GET", "/data/Currencies?$top=1", headers={"Authorization": header}
                ).status_code
                == status
            )


def test_a_database_on_disk_is_taken_up_again(tmp_path: Path) -> None:
    path = str(tmp_path / "scm.sqlite")
    for status in (201, 400):
        with Caller(path=path) as other:
            row = {
                "CustomerAccount": "K",
                "OrganizationName": "K",
                "CustomerGroupId": "10",
                "SalesCurrencyCode": "EUR",
            }
            assert other.post("/data/CustomersV2", row).status_code == status


def test_every_answer_says_its_activity_and_time(scm: Caller) -> None:
    response = scm.ask("GET", "/data/Currencies?$top=1")
    assert response.headers["ms-dyn-aid"]
    assert response.headers["server-timing"].startswith("dur=")
    assert response.headers["odata-version"] == "4.0"


def test_the_service_document_lists_the_sets(scm: Caller) -> None:
    document = scm.get("/data")
    assert document["@odata.context"] == f"{ROOT}/data/$metadata"
    assert {"name": "CustomersV2", "kind": "EntitySet", "url": "CustomersV2"} in document["value"]
    assert scm.get("/data/") == document


def test_metadata_has_types_keys_enums_and_actions(scm: Caller) -> None:
    response = scm.ask("GET", "/data/$metadata")
    assert response.headers["content-type"].startswith("application/xml")
    schema = next(xmltree.parse_xml(response.content).iter(f"{EDM}Schema"))
    assert schema.get("Namespace") == "Microsoft.Dynamics.DataEntities"
    types = {one.get("Name"): one for one in schema.iter(f"{EDM}EntityType")}
    keys = [ref.get("Name") for ref in types["CustomerV2"].iter(f"{EDM}PropertyRef")]
    assert keys == ["dataAreaId", "CustomerAccount"]
    properties = {one.get("Name"): one for one in types["CDSContactPerson"].iter(f"{EDM}Property")}
    assert len(properties) == 39
    assert properties["Gender"].get("Type") == "Microsoft.Dynamics.DataEntities.Gender"
    assert properties["BirthDay"].attrib == {
        "Name": "BirthDay",
        "Type": "Edm.Int32",
        "Nullable": "false",
    }
    assert properties["FirstName"].get("Nullable") is None
    enums = {
        one.get("Name"): [member.get("Name") for member in one]
        for one in schema.iter(f"{EDM}EnumType")
    }
    assert enums["DirPersonMaritalStatus"] == ["None", "Single", "Married", "Divorced", "Widowhood"]
    actions = {one.get("Name") for one in schema.iter(f"{EDM}Action")}
    assert {"GetAzureWriteUrl", "ImportFromPackage", "GetExecutionErrors"} <= actions
    sets = {one.get("Name") for one in schema.iter(f"{EDM}EntitySet")}
    assert sets == set(ENTITIES)


def test_a_row_has_an_etag_all_its_properties_and_no_null(scm: Caller) -> None:
    row = scm.get("/data/CustomersV2?$top=1")["value"][0]
    assert row["@odata.etag"].startswith('W/"Jz')
    assert len(row) == len(ENTITIES["CustomersV2"].properties) + 1
    assert None not in row.values()
    assert (row["dataAreaId"], row["PartyType"], row["SiteId"], row["CreditLimit"]) == (
        "usmf",
        "Person",
        "",
        100.0,
    )
    assert row["AddressValidFrom"] == "1900-01-01T00:00:00Z"


def test_only_the_callers_company_is_seen_without_cross_company(scm: Caller) -> None:
    assert scm.get("/data/CustomersV2?$count=true&$top=0")["@odata.count"] == 5
    assert scm.get("/data/CustomersV2?$count=true&$top=0&cross-company=true")["@odata.count"] == 10
    narrowed = scm.get(
        "/data/CustomersV2?cross-company=true&$filter=dataAreaId eq 'DEMF'&$select=dataAreaId"
    )["value"]
    assert {row["dataAreaId"] for row in narrowed} == {"demf"}
    assert scm.get("/data/CustomersV2?$filter=dataAreaId eq 'demf'")["value"] == []


def test_a_count_alone_is_text_with_a_byte_order_mark(scm: Caller) -> None:
    response = scm.ask(
        "GET", "/data/CustomersV2/$count?cross-company=true&$filter=CustomerGroupId eq '20'"
    )
    assert response.headers["content-type"].startswith("text/plain")
    assert response.content == b"\xef\xbb\xbf4"


def test_pages_follow_one_another_to_the_end(scm: Caller) -> None:
    first = scm.get(
        "/data/CustomersV2?cross-company=true&$count=true&$select=CustomerAccount&"
        "$filter=CreditLimit gt 100"
    )
    assert first["@odata.count"] == 8
    seen, page = [], first
    while True:
        seen += [row["CustomerAccount"] for row in page["value"]]
        assert len(page["value"]) <= 3
        if "@odata.nextLink" not in page:
            break
        assert page["@odata.nextLink"].startswith(f"{ROOT}/data/CustomersV2?cross-company=true&")
        page = scm.get(page["@odata.nextLink"])
    assert sorted(seen) == sorted(["C-2", "C-3", "C-4", "C-5"] * 2)


@pytest.mark.parametrize("order", ["", "&$orderby=CustomerAccount desc"])
def test_top_and_skip_hold_over_all_pages(scm: Caller, order: str) -> None:
    for skip in (0, 1):
        page = scm.get(f"/data/CustomersV2?$top=4&$skip={skip}&$select=CustomerAccount{order}")
        rest = scm.get(page["@odata.nextLink"])
        assert "@odata.nextLink" not in rest
        seen = [row["CustomerAccount"] for row in page["value"] + rest["value"]]
        everything = ["C-1", "C-2", "C-3", "C-4", "C-5"]
        assert seen == (everything[::-1] if order else everything)[skip:][:4]


def test_a_top_that_fits_a_page_has_no_next_link(scm: Caller) -> None:
    assert "@odata.nextLink" not in scm.get("/data/CustomersV2?$top=3")


def test_links_follow_the_forwarded_host_and_scheme(scm: Caller) -> None:
    headers = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "gateway.example:8080"}
    page = scm.get("/data/CustomersV2", headers=headers)
    assert page["@odata.nextLink"].startswith(
        "http://gateway.example:8080/data/CustomersV2?$skiptoken="
    )
    assert page["@odata.context"] == "http://gateway.example:8080/data/$metadata#CustomersV2"


@pytest.mark.parametrize(
    ("condition", "accounts"),
    [
        ("CustomerAccount eq 'c-1'", ["C-1"]),
        ("PersonLastName eq 'O''Hara_2%'", ["C-2"]),
        ("PersonLastName eq '*hara_3*'", ["C-3"]),
        ("PersonLastName eq '*Hara33*'", []),
        ("PersonLastName eq '*Har__3*'", []),
        ("PersonLastName ne '*hara_3*' and CreditLimit le 300", ["C-1", "C-2"]),
        ("CreditLimit ge 200 and not (CreditLimit eq 300.0)", ["C-2", "C-4", "C-5"]),
        ("CustomerGroupId eq '20' or CustomerAccount lt 'C-2'", ["C-1", "C-4", "C-5"]),
        ("CreditLimit add 100 gt 450", ["C-4", "C-5"]),
        ("IsExternallyMaintained eq Microsoft.Dynamics.DataEntities.NoYes'No'", ["C-2", "C-4"]),
        (
            (
                "IsExternallyMaintained ne Microsoft.Dynamics.DataEntities.NoYes'No' and "
                "CreditLimit gt 100"
            ),
            ["C-3", "C-5"],
        ),
        ("AddressValidFrom lt 1900-01-02T00:00:00Z and CreditLimit eq 100", ["C-1"]),
        ("SiteId eq null", []),
    ],
)
def test_filters_find(scm: Caller, condition: str, accounts: list[str]) -> None:
    assert found(scm, f"$filter={condition}".replace("%", "%25")) == accounts[:3]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("$filter=Nonsense eq 'x'", "Could not find a property named 'Nonsense'"),
        ("$filter=CustomerAccount in ('a','b')", "'in' is not supported"),
        ("$filter=contains(CustomerAccount,'1')", "unknown function with name 'contains'"),
        ("$filter=Some.Function(Name='x')", "unknown function with name 'Some.Function'"),
        ("$filter=Orders/any(o:o/Id eq 1)", "'Orders' is none"),
        ("$filter=IsExternallyMaintained eq 'Yes'", "incompatible types"),
        (
            "$filter=IsExternallyMaintained gt Microsoft.Dynamics.DataEntities.NoYes'No'",
            "incompatible types",
        ),
        (
            "$filter=IsExternallyMaintained eq Microsoft.Dynamics.DataEntities.NoYes'Maybe'",
            "not a valid enumeration",
        ),
        ("$filter=CreditLimit eq 'much'", "incompatible types"),
        ("$filter=CustomerAccount", "single boolean value"),
        ("$filter=CustomerAccount eq", "Syntax error"),
        ("$select=Nonsense", "Could not find a property named 'Nonsense'"),
        ("$orderby=Nonsense", "Could not find a property named 'Nonsense'"),
        ("$expand=Orders", "Could not find a property named 'Orders'"),
        ("$top=-1", "non-negative"),
        ("$skiptoken=nonsense", "skip token"),
        ("$apply=aggregate(x)", "$apply"),
        ("$top=1&$top=2", "more than once"),
    ],
)
def test_what_cannot_be_answered_is_400_with_a_reason(scm: Caller, query: str, words: str) -> None:
    assert words in inner(scm.ask("GET", f"/data/CustomersV2?{query}"))


def test_one_row_is_found_by_all_its_key_fields(scm: Caller) -> None:
    row = scm.get(
        "/data/CustomersV2(dataAreaId='usmf',CustomerAccount='c-2')?$select=CustomerAccount"
    )
    assert row["@odata.context"] == f"{ROOT}/data/$metadata#CustomersV2(CustomerAccount)/$entity"
    assert row["CustomerAccount"] == "C-2"
    assert set(row) == {"@odata.context", "@odata.etag", "CustomerAccount"}
    assert scm.get("/data/LegalEntities('demf')")["LegalEntityId"] == "demf"


def test_a_row_of_another_company_needs_cross_company(scm: Caller) -> None:
    url = "/data/CustomersV2(dataAreaId='demf',CustomerAccount='C-2')"
    assert scm.ask("GET", url).status_code == 404
    assert scm.get(f"{url}?cross-company=true")["dataAreaId"] == "demf"


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/data/CustomersV2(dataAreaId='usmf',CustomerAccount='C-9')", 404),
        ("/data/CustomersV2('C-1')", 400),
        ("/data/CustomersV2(CustomerAccount='C-1')", 400),
        ("/data/CustomersV2(dataAreaId='usmf',CustomerAccount=1)", 400),
        ("/data/Nonsense", 404),
        ("/data/CustomersV2(dataAreaId='usmf',CustomerAccount='C-1')/Nonsense", 404),
    ],
)
def test_addresses_that_lead_nowhere(scm: Caller, url: str, status: int) -> None:
    inner(scm.ask("GET", url), status)


def test_full_metadata_names_types_and_links(scm: Caller) -> None:
    headers = {"Accept": "application/json;odata.metadata=full"}
    row = scm.get("/data/CustomerGroups(dataAreaId='usmf',CustomerGroupId='10')", headers=headers)
    assert row["@odata.type"] == "#Microsoft.Dynamics.DataEntities.CustomerGroup"
    assert row["@odata.id"] == f"{ROOT}/data/CustomerGroups(dataAreaId='usmf',CustomerGroupId='10')"
    assert row["IsSalesTaxIncludedInPrice@odata.type"] == "#Microsoft.Dynamics.DataEntities.NoYes"
    bare = scm.get(
        "/data/CustomerGroups?$top=1", headers={"Accept": "application/json;odata.metadata=none"}
    )
    assert set(bare) == {"value"}
    assert not any("@" in name for name in bare["value"][0])


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("CustomerGroups", {"dataAreaId": "usmf", "CustomerGroupId": "10"}),
        ("Currencies", {"CurrencyCode": "EUR"}),
        ("AddressCountryRegions", {"CountryRegion": "USA", "ISOcode": "US"}),
        ("AddressStates", {"CountryRegionId": "USA", "State": "WA"}),
        ("OperationalSites", {"dataAreaId": "usmf", "SiteId": "1"}),
        ("Warehouses", {"dataAreaId": "usmf", "WarehouseId": "13", "OperationalSiteId": "1"}),
        ("LegalEntities", {"LegalEntityId": "dkmf"}),
    ],
)
def test_reference_data_are_there_from_the_start(
    scm: Caller, name: str, key: dict[str, str]
) -> None:
    condition = " and ".join(f"{field} eq '{value}'" for field, value in key.items())
    assert len(scm.get(f"/data/{name}?$filter={condition}")["value"]) == 1


# the metadata service


def test_public_entities_describe_every_property_and_action(scm: Caller) -> None:
    entity = scm.get("/metadata/PublicEntities('CDSContactPerson')")
    properties = {one["Name"]: one for one in entity["Properties"]}
    assert len(properties) == 39
    assert properties["Gender"]["TypeName"] == "Microsoft.Dynamics.DataEntities.Gender"
    assert [name for name, one in properties.items() if one["IsKey"]] == [
        "dataAreaId",
        "ContactPersonPartyNumber",
        "AssociatedPartyNumber",
    ]
    (groups,) = scm.get(
        "/Metadata/PublicEntities?$filter=EntitySetName eq 'DataManagementDefinitionGroups'"
    )["value"]
    write_url = next(one for one in groups["Actions"] if one["Name"] == "GetAzureWriteUrl")
    assert write_url["Parameters"] == [
        {"Name": "uniqueFileName", "Type": {"TypeName": "Edm.String", "IsCollection": False}}
    ]


def test_data_entities_are_found_by_filters(scm: Caller) -> None:
    asked = "$filter=contains(tolower(Name),'custcustomer') and DataManagementEnabled eq true"
    found = scm.get(f"/metadata/DataEntities?{asked}&$select=PublicCollectionName&$count=true")
    assert found["@odata.count"] == 2
    assert {row["PublicCollectionName"] for row in found["value"]} == {
        "CustomersV2",
        "CustomerGroups",
    }
    assert len(scm.get("/metadata/DataEntities?$top=2&$skip=1")["value"]) == 2
    assert scm.get(
        "/metadata/DataEntities?$filter=not (IsReadOnly ne true) and startswith(Name,'OM')"
    )["value"][0]["LabelId"]


def test_enums_and_labels_have_names(scm: Caller) -> None:
    members = scm.get("/metadata/PublicEnumerations('NoYes')")["Members"]
    assert [(one["Name"], one["Value"]) for one in members] == [("No", 0), ("Yes", 1)]
    label = scm.get("/metadata/DataEntities('CustCustomerV2Entity')")["LabelId"]
    assert scm.get(f"/metadata/Labels(Id='{label}',Language='de')")["Value"] == "Customers V2"
    assert (
        scm.get(f"/metadata/Labels?$filter=Id eq '{label}' or Id eq 'x'")["value"][0]["Value"]
        == "Customers V2"
    )


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/metadata/Nonsense", 404),
        ("/metadata/PublicEntities('Nonsense')", 404),
        ("/metadata/DataEntities?$filter=Nonsense eq 1", 400),
        ("/metadata/DataEntities?$filter=Name gt 'A'", 400),
    ],
)
def test_what_the_metadata_service_does_not_have(scm: Caller, url: str, status: int) -> None:
    inner(scm.ask("GET", url), status)
    assert scm.ask("POST", "/metadata/DataEntities", json={}).status_code == 405
    assert scm.ask("GET", url, headers={"Authorization": ""}).status_code == 401


@pytest.mark.parametrize(
    ("language", "label"),
    [("en-us", "Customers V2"), ("de", "Debitoren V2"), ("pt-br", "Clientes V2")],
)
def test_labels_follow_the_language_and_target_names_do_not(language: Any, label: str) -> None:
    with Caller(Switches(language=language)) as other:
        condition = "TargetName eq 'CUSTCUSTOMERV2ENTITY'"
        (row,) = other.get(f"/data/DataManagementEntities?$filter={condition}")["value"]
        assert row["EntityName"] == label


def test_languages_are_no_entity_set(scm: Caller) -> None:
    assert scm.ask("GET", "/data/Languages").status_code == 404


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("GetApplicationVersion", r"10\.0\.\d+"),
        ("GetApplicationBuildVersion", r"10\.0\.\d+\.\d+"),
        ("GetPlatformBuildVersion", r"7\.0\.\d+\.\d+"),
    ],
)
def test_data_management_tells_versions(scm: Caller, action: str, form: str) -> None:
    url = f"/data/DataManagementEntities/Microsoft.Dynamics.DataEntities.{action}"
    answer = scm.post(url, {})
    assert answer.status_code == 200
    assert re.fullmatch(form, answer.json()["value"])
    elsewhere = url.replace("ManagementEntities", "ManagementDefinitionGroups")
    assert scm.post(elsewhere, {}).status_code == 404
    text = scm.ask("GET", "/data/$metadata").text
    assert f'Name="{action}"' in text
