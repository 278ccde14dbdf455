"""One block of samples without its values.

Which row is ordinary, which is a case, and what every row refers to. A block is the unit that
repeats: 1,000 contact rows and 150 account rows. Rows refer to one another by position within their
block, so that blocks are alike and share no id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from pipeline.samples.cases import Case, read_cases, read_data

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTACTS: Final = 1000
"""Contact rows in a block."""
ACCOUNTS: Final = 150
"""Account rows in a block."""
FIRST_NUMBER: Final = 1000
"""Where both number sequences begin."""
NOBODY: Final = "nobody"
"""The key of a unit or a currency that has an id and is in no table."""
SETTABLE: Final = (
    "msdynce_isactivecustomer", "msdynce_iscompanyanaccount", "firstname", "middlename", "lastname",
    "fullname", "jobtitle", "department", "emailaddress1", "telephone1", "fax", "websiteurl",
    "governmentid", "description", "gendercode", "familystatuscode", "donotemail", "creditlimit",
    "address1_line1", "address1_city", "address1_stateorprovince", "address1_postalcode",
    "address1_country", "merged", "statecode", "statuscode", "createdon", "modifiedon",
    "versionnumber", "isdelete",
)  # fmt: skip
"""Contact columns that a case may set."""

_CONTACT_SLOT: Final = {
    "position": pl.Int64, "owner": pl.Int64, "older": pl.Int64, "same": pl.Boolean,
    "role": pl.String, "id_text": pl.String, "id_form": pl.String, "number_text": pl.String,
    "number_owner": pl.Int64, "number_account": pl.Int64, "number_form": pl.String,
    "company_kind": pl.String, "company_key": pl.String, "company_form": pl.String,
    "company_type": pl.String, "unit": pl.String, "unit_text": pl.String, "unit_form": pl.String,
    "currency": pl.String, "currency_form": pl.String, "quote": pl.Boolean, "orders": pl.Boolean,
    "invoice": pl.Boolean, "in_scm": pl.Boolean,
    **{f"set_{column}": pl.String for column in SETTABLE},
}  # fmt: skip
_ACCOUNT_SLOT: Final = {
    "position": pl.Int64, "owner": pl.Int64, "older": pl.Int64, "same": pl.Boolean,
    "ordinary": pl.Boolean, "name": pl.String, "number_text": pl.String, "number_owner": pl.Int64,
    "number_form": pl.String, "party_number": pl.String, "unit": pl.String, "in_scm": pl.Boolean,
    "deleted": pl.Boolean, "inactive": pl.Boolean,
}  # fmt: skip
_CUSTOMER, _CONTACT, _NO_COMPANY, _TURN = 7, 17, 19, 20
"""Of every 20 ordinary rows the first 7 are customers, then contact persons up to 17, then up to 19
have no company."""


def place_cases() -> dict[str, int]:
    """Where the cases stand in a block: spread evenly among the ordinary rows."""
    return {
        case.name: index * CONTACTS // len(read_cases()) for index, case in enumerate(read_cases())
    }


def count_ordinary_accounts() -> int:
    """How many accounts of a block are without trouble; they stand first."""
    return ACCOUNTS - len(read_data("people")["account"])


def make_contact_slots() -> pl.DataFrame:
    """One row per contact row of a block."""
    by_position = {position: name for name, position in place_cases().items()}
    by_name = {case.name: case for case in read_cases()}
    rows, ordinary = [], 0
    for position in range(CONTACTS):
        if position in by_position:
            rows.append(_case_slot(by_name[by_position[position]], position))
        else:
            rows.append(_ordinary_slot(ordinary, position))
            ordinary += 1
    return pl.DataFrame([_fill(row) for row in rows], schema=_CONTACT_SLOT, orient="row")


def _fill(row: Mapping[str, object]) -> list[object]:
    defaults = {
        "older": 0,
        "same": False,
        "quote": False,
        "orders": False,
        "invoice": False,
        "in_scm": False,
    }
    return [row.get(column, defaults.get(column)) for column in _CONTACT_SLOT]


def _ordinary_slot(index: int, position: int) -> Mapping[str, object]:
    turn = index % _TURN
    common = {"position": position, "owner": position}
    if turn < _CUSTOMER:
        quote, orders = index % 2 == 0, index % 3 == 0
        company = "pick" if index % 5 else None
        activity = {"quote": quote, "orders": orders, "invoice": not (quote or orders)}
        return {**common, "role": "customer", "company_kind": company, **activity}
    if turn < _CONTACT:
        return {**common, "role": "contact", "company_kind": "pick"}
    if turn < _NO_COMPANY:
        return {**common, "role": "no_company"}
    colleague = str(place_cases()["customer_plain"])
    return {**common, "role": "contact", "company_kind": "contact", "company_key": colleague}


def _case_slot(case: Case, position: int) -> Mapping[str, object]:
    places = place_cases()
    owner = places[case.same_as] if case.same_as else position
    kind, key = _company(case)
    active = case.role == "customer" if case.activity is None else case.activity
    return {
        "position": position,
        "owner": owner,
        "older": case.older,
        "same": case.same_as is not None,
        "role": case.role,
        "id_text": case.id,
        "id_form": case.id_form,
        "number_text": case.number,
        "number_owner": places[case.number_of] if case.number_of else None,
        "number_account": place_accounts()[case.number_of_account]
        if case.number_of_account
        else None,
        "number_form": case.number_form,
        "company_kind": kind,
        "company_key": key,
        "company_form": case.company_form,
        "company_type": case.company_type,
        "unit": case.unit,
        "unit_text": case.unit_text,
        "unit_form": case.unit_form,
        "currency": case.currency,
        "currency_form": case.currency_form,
        "orders": active,
        "in_scm": case.in_scm,
        **{f"set_{column}": value for column, value in case.values.items()},
    }


def _company(case: Case) -> tuple[str | None, str | None]:
    """What kind of thing the company is, and its key.

    A position, an invented name or the text itself.
    """
    if case.company_text is not None:
        return "text" if case.company_text.strip() else "space", case.company_text
    if case.company == "" or (case.company is None and case.role == "no_company"):
        return None, None
    if case.company is None:
        return "pick", None
    kind, _, key = case.company.rpartition(":")
    match kind:
        case "contact":
            return "contact", str(place_cases()[key])
        case "nobody":
            return "nobody", key
        case _:
            return "account", str(place_accounts()[key])


def place_accounts() -> dict[str, int]:
    """Where the accounts with a trouble stand in a block."""
    first = count_ordinary_accounts()
    return {
        account["key"]: first + index
        for index, account in enumerate(read_data("people")["account"])
    }


def make_account_slots() -> pl.DataFrame:
    """One row per account row of a block."""
    companies = read_data("people")["companies"]
    names = [name + branch for branch in companies["branches"] for name in companies["names"]]
    ordinary = [
        {"position": index, "owner": index, "name": names[index], "ordinary": True, "in_scm": True}
        for index in range(count_ordinary_accounts())
    ]
    troubled = [_account_slot(account) for account in read_data("people")["account"]]
    defaults = {
        "older": 0,
        "same": False,
        "ordinary": False,
        "in_scm": True,
        "deleted": False,
        "inactive": False,
    }
    rows = [
        [row.get(column, defaults.get(column)) for column in _ACCOUNT_SLOT]
        for row in (*ordinary, *troubled)
    ]
    return pl.DataFrame(rows, schema=_ACCOUNT_SLOT, orient="row")


def _account_slot(account: Mapping[str, Any]) -> Mapping[str, object]:
    places = place_accounts()
    copied = (
        "older",
        "name",
        "number_form",
        "party_number",
        "unit",
        "in_scm",
        "deleted",
        "inactive",
    )
    return {
        "position": places[account["key"]],
        "owner": places[account.get("same_as", account["key"])],
        "same": "same_as" in account,
        "number_text": account.get("number"),
        "number_owner": places[account["number_of"]] if "number_of" in account else None,
        **{key: account[key] for key in copied if key in account},
    }


def list_cultures() -> pl.DataFrame:
    """One row per culture: names, places, and what follows from living there."""
    return pl.DataFrame(
        [
            [
                index,
                one["country"],
                one["currency"],
                one["unit"],
                one["phone"],
                one["first"],
                one["last"],
                one["places"],
            ]
            for index, one in enumerate(read_data("people")["culture"])
        ],
        schema={
            "culture": pl.Int64,
            "country": pl.String,
            "currency": pl.String,
            "unit": pl.String,
            "phone": pl.String,
            "first_names": pl.List(pl.String),
            "last_names": pl.List(pl.String),
            "places": pl.List(pl.List(pl.String)),
        },
        orient="row",
    )


def list_units() -> pl.DataFrame:
    """One row per business unit.

    Key, name, and the legal entity that the sample project gives it, if any.
    """
    entities = read_data("p2c")["organizations"]
    named = [[key, name, entities.get(name)] for key, name in read_data("people")["units"].items()]
    schema = {"unit": pl.String, "name": pl.String, "legal_entity": pl.String}
    return pl.DataFrame([*named, [NOBODY, None, None]], schema=schema, orient="row")


def list_currencies() -> pl.DataFrame:
    """One row per currency: code, name, symbol and rate."""
    named = [[code, *words] for code, words in read_data("people")["currencies"].items()]
    schema = dict.fromkeys(("currency", "name", "symbol", "rate"), pl.String)
    return pl.DataFrame([*named, [NOBODY, None, None, None]], schema=schema, orient="row")
