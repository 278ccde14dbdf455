from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.sandbox.scm import seed
from pipeline.sandbox.scm.switches import Switches
from tests.scenes.scm_caller import ROOT, Caller, inner

PERSON = {
    "dataAreaId": "usmf",
    "CustomerAccount": "CON-01000-AAAAAA",
    "PartyNumber": "CON-01000-AAAAAA",
    "PartyType": "Person",
    "PersonFirstName": "Kevin",
    "PersonLastName": "Brown",
    "CustomerGroupId": "10",
    "SalesCurrencyCode": "USD",
    "LanguageId": "en-us",
    "AddressDescription": "Kevin Brown",
    "AddressCountryRegionISOCode": "US",
    "AddressState": "WA",
    "IsExternallyMaintained": "Yes",
}
COMPANY = {
    "dataAreaId": "usmf",
    "CustomerAccount": "ACC-01000-AAAAAA",
    "PartyNumber": "ACC-01000-AAAAAA",
    "OrganizationName": "Fourth Coffee",
    "CustomerGroupId": "10",
    "SalesCurrencyCode": "USD",
}
CONTACT = {
    "dataAreaId": "usmf",
    "ContactPersonPartyNumber": "CON-01001-BBBBBB",
    "AssociatedPartyNumber": "ACC-01000-AAAAAA",
    "FirstName": "Ann",
    "LastName": "Beebe",
    "Gender": "Female",
}
CUSTOMER_URL = "/data/CustomersV2(dataAreaId='usmf',CustomerAccount='CON-01000-AAAAAA')"
CONTACT_KEY = (
    "dataAreaId='usmf',ContactPersonPartyNumber='CON-01001-BBBBBB',"
    "AssociatedPartyNumber='ACC-01000-AAAAAA'"
)
CONTACT_URL = f"/data/CDSContactPersons({CONTACT_KEY})"


@pytest.fixture
def scm() -> Iterator[Caller]:
    with Caller() as caller:
        yield caller


def refusal(scm: Caller, url: str, row: dict[str, Any]) -> str:
    return inner(scm.post(url, row))


def test_an_insert_answers_with_the_whole_row_its_place_and_its_etag(scm: Caller) -> None:
    response = scm.post("/data/CustomersV2", PERSON)
    assert response.status_code == 201
    row = response.json()
    assert row["@odata.context"] == f"{ROOT}/data/$metadata#CustomersV2/$entity"
    assert response.headers["location"] == ROOT + CUSTOMER_URL
    assert response.headers["etag"] == row["@odata.etag"]
    version, record = base64.b64decode(row["@odata.etag"][3:-1]).decode().strip("'").split(",")
    assert (version, int(record) > 5637144576) == ("1", True)
    assert {name: row[name] for name in PERSON} == PERSON
    assert (row["AddressCountryRegionId"], row["FullPrimaryAddress"]) == ("USA", "WA, USA")


def test_a_customer_is_a_party(scm: Caller) -> None:
    scm.post("/data/CustomersV2", PERSON)
    party = scm.get("/data/CDSParties('CON-01000-AAAAAA')")
    names = ("PartyType", "PersonFirstName", "PersonLastName", "OrganizationName", "LanguageId")
    assert [party[name] for name in names] == ["Person", "Kevin", "Brown", "", "en-us"]
    scm.ask("PATCH", CUSTOMER_URL, json={"PersonMiddleName": "B."})
    assert scm.get("/data/CDSParties('CON-01000-AAAAAA')")["PersonMiddleName"] == "B."


