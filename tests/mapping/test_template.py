"""The shipped templates, held row by row against the mapping pages of Data Integrator.

These are screenshots of Microsoft's docs.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.mapping.check import find_problems
from pipeline.mapping.template import SHIPPED, Template, load_shipped
from pipeline.project.resolve import load_project
from pipeline.show.templates import (
    choose_symbol,
    list_template_rows,
    render_template,
    render_templates,
)
from schemas.scm import ENTITIES

COMPANY = "parentcustomerid.Account(accountnumber).Contact(msdynce_contactnumber)"
CURRENCY = "transactioncurrencyid.isocurrencycode"

CONTACTS = """
 1  department                = EmploymentDepartment
 2  description               = Notes
 3  emailaddress1             = PrimaryEmailAddress
 4  gendercode               Fn Gender
 5  governmentid              = GovernmentIdentificationNumber
 6  firstname                 = FirstName
 7  lastname                  = LastName
 8  msdynce_contactnumber     = ContactPersonPartyNumber
 9  address1_city             = PrimaryAddressCity
10  address1_country         Fn PrimaryAddressCountryRegionISOCode
11  middlename                = MiddleName
12  address1_line1            = PrimaryAddressStreet
13  None                     Fn ContactPersonPartyType
14  telephone1                = PrimaryPhoneNumber
15  address1_postalcode       = PrimaryAddressZipCode
16  address1_stateorprovince  = PrimaryAddressStateId
17  websiteurl                = PrimaryURL
18  familystatuscode         Fn MaritalStatus
19  donotemail               Fn IsReceivingDirectMail
20  jobtitle                  = EmploymentProfession
21  statecode                Fn IsInactive
22  parentcustomerid.Account(accountnumber).Contact(msdynce_contactnumber) = AssociatedPartyNumber
23  None                     Fn IsContactPersonExternallyMaintained
"""
"""As on screen: number, source, map, destination."""

CUSTOMERS = """
 1  firstname                 = PERSONFIRSTNAME
 2  middlename                = PERSONMIDDLENAME
 3  lastname                  = PERSONLASTNAME
 4  creditlimit               = CREDITLIMIT
 5  None                     Fn CUSTOMERGROUPID
 6  fax                       = PRIMARYCONTACTFAX
 7  transactioncurrencyid.isocurrencycode Fn SALESCURRENCYCODE
 8  msdynce_contactnumber     = CUSTOMERACCOUNT
 9  address1_city             = ADDRESSCITY
