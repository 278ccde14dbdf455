"""The Sales (Dataverse) tables that p2c reads: reference 2, 3.1 to 3.4.

``names`` holds the spellings of the Web API (``_x_value``), of exports and of Synapse Link. A
lookup's type arrives in a column next to it. Required columns: DESIGN 4.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import pandera.polars as pa
import polars as pl

from schemas.catalogue import Field, Table, Type
from schemas.marks import MARKS
from schemas.values import LOOKUP_TYPES

LOOKUP_TYPE: Final = "@Microsoft.Dynamics.CRM.lookuplogicalname"
USUAL_NUMBER: Final = "CON-[0-9]{5,9}-[A-Z0-9]{4,6}"
"""Contact numbers as the upgrade script makes them: at most 20 characters, none of them forbidden
in SCM."""
EXAMPLE_NUMBER: Final = "CON-01000-BVRCPS"
"""One of them."""

CORRECTED_VERSION: Final = 9_000_000_000_000_000_000
"""A corrected row carries this versionnumber or a higher one: it is newer than any other row."""

_VERSIONING: Final = (
    Field(name="versionnumber", type=Type.INTEGER, label="Version Number"),
    Field(name="createdon", type=Type.TIMESTAMP, label="Created On", better=("createdonutc",)),
    Field(
        name="modifiedon",
        type=Type.TIMESTAMP,
        label="Modified On",
        names=("(do not modify) modified on",),
        better=("modifiedonutc",),
    ),
    *MARKS,
)


_READ_AS: Final = MappingProxyType(
    {
        Type.GUID: pl.String(),
        Type.TEXT: pl.String(),
        Type.CHOICE: pl.Int32(),
        Type.TWO_OPTIONS: pl.Boolean(),
        Type.DECIMAL: pl.Decimal(38, 10),
        Type.INTEGER: pl.Int64(),
        Type.TIMESTAMP: pl.Datetime("us", "UTC"),
    }
)


def make_sales_contract(table: Table) -> pa.DataFrameSchema:
    """A source table as it is read: every column of the catalogue with its type.

    What cannot be read is null, and a finding.
    """
    types = list_read_types(table)
    columns = {name: pa.Column(one, nullable=True) for name, one in types.items()}
    return pa.DataFrameSchema(columns, name=table.name)


def list_read_types(table: Table) -> pl.Schema:
    """The columns of a source table as it is read, with their types."""
    return pl.Schema({field.name: _READ_AS[field.type] for field in table.fields})


def _key(name: str, label: str = "", *names: str) -> Field:
    """A table's own id.

    Links write it as ``Id``, too, and their deletion rows have nothing else: it counts where the
    key itself is blank.
    """
    return Field(name=name, type=Type.GUID, label=label, names=(*names, "id"))


def _lookup(name: str, label: str = "") -> Field:
    """A lookup's id.

    Bodies of requests bind it by an address; that is no id, and must not be taken for a blank.
    """
    bound = (f"{name}@odata.bind", *(f"{name}_{one}@odata.bind" for one in ("account", "contact")))
    return Field(name=name, type=Type.GUID, label=label, names=(f"_{name}_value", *bound))


def _lookup_type(name: str) -> Field:
    return Field(
        name=f"{name}type",
        names=(
            f"_{name}_value{LOOKUP_TYPE}",
            f"{name}{LOOKUP_TYPE}",
            f"{name}_entitytype",
            f"{name}_type",
        ),
        alike=LOOKUP_TYPES,
    )


def _text(name: str, label: str = "") -> Field:
    return Field(name=name, label=label)


def _flag(name: str, label: str = "") -> Field:
    return Field(name=name, type=Type.TWO_OPTIONS, label=label)


def _do_not(name: str, label: str) -> Field:
    """A flag whose Yes forbids something."""
    options = MappingProxyType({0: "Allow", 1: "Do Not Allow"})
    return Field(name=name, type=Type.TWO_OPTIONS, label=label, options=options)


def _choice(name: str, label: str, **options: int) -> Field:
    members = {value: text.replace("_", " ") for text, value in options.items()}
    return Field(name=name, type=Type.CHOICE, label=label, options=MappingProxyType(members))


def _address(number: int) -> tuple[Field, ...]:
    parts = {
        "name": "Name",
        "line1": "Street 1",
        "line2": "Street 2",
        "line3": "Street 3",
        "city": "City",
        "stateorprovince": "State/Province",
        "county": "County",
        "country": "Country/Region",
        "postalcode": "ZIP/Postal Code",
        "postofficebox": "Post Office Box",
    }
    return tuple(
        _text(f"address{number}_{part}", f"Address {number}: {label}")
        for part, label in parts.items()
    )


CONTACTS: Final = Table(
    name="contacts",
    singular="contact",
    key="contactid",
    fields=(
        _key("contactid", "Contact", "(do not modify) contact"),
        _text("msdynce_contactnumber", "Contact Number"),
        _flag("msdynce_isactivecustomer", "Is Active Customer"),
        _flag("msdynce_iscompanyanaccount", "Is Company An Account"),
        _lookup("parentcustomerid", "Company Name"),
        _lookup_type("parentcustomerid"),
        Field(
            name="parentcustomerid.accountnumber",
            label="Account Number (Company Name) (Account)",
            names=(
                "parentcustomerid_account.accountnumber",
                "parentcustomerid_account/accountnumber",
            ),
        ),
        _text("firstname", "First Name"),
        _text("middlename", "Middle Name"),
        _text("lastname", "Last Name"),
        _text("fullname", "Full Name"),
        _text("salutation", "Salutation"),
        _text("suffix", "Suffix"),
        _text("nickname", "Nickname"),
        _text("jobtitle", "Job Title"),
        _text("department", "Department"),
        _text("emailaddress1", "Email"),
        _text("emailaddress2", "Email Address 2"),
        _text("emailaddress3", "Email Address 3"),
        _text("telephone1", "Business Phone"),
        _text("telephone2", "Home Phone"),
        _text("telephone3", "Telephone 3"),
        _text("mobilephone", "Mobile Phone"),
        _text("fax", "Fax"),
        _text("websiteurl", "Website"),
        _text("governmentid", "Government"),
        _text("employeeid", "Employee"),
        _text("externaluseridentifier", "External User Identifier"),
        _text("spousesname", "Spouse/Partner Name"),
        _text("assistantname", "Assistant"),
        _text("managername", "Manager"),
        _text("description", "Description"),
        _choice("gendercode", "Gender", Male=1, Female=2),
        _choice("familystatuscode", "Marital Status", Single=1, Married=2, Divorced=3, Widowed=4),
        _choice(
            "preferredcontactmethodcode",
            "Preferred Method of Contact",
            Any=1,
            Email=2,
            Phone=3,
            Fax=4,
            Mail=5,
        ),
        _choice("accountrolecode", "Role", Decision_Maker=1, Employee=2, Influencer=3),
        Field(name="birthdate", type=Type.TIMESTAMP, label="Birthday"),
        _do_not("donotemail", "Do not allow Emails"),
        _do_not("donotphone", "Do not allow Phone Calls"),
        _do_not("donotfax", "Do not allow Faxes"),
        _do_not("donotpostalmail", "Do not allow Mails"),
        _do_not("donotbulkemail", "Do not allow Bulk Emails"),
        Field(name="creditlimit", type=Type.DECIMAL, label="Credit Limit"),
        _flag("creditonhold", "Credit Hold"),
        _lookup("transactioncurrencyid", "Currency"),
        Field(name="transactioncurrencyid.isocurrencycode", label="Currency (Currency Code)"),
        _lookup("masterid", "Master ID"),
        _flag("merged", "Merged"),
        _choice("statecode", "Status", Active=0, Inactive=1),
        _choice("statuscode", "Status Reason", Active=1, Inactive=2),
        _lookup("ownerid", "Owner"),
        Field(
            name="owningbusinessunit",
            label="Owning Business Unit",
            names=("_owningbusinessunit_value",),
        ),
        *_address(1),
        *_address(2),
        *_VERSIONING,
        _choice("msft_datastate", "", Default=0, Retain=1),
    ),
    required=(
        ("contactid",),
        ("firstname", "middlename", "lastname"),
        ("msdynce_contactnumber",),
        ("msdynce_isactivecustomer",),
        ("parentcustomerid",),
    ),
)
"""One row is one contact (reference 3.1). ``owningbusinessunit`` is text: exports write the
unit's name there."""