def test_the_same_key_twice_is_refused_in_the_words_of_scm(scm: Caller) -> None:
    scm.post("/data/CustomersV2", PERSON)
    message = refusal(scm, "/data/CustomersV2", PERSON | {"CustomerAccount": "con-01000-aaaaaa"})
    assert message.startswith(
        "Write failed for table row of type 'CustCustomerV2Entity'. Infolog: Info: Cannot create a "
        "record in "
    )
    assert message.endswith(
        "Customers (CustTable). Customer account: con-01000-aaaaaa, Brown.\nThe record already "
        "exists.."
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"CustomerGroupId": "XX"},
            (
                "The value 'XX' in field 'Customer group' is not found in the related table "
                "'Customer groups'."
            ),
        ),
        (
            {"SalesCurrencyCode": "EUX"},
            "The value 'EUX' in field 'Currency' is not found in the related table 'Currencies'.",
        ),
        (
            {"LanguageId": "xx"},
            "The value 'xx' in field 'Language' is not found in the related table 'Languages'.",
        ),
        (
            {"SiteId": "99"},
            "The value '99' in field 'Site' is not found in the related table 'Sites'.",
        ),
        (
            {"WarehouseId": "99"},
            "The value '99' in field 'Warehouse' is not found in the related table 'Warehouses'.",
        ),
        (
            {"PaymentTerms": "Never"},
            (
                "The value 'Never' in field 'Payment terms' is not found in the related table "
                "'Terms of payment'."
            ),
        ),
        (
            {"InvoiceAccount": "C-9"},
            (
                "The value 'C-9' in field 'Invoice account' is not found in the related table "
                "'Customers'."
            ),
        ),
        (
            {"dataAreaId": "none"},
            (
                "The value 'none' in field 'Company' is not found in the related table 'Legal "
                "entities'."
            ),
        ),
        (
            {"AddressCountryRegionISOCode": "XX"},
            (
                "The value 'XX' in field 'ISO code' is not found in the related table "
                "'Country/region'."
            ),
        ),
        (
            {"AddressState": "BY"},
            "The value 'BY' in field 'State' is not found in the related table 'State/province'.",
        ),
        (
            {"AddressCountryRegionId": "DEU"},
            "The ISO code 'US' does not belong to country/region 'DEU'.",
        ),
        ({"CustomerGroupId": ""}, "Field 'Customer group' must be filled in."),
        ({"SalesCurrencyCode": ""}, "Field 'Currency' must be filled in."),
        ({"AddressCountryRegionISOCode": ""}, "Field 'Country/region' must be filled in."),
        ({"PersonFirstName": "", "PersonLastName": ""}, "Field 'First name' must be filled in."),
        ({"PartyType": "person"}, "The value 'person' is not valid for field 'Party type'."),
        ({"PartyType": ""}, "Field 'Name' must be filled in."),
        (
            {"PersonFirstName": "x" * 26},
            "The value of field 'First name' is longer than its 25 characters.",
        ),
        (
            {"PersonFirstName": "😀" * 13},
            "The value of field 'First name' is longer than its 25 characters.",
        ),
    ],
)
def test_a_customer_that_breaks_a_rule_is_refused(
    scm: Caller, change: dict[str, str], text: str
) -> None:
    message = refusal(scm, "/data/CustomersV2", PERSON | change)
    assert text in message
    assert scm.get("/data/CustomersV2?cross-company=true")["value"] == []


def test_a_refusal_names_everything_and_which_validation_failed(scm: Caller) -> None:
    message = refusal(
        scm, "/data/CustomersV2", PERSON | {"CustomerGroupId": "XX", "SalesCurrencyCode": ""}
    )
    assert message == (
        "Write failed for table row of type 'CustCustomerV2Entity'. Infolog: Warning: Field "
        "'Currency' must be filled in.; Warning: The value 'XX' in field 'Customer group' is not "
        "found in the related table 'Customer groups'.; "
        "Warning: validateField failed on field 'CustCustomerV2Entity.CustomerGroupId'; "
        "Warning: validateWrite failed on data source 'CustTable (CustTable)'."
    )


@pytest.mark.parametrize("value", ["x" * 25, "😀" * 12 + "x", "é" * 25])
def test_lengths_count_utf_16_code_units(scm: Caller, value: str) -> None:
    assert scm.post("/data/CustomersV2", PERSON | {"PersonFirstName": value}).status_code == 201


def test_a_switch_truncates_what_is_too_long() -> None:
    with Caller(Switches(too_long="truncate")) as scm:
        row = scm.post("/data/CustomersV2", PERSON | {"PersonFirstName": "😀" * 13}).json()
        assert row["PersonFirstName"] == "😀" * 12


def test_a_customer_without_an_account_gets_one_from_the_number_sequence(scm: Caller) -> None:
    row = {
        name: value
        for name, value in COMPANY.items()
        if name not in ("CustomerAccount", "PartyNumber", "dataAreaId")
    }
    first, second = (scm.post("/data/CustomersV2", row).json() for _ in range(2))
    assert (first["dataAreaId"], first["PartyType"]) == ("usmf", "Organization")
    assert first["CustomerAccount"] != second["CustomerAccount"]
    assert first["PartyNumber"] != second["PartyNumber"]


