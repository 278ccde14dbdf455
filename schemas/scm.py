"""The SCM (Finance and Operations) entities that p2c fills: reference 4.1 to 4.6."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import Final

import pycountry

from schemas.catalogue import NO_YES, Column, ColumnKind, Entity, Field, OnTooLong, Table, Type
from schemas.marks import MARKS

ENUMS: Final = MappingProxyType(
    {
        "NoYes": NO_YES,
        "Gender": ("Unknown", "Male", "Female", "NonSpecific"),
        "DirPersonMaritalStatus": ("None", "Single", "Married", "Divorced", "Widowhood"),
        "MonthsOfYear": (
            "None",
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ),
        "CustVendorBlocked": (
            "No",
            "Invoice",
            "All",
            "Payment",
            "Requisition",
            "Never",
            "PurchOrder",
        ),
    }
)
"""Enum members in the order of their values (reference 4.4)."""

_PARTY_TYPES: Final = ("Person", "Organization")
_TRUNCATE: Final = OnTooLong.TRUNCATE


def _text(
    name: str, length: int | None = None, on_too_long: OnTooLong = OnTooLong.REJECT
) -> Column:
    return Column(name=name, length=length, on_too_long=on_too_long)


def _must(name: str, length: int, *members: str) -> Column:
    return Column(name=name, length=length, mandatory=True, members=members)


def _key(name: str, length: int) -> Column:
    return Column(name=name, length=length, mandatory=True, key=True)


def _enum(name: str, enum: str) -> Column:
    return Column(name=name, kind=ColumnKind.ENUM, members=ENUMS[enum])


def _int(name: str) -> Column:
    return Column(name=name, kind=ColumnKind.INTEGER)


def _time(name: str) -> Column:
    return Column(name=name, kind=ColumnKind.TIMESTAMP)


CDS_CONTACTS: Final = Entity(
    name="CDS Contacts",
    labels=("CDS Contacts", "Dataverse Contacts"),
    odata_set="CDSContactPersons",
    aot_name=None,
    person_name=("FirstName", "MiddleName", "LastName"),
    columns=(
        _key("ContactPersonPartyNumber", 40),
        _key("AssociatedPartyNumber", 40),
        Column(name="ContactPersonPartyType", length=20, members=_PARTY_TYPES),
        _text("FirstName", 25),
        _text("MiddleName", 25),
        _text("LastName", 25),
        _text("EmploymentDepartment", 50, _TRUNCATE),
        _text("EmploymentProfession", 30, _TRUNCATE),
        _text("GovernmentIdentificationNumber", 50),
        _text("Notes", None, _TRUNCATE),
        _text("SpouseName", 120),
        _text("DecisionMakingRoleCode", 20),
        _text("ContactPersonResponsiblePersonnelNumber", 25),
        _text("PrimaryAddressDescription", 120, _TRUNCATE),
        _text("PrimaryAddressStreet", 250),
        _text("PrimaryAddressStreetNumber", 20),
        _text("PrimaryAddressCity", 60, _TRUNCATE),
        _text("PrimaryAddressCountyId", 30),
        _text("PrimaryAddressStateId", 10),
        _text("PrimaryAddressZipCode", 10),
        _text("PrimaryAddressCountryRegionId", 10),
        _text("PrimaryAddressCountryRegionISOCode", 2),
        _text("PrimaryAddressLocationRoles"),
        _text("PrimaryEmailAddress", 255),
        _text("PrimaryPhoneNumber", 255),
        _text("PrimaryFaxNumber", 255),
        _text("PrimaryURL", 255),
        _text("PrimaryFacebook", 255),
        _text("PrimaryTwitter", 255),
        _text("PrimaryLinkedIn", 255),
        _enum("Gender", "Gender"),
        _enum("MaritalStatus", "DirPersonMaritalStatus"),
        _enum("BirthMonth", "MonthsOfYear"),
        _enum("IsInactive", "NoYes"),
        _enum("IsReceivingDirectMail", "NoYes"),
        _enum("IsContactPersonExternallyMaintained", "NoYes"),
        _int("BirthDay"),
        _int("BirthYear"),
    ),
)
"""One row is one contact person of one company (reference 4.2); ``dataAreaId`` is the package's
legal entity."""


def _postal(prefix: str) -> tuple[Column, ...]:
    return (
        _text(f"{prefix}Description", 120, _TRUNCATE),
        _text(f"{prefix}Street", 250),
        _text(f"{prefix}City", 60, _TRUNCATE),
        _text(f"{prefix}County", 30),
        _text(f"{prefix}DistrictName", 60),
        _text(f"{prefix}State", 10),
        _text(f"{prefix}ZipCode", 10),
        _text(f"{prefix}CountryRegionId", 10),
        _text(f"{prefix}CountryRegionISOCode", 2),
    )


def _electronic(what: str) -> tuple[Column, ...]:
    return (
        _text(f"PrimaryContact{what}", 255),
        _text(f"PrimaryContact{what}Description", 120),
        _text(f"PrimaryContact{what}Purpose"),
    )


CUSTOMERS_V2: Final = Entity(
    name="Customers V2",
    labels=("Customers V2",),
    odata_set="CustomersV2",
    aot_name="CustCustomerV2Entity",
    person_name=("PersonFirstName", "PersonMiddleName", "PersonLastName"),
    needs=MappingProxyType({"AddressDescription": "AddressCountryRegionISOCode"}),
    columns=(
        _key("CustomerAccount", 20),
        _must("CustomerGroupId", 10),
        _must("SalesCurrencyCode", 3),
        _must("PartyType", 20, *_PARTY_TYPES),
        _text("PartyNumber", 40),
        _text("OrganizationName", 100),
        _text("NameAlias", 20),
        _text("KnownAs", 100),
        _text("PersonFirstName", 25),
        _text("PersonMiddleName", 25),
        _text("PersonLastName", 25),
        _text("PersonLastNamePrefix", 25),
        _text("PersonInitials", 10),
        _text("PersonProfessionalTitle", 30),
        _text("PersonProfessionalSuffix", 30),
        _text("LanguageId", 7),
        _text("SalesMemo", None, _TRUNCATE),
        _text("SiteId", 10),
        _text("WarehouseId", 10),
        *_postal("Address"),
        _text("AddressLocationRoles"),
        *_postal("DeliveryAddress"),
        *_postal("InvoiceAddress"),
        *_electronic("Email"),
        *_electronic("Phone"),
        *_electronic("Fax"),
        *_electronic("URL"),
        _text("PrimaryContactPhoneExtension", 10),
        _text("PrimaryContactFaxExtension", 10),
        _text("ContactPersonId", 20),
        _text("InvoiceAccount", 20),
        _text("PaymentTerms", 10),
        _text("PaymentMethod", 10),
        _text("DeliveryTerms", 10),
        _text("DeliveryMode", 10),
        _text("SalesTaxGroup", 10),
        _text("CreditRating", 10),
        _text("VendorAccount", 20),
        _text("IdentificationNumber", 50),
        _text("AddressBooks"),
        Column(name="CreditLimit", kind=ColumnKind.DECIMAL),
        _int("OrganizationNumberOfEmployees"),
        _enum("PersonGender", "Gender"),
        _enum("PersonMaritalStatus", "DirPersonMaritalStatus"),
        _enum("OnHoldStatus", "CustVendorBlocked"),
        _enum("IsExternallyMaintained", "NoYes"),
        _enum("IsOneTimeCustomer", "NoYes"),
        _enum("CreditLimitIsMandatory", "NoYes"),
        _enum("PrimaryContactPhoneIsMobile", "NoYes"),
        _enum("PrimaryContactEmailIsIM", "NoYes"),
        _time("AddressValidFrom"),
        _time("AddressValidTo"),
    ),
)
"""One row is one customer of one legal entity (reference 4.3, 4.5)."""

ENTITIES: Final = MappingProxyType({entity.name: entity for entity in (CDS_CONTACTS, CUSTOMERS_V2)})
"""Destination entities by their name in Data management."""

CUSTOMERS_EXPORT: Final = Table(
    name="known_customers",
    singular="known_customer",
    key="CustomerAccount",
    fields=(
        Field(name="CustomerAccount", names=("customer account", "accountnum")),
        Field(name="PartyNumber", names=("party number", "partyid")),
        Field(name="dataAreaId", names=("company", "legalentityid", "legal entity")),
        Field(name="versionnumber", type=Type.INTEGER),
        *MARKS,
    ),
    required=(("CustomerAccount",), ("PartyNumber",)),
)
"""A *Customers V2* export, as far as it says which accounts and keys SCM has.

Links and replicas of SCM keep customers that are deleted there, and mark them.
"""


@cache
def _load_currencies() -> frozenset[str]:
    return frozenset(one.alpha_3 for one in pycountry.currencies)


def is_currency(code: str) -> bool:
    """Whether ISO 4217 has a currency of this code today."""
    return code in _load_currencies()
