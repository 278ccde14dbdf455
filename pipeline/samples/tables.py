"""The columns of the sample tables, as an export of the Web API spells them, and their types."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

_LOOKUP_TYPE: Final = "@Microsoft.Dynamics.CRM.lookuplogicalname"
_TEXT, _FLAG, _CHOICE, _WHOLE, _MONEY, _TIME = (
    "VARCHAR",
    "BOOLEAN",
    "INTEGER",
    "BIGINT",
    "DECIMAL(19, 4)",
    "TIMESTAMPTZ",
)
_VERSIONING: Final = {"createdon": _TIME, "modifiedon": _TIME, "versionnumber": _WHOLE}
_STATUS: Final = {"statecode": _CHOICE, "statuscode": _CHOICE}


def _text(*columns: str) -> dict[str, str]:
    return dict.fromkeys(columns, _TEXT)


def _activity(singular: str, number: str) -> dict[str, str]:
    return {
        **_text(f"{singular}id", number, "_customerid_value", f"_customerid_value{_LOOKUP_TYPE}"),
        "totalamount": _MONEY,
        "_transactioncurrencyid_value": _TEXT,
        "statecode": _CHOICE,
        **_VERSIONING,
    }


COLUMNS: Final = MappingProxyType(
    {
        "contacts": {
            **_text("contactid", "msdynce_contactnumber"),
            "msdynce_isactivecustomer": _FLAG,
            "msdynce_iscompanyanaccount": _FLAG,
            **_text("_parentcustomerid_value", f"_parentcustomerid_value{_LOOKUP_TYPE}"),
            **_text(
                "firstname",
                "middlename",
                "lastname",
                "fullname",
                "jobtitle",
                "department",
                "emailaddress1",
            ),
            **_text("telephone1", "fax", "websiteurl", "governmentid", "description"),
            "gendercode": _CHOICE,
            "familystatuscode": _CHOICE,
            "donotemail": _FLAG,
            "creditlimit": _MONEY,
            **_text(
                "_transactioncurrencyid_value",
                "address1_line1",
                "address1_city",
                "address1_stateorprovince",
            ),
            **_text("address1_postalcode", "address1_country"),
            "merged": _FLAG,
            **_STATUS,
            "_owningbusinessunit_value": _TEXT,
            **_VERSIONING,
            "isdelete": _FLAG,
        },
        "accounts": {
            **_text(
                "accountid",
                "accountnumber",
                "name",
                "telephone1",
                "websiteurl",
                "address1_line1",
                "address1_city",
            ),
            **_text("address1_stateorprovince", "address1_postalcode", "address1_country"),
            "creditlimit": _MONEY,
            "_transactioncurrencyid_value": _TEXT,
            **_STATUS,
            "_owningbusinessunit_value": _TEXT,
            **_VERSIONING,
            "isdelete": _FLAG,
        },
        "quotes": _activity("quote", "quotenumber"),
        "salesorders": _activity("salesorder", "ordernumber"),
        "invoices": _activity("invoice", "invoicenumber"),
        "transactioncurrencies": {
            **_text("transactioncurrencyid", "isocurrencycode", "currencyname", "currencysymbol"),
            "exchangerate": _MONEY,
            "statecode": _CHOICE,
            "versionnumber": _WHOLE,
        },
        "businessunits": {
            **_text("businessunitid", "name", "_parentbusinessunitid_value"),
            "versionnumber": _WHOLE,
        },
        "msdynce_p2cautonumbers": {
            **_text(
                "msdynce_p2cautonumberid", "msdynce_name", "msdynce_entityname", "msdynce_prefix"
            ),
            "msdynce_numbersequence": _WHOLE,
            "msdynce_suffixlength": _WHOLE,
            "versionnumber": _WHOLE,
        },
    }
)
"""Table → column → DuckDB type. Lookups and ids are text in both forms, as exports have them."""

CUSTOMERS: Final = (
    "CUSTOMERACCOUNT", "PARTYNUMBER", "PARTYTYPE", "ORGANIZATIONNAME", "PERSONFIRSTNAME",
    "PERSONLASTNAME", "CUSTOMERGROUPID", "SALESCURRENCYCODE", "LANGUAGEID",
    "ISEXTERNALLYMAINTAINED", "DATAAREAID",
)  # fmt: skip
"""The columns of ``known_customers.csv``: a Customers V2 export of Data management."""