def test_a_party_is_one_customer_of_a_legal_entity(scm: Caller) -> None:
    scm.post("/data/CustomersV2", PERSON)
    message = refusal(scm, "/data/CustomersV2", PERSON | {"CustomerAccount": "OTHER"})
    assert (
        "Party number 'CON-01000-AAAAAA' already belongs to customer account 'CON-01000-AAAAAA'"
        in message
    )
    assert scm.post("/data/CustomersV2", PERSON | {"dataAreaId": "demf"}).status_code == 201


def test_a_contact_person_needs_a_company_that_is_a_party(scm: Caller) -> None:
    message = refusal(scm, "/data/CDSContactPersons", CONTACT)
    related = (
        "The value 'ACC-01000-AAAAAA' in field 'Associated party number' is not found in the "
        "related table 'Global address book'."
    )
    assert related in message
    scm.post("/data/CustomersV2", COMPANY)
    assert scm.post("/data/CDSContactPersons", CONTACT).status_code == 201
    assert scm.get(CONTACT_URL)["Gender"] == "Female"
    assert scm.get("/data/CDSParties('CON-01001-BBBBBB')")["PartyType"] == "Person"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"AssociatedPartyNumber": ""}, "Field 'Associated party number' must be filled in."),
        (
            {"ContactPersonPartyNumber": ""},
            "Field 'Contact person party number' must be filled in.",
        ),
        ({"FirstName": "", "LastName": ""}, "Field 'First name' must be filled in."),
        (
            {"ContactPersonPartyType": "Organization"},
            "The value 'Organization' is not valid for field 'Contact person party type'.",
        ),
        ({"ContactPersonPartyNumber": "ACC-01000-AAAAAA"}, "cannot be its own contact person"),
        ({"EmploymentProfession": "x" * 31}, "longer than its 30 characters"),
        ({"PrimaryAddressStateId": "WA"}, "The value 'WA' in field 'State' is not found"),
        (
            {"DecisionMakingRoleCode": "Nobody"},
            "The value 'Nobody' in field 'Decision making role' is not found",
        ),
    ],
)
def test_a_contact_person_that_breaks_a_rule_is_refused(
    scm: Caller, change: dict[str, str], text: str
) -> None:
    scm.post("/data/CustomersV2", COMPANY)
    assert text in refusal(scm, "/data/CDSContactPersons", CONTACT | change)


def test_an_organization_cannot_become_a_contact_person(scm: Caller) -> None:
    scm.post("/data/CustomersV2", COMPANY)
    scm.post("/data/CustomersV2", COMPANY | {"CustomerAccount": "X", "PartyNumber": "X"})
    assert "belongs to a party of type Organization" in refusal(
        scm, "/data/CDSContactPersons", CONTACT | {"ContactPersonPartyNumber": "X"}
    )


def test_a_contact_person_can_become_a_customer_of_the_same_party(scm: Caller) -> None:
    scm.post("/data/CustomersV2", COMPANY)
    scm.post("/data/CDSContactPersons", CONTACT)
    number = CONTACT["ContactPersonPartyNumber"]
    promoted = scm.post(
        "/data/CustomersV2", PERSON | {"CustomerAccount": number, "PartyNumber": number}
    )
    assert promoted.status_code == 201
    assert scm.get(CONTACT_URL)["ContactPersonPartyNumber"] == number
    assert len(scm.get(f"/data/CDSParties?$filter=PartyNumber eq '{number}'")["value"]) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            '{"Nonsense": 1}',
            (
                "The property 'Nonsense' does not exist on type "
                "'Microsoft.Dynamics.DataEntities.CustomerV2'"
            ),
        ),
        ('{"CreditLimit": "much"}', "Cannot convert a value of property 'CreditLimit'"),
        ('{"PersonGender": "female"}', "Cannot convert a value of property 'PersonGender'"),
        ('{"PersonGender": 2}', "Cannot convert a value of property 'PersonGender'"),
        ('{"SiteId": 1}', "Cannot convert a value of property 'SiteId'"),
        ('{"AddressValidTo": "tomorrow"}', "Cannot convert a value of property 'AddressValidTo'"),
        ('{"OrganizationNumberOfEmployees": 2147483648}', "Cannot convert"),
        ('{"OrganizationNumberOfEmployees": true}', "Cannot convert"),
        ('{"@odata.type": "#Microsoft.Dynamics.DataEntities.Vendor"}', "could not be resolved"),
        ("[]", "JSON object was expected"),
        ("{", "unexpected token"),
    ],
)
def test_a_body_that_does_not_fit_is_400(scm: Caller, body: str, words: str) -> None:
    response = scm.ask(
        "POST", "/data/CustomersV2", content=body, headers={"Content-Type": "application/json"}
    )
    assert words in inner(response)