OWN_COLUMNS: Final = frozenset(field.name for field in CONTACTS.fields if field not in MARKS)
"""Columns of contacts in Sales; the others are marks of replicas."""

ACCOUNTS: Final = Table(
    name="accounts",
    singular="account",
    key="accountid",
    fields=(
        _key("accountid", "Account", "(do not modify) account"),
        _text("accountnumber", "Account Number"),
        _text("name", "Account Name"),
        *_VERSIONING,
    ),
    required=(("accountid",), ("accountnumber",)),
)


def _activity(name: str, singular: str, number: str, *states: str) -> Table:
    """A table of documents; its ``states`` are numbered from 0."""
    return Table(
        name=name,
        singular=singular,
        key=f"{singular}id",
        fields=(
            _key(f"{singular}id", "", f"(do not modify) {name.removeprefix('sales')[:-1]}"),
            _lookup("customerid", "Potential Customer" if singular == "quote" else "Customer"),
            _lookup_type("customerid"),
            _text(number),
            _choice("statecode", "Status", **dict(zip(states, range(len(states)), strict=True))),
            *_VERSIONING,
        ),
        required=(("customerid",),),
    )


QUOTES: Final = _activity("quotes", "quote", "quotenumber", "Draft", "Active", "Won", "Closed")
SALESORDERS: Final = _activity(
    "salesorders", "salesorder", "ordernumber",
    "Active", "Submitted", "Canceled", "Fulfilled", "Invoiced",
)  # fmt: skip
INVOICES: Final = _activity(
    "invoices", "invoice", "invoicenumber", "Active", "Closed", "Paid", "Canceled"
)