10  address1_country         Fn ADDRESSCOUNTRYREGIONISOCODE
11  description               = SALESMEMO
12  emailaddress1             = PRIMARYCONTACTEMAIL
13  address1_line1            = ADDRESSSTREET
14  None                     Fn PARTYTYPE
15  telephone1                = PRIMARYCONTACTPHONE
16  address1_postalcode       = ADDRESSZIPCODE
17  address1_stateorprovince  = ADDRESSSTATE
18  websiteurl                = PRIMARYCONTACTURL
19  fullname                  = ADDRESSDESCRIPTION
20  None                     Fn LANGUAGEID
21  msdynce_contactnumber     = PARTYNUMBER
22  None                     Fn ISEXTERNALLYMAINTAINED
"""
"""The same; this page shows destination names in capitals."""

LABELS = {
    "department": "Department", "description": "Description", "emailaddress1": "Email",
    "gendercode": "Gender",
    "governmentid": "Government", "firstname": "First Name", "lastname": "Last Name",
    "msdynce_contactnumber": "Contact Number", "address1_line1": "Address 1: Street 1",
    "telephone1": "Business Phone",
    "familystatuscode": "Marital Status", "donotemail": "Do not allow Emails",
    "statecode": "Status",
    "fullname": "Full Name", CURRENCY: "Currency (Currency Code)",
}  # fmt: skip
"""Display labels that the pages show in brackets."""

VALUES = {
    ("Contacts", "Gender"): {"1": "Male", "2": "Female", "": "Unknown"},
    ("Contacts", "MaritalStatus"): {
        "1": "Single",
        "2": "Married",
        "3": "Divorced",
        "4": "Widowhood",
        "": "None",
    },
    ("Contacts", "IsReceivingDirectMail"): {"true": "No", "false": "Yes", "": "Yes"},
    ("Contacts", "IsInactive"): {"0": "No", "1": "Yes"},
}
"""What Microsoft does not publish and we ship: source value → SCM value."""

CONSTANTS = {
    ("Contacts", "ContactPersonPartyType"): "Person",
    ("Contacts", "IsContactPersonExternallyMaintained"): "Yes",
    ("ContactToCustomer", "CustomerGroupId"): "10",
    ("ContactToCustomer", "PartyType"): "Person",
    ("ContactToCustomer", "LanguageId"): "en-us",
    ("ContactToCustomer", "IsExternallyMaintained"): "Yes",
}
SETTINGS = {
    ("Contacts", "PrimaryAddressCountryRegionISOCode"): "destination.country",
    ("ContactToCustomer", "AddressCountryRegionISOCode"): "destination.country",
    ("ContactToCustomer", "SalesCurrencyCode"): "destination.currency",
}
BY_TASK = {one.task: one for one in map(load_shipped, SHIPPED)}


@pytest.mark.parametrize(
    ("task", "page", "rows"), [("Contacts", CONTACTS, 23), ("ContactToCustomer", CUSTOMERS, 22)]
)
def test_a_template_has_the_rows_of_the_mapping_page_in_its_order(
    task: str, page: str, rows: int
) -> None:
    template = BY_TASK[task]
    expected = [line.split() for line in page.strip().splitlines()]
    assert len(expected) == rows
    shown = [
        [str(number), row.row.source or "None", choose_symbol(row), row.destination]
        for number, row in enumerate(template.rows, start=1)
    ]
    assert [[*one[:3], one[3].casefold()] for one in shown] == [
        [*one[:3], one[3].casefold()] for one in expected
    ]


def test_the_templates_have_the_names_of_the_data_integrator() -> None:
    assert {(one.name, one.task, one.source, one.entity) for one in BY_TASK.values()} == {
        (
            "Contacts (Sales to Supply Chain Management) - Direct",
            "Contacts",
            "contacts",
            "CDS Contacts",
        ),
        (
            "Contacts to Customer (Sales to Supply Chain Management) - Direct",
            "ContactToCustomer",
            "contacts",
            "Customers V2",
        ),
    }


def test_labels_are_those_of_the_mapping_pages() -> None:
    items = [item for template in BY_TASK.values() for item in list_template_rows(template)]
    shown = {(item["source"], item["label"]) for item in items if item["source"] in LABELS}
    assert shown == {(source, f"{source} ({label})") for source, label in LABELS.items()}


def test_value_maps_constants_and_settings_are_the_stated_ones_and_no_others() -> None:
    rows = {
        (task, row.destination): row.row
        for task, template in BY_TASK.items()
        for row in template.rows
    }
    assert {
        key: dict(row.value_map) for key, row in rows.items() if row.value_map is not None
    } == VALUES
    assert {key: row.default for key, row in rows.items() if row.default is not None} == CONSTANTS
    assert {
        key: row.default_setting for key, row in rows.items() if row.default_setting is not None
    } == SETTINGS
    assert {key for key, row in rows.items() if row.country} == {
        key for key in SETTINGS if "Country" in key[1]
    }
    assert not any(row.state or row.max_length or row.on_too_long for row in rows.values())


@pytest.mark.parametrize("task", BY_TASK)
def test_a_shipped_template_has_no_problems(task: str) -> None:
    assert find_problems(BY_TASK[task]) == []


def test_mandatory_columns_are_those_of_the_two_entities() -> None:
    mandatory = {
        name: {one.name for one in entity.columns if one.mandatory}
        for name, entity in ENTITIES.items()
    }
    assert mandatory == {
        "CDS Contacts": {"ContactPersonPartyNumber", "AssociatedPartyNumber"},
        "Customers V2": {"CustomerAccount", "CustomerGroupId", "SalesCurrencyCode", "PartyType"},
    }


PROJECT = """
[tasks.ContactToCustomer.fields]
CustomerGroupId = { default = "20" }
LanguageId = { source = "address1_country", country = true, value_map = { DE = "de", DK = "da" } }
SalesMemo = { unmapped = true }
SalesCurrencyCode = { default = "USD" }