def test_an_update_changes_what_it_names_and_the_etag(scm: Caller) -> None:
    before = scm.post("/data/CustomersV2", PERSON).json()
    response = scm.ask(
        "PATCH",
        CUSTOMER_URL,
        json={"CreditLimit": 5000, "SiteId": None, "AddressValidTo": "2154-12-31T23:59:59+01:00"},
    )
    assert (response.status_code, response.content) == (204, b"")
    after = scm.get(CUSTOMER_URL)
    assert (after["CreditLimit"], after["PersonLastName"], after["AddressValidTo"]) == (
        5000.0,
        "Brown",
        "2154-12-31T22:59:59Z",
    )
    assert after["@odata.etag"] != before["@odata.etag"]


def test_an_etag_guards_updates_and_deletes(scm: Caller) -> None:
    old = scm.post("/data/CustomersV2", PERSON).json()["@odata.etag"]
    assert (
        scm.ask(
            "PATCH", CUSTOMER_URL, json={"CreditLimit": 1}, headers={"If-Match": old}
        ).status_code
        == 204
    )
    assert (
        scm.ask(
            "PATCH", CUSTOMER_URL, json={"CreditLimit": 2}, headers={"If-Match": old}
        ).status_code
        == 412
    )
    assert scm.ask("DELETE", CUSTOMER_URL, headers={"If-Match": old}).status_code == 412
    assert scm.get(CUSTOMER_URL)["CreditLimit"] == 1.0
    assert (
        scm.ask(
            "PATCH", CUSTOMER_URL, json={"CreditLimit": 2}, headers={"If-Match": "*"}
        ).status_code
        == 204
    )


def test_an_update_is_checked_like_an_insert(scm: Caller) -> None:
    scm.post("/data/CustomersV2", PERSON)
    assert "'Customer group' is not found" in inner(
        scm.ask("PATCH", CUSTOMER_URL, json={"CustomerGroupId": "XX"})
    )
    assert "'Currency' must be filled in" in inner(
        scm.ask("PATCH", CUSTOMER_URL, json={"SalesCurrencyCode": None})
    )
    assert "cannot be changed" in inner(
        scm.ask("PATCH", CUSTOMER_URL, json={"PartyNumber": "OTHER"})
    )
    assert "cannot be changed" in inner(
        scm.ask("PATCH", CUSTOMER_URL, json={"CustomerAccount": "OTHER"})
    )
    assert "'Country/region' must be filled in" in inner(
        scm.ask("PATCH", CUSTOMER_URL, json={"AddressCountryRegionISOCode": ""})
    )
    assert scm.get(CUSTOMER_URL)["AddressCountryRegionId"] == "USA"


def test_a_new_iso_code_brings_its_country(scm: Caller) -> None:
    scm.post("/data/CustomersV2", PERSON)
    assert (
        scm.ask(
            "PATCH", CUSTOMER_URL, json={"AddressCountryRegionISOCode": "DE", "AddressState": "BY"}
        ).status_code
        == 204
    )
    row = scm.get(CUSTOMER_URL)
    assert (row["AddressCountryRegionId"], row["AddressCountryRegionISOCode"]) == ("DEU", "DE")


def test_without_the_switch_an_iso_code_alone_is_not_enough() -> None:
    with Caller(Switches(country_from_iso=False)) as scm:
        assert "'Country/region' must be filled in" in refusal(scm, "/data/CustomersV2", PERSON)
        assert (
            scm.post("/data/CustomersV2", PERSON | {"AddressCountryRegionId": "USA"}).status_code
            == 201
        )