TRANSACTIONCURRENCIES: Final = Table(
    name="transactioncurrencies",
    singular="transactioncurrency",
    key="transactioncurrencyid",
    fields=(
        _key("transactioncurrencyid", "Currency", "(do not modify) currency"),
        _text("isocurrencycode", "Currency Code"),
        _text("currencyname", "Currency Name"),
        _text("currencysymbol", "Currency Symbol"),
        *_VERSIONING,
    ),
    required=(("transactioncurrencyid",), ("isocurrencycode",)),
)

BUSINESSUNITS: Final = Table(
    name="businessunits",
    singular="businessunit",
    key="businessunitid",
    fields=(
        _key("businessunitid", "Business Unit", "(do not modify) business unit"),
        _text("name", "Name"),
        *_VERSIONING,
    ),
    required=(("businessunitid",), ("name",)),
)

P2CAUTONUMBERS: Final = Table(
    name="msdynce_p2cautonumbers",
    singular="msdynce_p2cautonumber",
    key="msdynce_p2cautonumberid",
    fields=(
        _key("msdynce_p2cautonumberid"),
        _text("msdynce_entityname"),
        _text("msdynce_prefix"),
        Field(name="msdynce_numbersequence", type=Type.INTEGER),
        Field(name="msdynce_suffixlength", type=Type.INTEGER),
        *_VERSIONING,
    ),
    required=(("msdynce_entityname",), ("msdynce_prefix",), ("msdynce_numbersequence",)),
)

DIGITS: Final = frozenset(
    {
        "telephone1", "telephone2", "telephone3", "mobilephone", "fax",
        "address1_postalcode", "address2_postalcode", "address1_postofficebox",
        "address2_postofficebox", "governmentid", "employeeid", "externaluseridentifier",
        "msdynce_contactnumber", "accountnumber", "parentcustomerid.accountnumber",
        "quotenumber", "ordernumber", "invoicenumber",
    }
)  # fmt: skip
"""Columns of text that may hold nothing but digits. Where one has blanks, data frames make
fractions of them: ``1067.0``."""

TABLES: Final = MappingProxyType(
    {
        table.name: table
        for table in (
            CONTACTS,
            ACCOUNTS,
            QUOTES,
            SALESORDERS,
            INVOICES,
            TRANSACTIONCURRENCIES,
            BUSINESSUNITS,
            P2CAUTONUMBERS,
        )
    }
)
"""All source tables by name: reference 2 and 3, DESIGN 4."""