[tasks.ContactToCustomer.fields.SiteId]
source = "address1_country"
country = true
value_map = { DE = "2", DK = "3" }
default = "1"

[tasks.ContactToCustomer.fields.WarehouseId]
source = "address1_city"
value_map_file = "cities.csv"
on_unknown = "default"
default = "13"

[tasks.Contacts.fields]
Gender = { value_map_file = "genders.csv", on_unknown = "default", default = "Unknown" }
LastName = { on_too_long = "truncate", max_length = 50 }
PrimaryAddressStateId = { state = true }
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    folder = tmp_path_factory.mktemp("project")
    (folder / "cities.csv").write_text(
        "city,warehouse\n" + "".join(f"City {place},{place}\n" for place in range(300))
    )
    (folder / "genders.csv").write_text("gender,code\n1,Male\n2,Female\n9,NonSpecific\n")
    (folder / "p2c.toml").write_text(PROJECT)
    return dict(load_project(folder / "p2c.toml").templates)


def keys(template: Template, column: str) -> dict[str, object]:
    found = template.row(column)
    assert found is not None
    return found.row.model_dump(exclude_defaults=True, mode="json")


def test_a_project_changes_the_keys_that_it_names_and_no_others(
    project: dict[str, Template],
) -> None:
    customers = project["ContactToCustomer"]
    assert keys(customers, "CustomerGroupId") == {"default": "20"}
    assert keys(customers, "LanguageId") == {
        "source": "address1_country", "country": True, "value_map": {"DE": "de", "DK": "da"},
        "default": "en-us",
    }  # fmt: skip
    assert keys(project["Contacts"], "LastName") == {
        "source": "lastname",
        "on_too_long": "truncate",
        "max_length": 50,
    }
    assert keys(project["Contacts"], "FirstName") == {"source": "firstname"}


def test_a_key_puts_the_shipped_key_of_the_same_meaning_out_of_force(
    project: dict[str, Template],
) -> None:
    assert keys(project["ContactToCustomer"], "SalesCurrencyCode") == {
        "source": CURRENCY,
        "default": "USD",
    }
    assert keys(project["Contacts"], "Gender")["value_map"] == {
        "1": "Male",
        "2": "Female",
        "9": "NonSpecific",
    }


def test_a_changed_row_keeps_its_place_and_an_added_one_comes_last(
    project: dict[str, Template],
) -> None:
    before = [
        row.destination
        for row in BY_TASK["ContactToCustomer"].rows
        if row.destination != "SalesMemo"
    ]
    assert [row.destination for row in project["ContactToCustomer"].rows] == [
        *before,
        "SiteId",
        "WarehouseId",
    ]
    assert project["ContactToCustomer"].removed == ("SalesMemo",)
    assert {row.destination for row in project["ContactToCustomer"].rows if row.added} == {
        "SiteId",
        "WarehouseId",
    }


@pytest.mark.parametrize("task", BY_TASK)
def test_a_shipped_template_reads_like_the_mapping_page(
    task: str, golden: Callable[[str, str], None]
) -> None:
    golden(f"template-{task}.txt", render_template(BY_TASK[task], 160) + "\n")


@pytest.mark.parametrize("task", BY_TASK)
def test_what_the_project_changed_is_marked(
    task: str, project: dict[str, Template], golden: Callable[[str, str], None]
) -> None:
    golden(f"template-{task}-project.txt", render_template(project[task], 160) + "\n")


def test_the_list_of_templates_says_what_the_project_changed(project: dict[str, Template]) -> None:
    assert "22 rows  Sales.contacts → Customers V2" in render_templates(BY_TASK.values())
    assert (
        "23 rows, 6 of them changed by the project  Sales.contacts → Customers V2"
        in render_templates(project.values())
    )


def test_a_table_fits_a_narrow_terminal(project: dict[str, Template]) -> None:
    lines = render_template(project["ContactToCustomer"], 80).splitlines()[3:27]
    assert max(map(len, lines)) <= 80