def test_cities_can_be_demanded_to_be_set_up() -> None:
    with Caller(Switches(address_checks=frozenset({"City"}))) as scm:
        assert "The value 'Rome' in field 'City' is not found" in refusal(
            scm, "/data/CustomersV2", PERSON | {"AddressCity": "Rome"}
        )
        scm.twin.store.add_setup("city usa", "Rome")
        assert (
            scm.post(
                "/data/CustomersV2", PERSON | {"AddressCity": "Rome", "AddressState": "XX"}
            ).status_code
            == 201
        )


def test_a_patch_of_a_missing_key_is_400_or_an_insert(scm: Caller) -> None:
    missing = "No resources were found when selecting for update."
    assert inner(scm.ask("PATCH", CUSTOMER_URL, json={})) == missing
    with Caller(Switches(patch_missing="insert")) as other:
        body = {
            name: value
            for name, value in PERSON.items()
            if name not in ("dataAreaId", "CustomerAccount")
        }
        assert (
            other.ask("PATCH", CUSTOMER_URL, json=body, headers={"If-Match": "*"}).status_code
            == 400
        )
        assert other.ask("PATCH", CUSTOMER_URL, json=body).status_code == 201


def test_a_collection_cannot_be_patched(scm: Caller) -> None:
    assert "More than one resource" in inner(scm.ask("PATCH", "/data/CustomersV2", json={}))
    assert scm.ask("PUT", "/data/$metadata").status_code == 405
    assert scm.ask("POST", CUSTOMER_URL, json={}).status_code == 404


def test_other_companies_are_written_across_companies_only(scm: Caller) -> None:
    scm.post("/data/CustomersV2", PERSON | {"dataAreaId": "DEMF"})
    url = CUSTOMER_URL.replace("usmf", "demf")
    assert scm.ask("PATCH", url, json={"CreditLimit": 1}).status_code == 400
    assert scm.ask("PATCH", f"{url}?cross-company=true", json={"CreditLimit": 1}).status_code == 204
    assert scm.ask("DELETE", f"{url}?cross-company=true").status_code == 204
    assert scm.ask("GET", f"{url}?cross-company=true").status_code == 404


def test_reference_data_in_use_stay(scm: Caller) -> None:
    scm.post("/data/CustomersV2", PERSON)
    url = "/data/CustomerGroups(dataAreaId='usmf',CustomerGroupId='10')"
    assert "Delete failed for table row of type 'CustCustomerGroupEntity'" in inner(
        scm.ask("DELETE", url)
    )
    assert scm.ask("DELETE", CUSTOMER_URL).status_code == 204
    assert scm.ask("DELETE", url).status_code == 204
    assert "'Customer group' is not found" in refusal(scm, "/data/CustomersV2", PERSON)


def test_new_reference_data_count_at_once(scm: Caller) -> None:
    scm.post("/data/CustomersV2", COMPANY)
    assert (
        scm.post(
            "/data/CustomerGroups", {"dataAreaId": "usmf", "CustomerGroupId": "YY"}
        ).status_code
        == 201
    )
    assert scm.post(
        "/data/CustomersV2",
        PERSON | {"CustomerAccount": "Y", "PartyNumber": "Y", "CustomerGroupId": "yy"},
    ).is_success
    assert "'XX'" in refusal(scm, "/data/CustomersV2", PERSON | {"CustomerGroupId": "XX"})
    assert (
        scm.post(
            "/data/CustomerGroups", {"dataAreaId": "usmf", "CustomerGroupId": "XX"}
        ).status_code
        == 201
    )
    assert scm.post("/data/CustomersV2", PERSON | {"CustomerGroupId": "xx"}).status_code == 201


def test_what_is_read_only_is_not_written(scm: Caller) -> None:
    assert "read-only" in refusal(scm, "/data/LegalEntities", {"LegalEntityId": "abcd"})


def test_customers_that_were_there_before_are_taken_as_they_are(scm: Caller) -> None:
    rows = [
        {
            "CUSTOMERACCOUNT": "A-1",
            "PARTYNUMBER": "A-1",
            "ORGANIZATIONNAME": "Litware",
            "DATAAREAID": "USMF",
            "CUSTOMERGROUPID": "?",
        },
        {
            "CustomerAccount": "P-1",
            "PersonLastName": "Poe",
            "dataAreaId": "demf",
            "CreditLimit": "1000.5",
            "Unknown": "x",
        },
        {
            "CUSTOMERACCOUNT": "a-1",
            "PARTYNUMBER": "A-2",
            "ORGANIZATIONNAME": "Twice",
            "DATAAREAID": "usmf",
            "CREDITLIMIT": "much",
        },
    ]
    assert seed.add_customers(scm.twin.desk, rows) == 3
    first, second = scm.get("/data/CustomersV2?cross-company=true")["value"]
    assert (first["dataAreaId"], first["PartyType"], first["CustomerGroupId"]) == (
        "usmf",
        "Organization",
        "?",
    )
    assert (second["PartyType"], second["CreditLimit"]) == ("Person", 1000.5)
    assert scm.get(f"/data/CDSParties('{second['PartyNumber']}')")["PersonLastName"] == "Poe"
    assert (
        scm.post("/data/CDSContactPersons", CONTACT | {"AssociatedPartyNumber": "A-1"}).status_code
        == 201
    )


# batches


def part(method: str, url: str, body: str, number: int) -> str:
    head = (
        "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: "
        f"{number}\r\n\r\n"
    )
    return f"{head}{method} {url} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}\r\n"


def changeset(*parts: str) -> str:
    inside = "".join(f"--c\r\n{one}" for one in parts)
    return f"Content-Type: multipart/mixed; boundary=c\r\n\r\n{inside}--c--\r\n"


def batched(scm: Caller, *parts: str, prefer: str = "") -> list[tuple[int, bytes]]:
    """Status and body of each part of the answer, changesets flattened."""
    body = "".join(f"--b\r\n{one}" for one in parts) + "--b--\r\n"
    headers = {"Content-Type": "multipart/mixed; boundary=b", "Prefer": prefer}
    response = scm.ask("POST", "/data/$batch", content=body, headers=headers)
    assert response.status_code == 200, response.text
    return answers(response.headers["content-type"], response.content)


def answers(content_type: str, body: bytes) -> list[tuple[int, bytes]]:
    found = []
    boundary = content_type.partition("boundary=")[2].encode()
    for piece in body.split(b"--" + boundary)[1:-1]:
        head, _, rest = piece.strip(b"\r\n").partition(b"\r\n\r\n")
        first = head.split(b"\r\n")[0]
        if b"multipart/mixed" in first:
            found += answers(first.decode(), rest + b"\r\n")
        else:
            status, _, content = rest.partition(b"\r\n\r\n")
            found.append((int(status.split()[1]), content))
    return found


def customer(number: int, **change: str) -> str:
    row = PERSON | {"CustomerAccount": f"C-{number}", "PartyNumber": f"C-{number}"} | change
    return json.dumps(row)


def test_one_changeset_for_each_row_lets_bad_rows_fail_alone(scm: Caller) -> None:
    rows = [customer(1), customer(2, CustomerGroupId="XX"), customer(3)]
    parts = [
        changeset(part("POST", f"{ROOT}/data/CustomersV2", row, at)) for at, row in enumerate(rows)
    ]
    found = batched(scm, *parts, prefer="odata.continue-on-error")
    assert [status for status, _ in found] == [201, 500, 201]
    assert b"'Customer group' is not found" in found[1][1]
    assert len(scm.get("/data/CustomersV2")["value"]) == 2


def test_without_being_asked_a_batch_stops_at_the_first_failure(scm: Caller) -> None:
    rows = [customer(1, CustomerGroupId="XX"), customer(2)]
    parts = [changeset(part("POST", "/data/CustomersV2", row, at)) for at, row in enumerate(rows)]
    assert [status for status, _ in batched(scm, *parts)] == [500]
    with Caller(Switches(batch_goes_on=True)) as other:
        assert [status for status, _ in batched(other, *parts)] == [500, 201]


def test_a_changeset_undoes_itself_parties_included(scm: Caller) -> None:
    rows = [
        part("POST", "CustomersV2", customer(1), 1),
        part("POST", "CustomersV2", customer(2, SiteId="99"), 2),
    ]
    found = batched(scm, changeset(*rows))
    assert [status for status, _ in found] == [500]
    assert scm.get("/data/CustomersV2")["value"] == []
    assert scm.get("/data/CDSParties")["value"] == []


def test_batches_read_update_and_refer_to_what_they_made(scm: Caller) -> None:
    found = batched(
        scm,
        changeset(
            part("POST", "CustomersV2", customer(1), 1),
            part("PATCH", "$1", '{"CreditLimit": 7}', 2),
        ),
        (
            "Content-Type: application/http\r\n\r\nGET CustomersV2?$select=CreditLimit "
            "HTTP/1.1\r\n\r\n\r\n"
        ),
    )
    assert [status for status, _ in found] == [201, 204, 200]
    assert b'"CreditLimit":7.0' in found[2][1]


def test_a_batch_that_is_none_is_400(scm: Caller) -> None:
    response = scm.ask(
        "POST", "/data/$batch", content=b"{}", headers={"Content-Type": "application/json"}
    )
    assert "multipart/mixed" in inner(response)


def test_the_one_part_of_a_failed_changeset_stays_inside_a_changeset(scm: Caller) -> None:
    body = (
        "--b\r\n"
        + changeset(part("POST", "CustomersV2", customer(1, SiteId="99"), 1))
        + "--b--\r\n"
    )
    response = scm.ask(
        "POST",
        "/data/$batch",
        content=body,
        headers={"Content-Type": "multipart/mixed; boundary=b"},
    )
    assert response.content.count(b"--changesetresponse_") == 2
    assert b"Content-ID: 1\r\n\r\nHTTP/1.1 500 Internal Server Error\r\n" in response.content


def test_the_answer_of_a_batch_is_itself_a_batch_of_parts(scm: Caller) -> None:
    body = "--b\r\n" + part("GET", "Currencies?$top=1", "", 5) + "--b--\r\n"
    response = scm.ask(
        "POST",
        "/data/$batch",
        content=body,
        headers={"Content-Type": "multipart/mixed; boundary=b"},
    )
    assert b"Content-ID: 5" in response.content
    assert response.headers["content-type"].startswith("multipart/mixed; boundary=batchresponse_")


# languages, causes, numbers


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Warnung: Das Feld 'Customer group' muss ausgefüllt werden."),
        ("pt-br", "Aviso: O campo 'Customer group' deve ser preenchido."),
    ],
)
def test_messages_are_in_the_language_of_the_user(language: Any, text: str) -> None:
    with Caller(Switches(language=language)) as other:
        assert text in refusal(other, "/data/CustomersV2", PERSON | {"CustomerGroupId": ""})


def test_a_cause_may_be_a_level_deeper() -> None:
    with Caller(Switches(nested_cause=True)) as other:
        body = other.post("/data/CustomersV2", PERSON | {"CustomerGroupId": ""}).json()
    thrown = body["error"]["innererror"]
    assert thrown["message"] == "Exception has been thrown by the target of an invocation."
    assert "'Customer group' must be filled in" in thrown["internalexception"]["message"]


def test_numbers_from_outside_need_a_sequence_that_allows_them() -> None:
    with Caller(Switches(manual_numbers=False)) as other:
        assert "'Cust_usmf' does not allow manual numbering" in refusal(
            other, "/data/CustomersV2", PERSON
        )
        (bound,) = other.get(
            "/data/NumberSequencesV2References?$filter=DataTypeName eq 'CustAccount' and "
            "ScopeValue eq 'demf'"
        )["value"]
        (sequence,) = other.get(
            f"/data/SequenceV2Tables?$filter=NumberSequenceCode eq '{bound['NumberSequenceCode']}'"
        )["value"]
        assert (sequence["Manual"], sequence["Format"]) == ("No", "#########")


def test_a_customer_has_the_number_of_the_prospect_of_its_party(scm: Caller) -> None:
    prospect = {"dataAreaId": "usmf", "ProspectId": "P-7", "PartyNumber": PERSON["PartyNumber"]}
    assert scm.post("/data/Prospects", prospect).status_code == 201
    assert "with same party number as prospect 'P-7'" in refusal(scm, "/data/CustomersV2", PERSON)
    assert scm.post("/data/CustomersV2", PERSON | {"CustomerAccount": "P-7"}).status_code == 201
