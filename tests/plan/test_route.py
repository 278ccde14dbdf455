"""``sql/plan/route.sql`` alone: gate 3, which compares legal entities as keys."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest

from schemas.sales import USUAL_NUMBER
from sql.query import query
from sql.session import Session, session

TEXT = pl.String()
PARAMETERS: dict[str, str | bool | None] = {
    "legal_entity": "UsMf",
    "has_units": True,
    "has_currencies": False,
    "has_only": False,
    "scm_read": True,
    "hold_blank_flags": False,
    "take_over": False,
    "number_pattern": USUAL_NUMBER,
    "usual_is_valid": True,
    "has_keys": True,
    "has_loaded": False,
    "lookups_are_names": False,
    "customers_have_currency": False,
    "persons_have_currency": False,
}
CUSTOMERS = [
    ("C-9", "PARTY-1", "usmf"),
    ("DIFFERS-2", "P-2", " USMF"),
    ("DIFFERS-2", "P-3", "frrt"),
    ("NOWHERE-LISTED", None, None),
    ("CON-7", "CON-7", "demf"),
]
"""What SCM has: CustomerAccount, PartyNumber, dataAreaId."""
NUMBERS = ("party-1 ", "differs-2", "Absent-3", None, "nowhere-listed")
"""Of accounts 1 to 5."""
UNITS = {"North": "usmf", "South": "DeMF"}
BLANK = {
    **dict.fromkeys(
        ("isdelete", "company_is_name", "merged", "msdynce_iscompanyanaccount"), "false"
    ),
    "passes_filter": "true",
    "msdynce_isactivecustomer": "false",
    "parentcustomeridtype": "'account'",
    **dict.fromkeys(("statecode", "msft_datastate"), "0"),
    **dict.fromkeys(("contactid", "transactioncurrencyid"), "CAST(NULL AS UUID)"),
    **{f'"raw:{name}"': "'false'" for name in (
        "isdelete", "merged", "msdynce_isactivecustomer", "msdynce_iscompanyanaccount",
    )},
    **{f'"raw:{name}"': "CAST(NULL AS VARCHAR)" for name in (
        "parentcustomerid", "transactioncurrencyid", "statecode", "msft_datastate",
    )},
    **dict.fromkeys(
        ("company_problem", "currency_by_name", '"transactioncurrencyid.isocurrencycode"'),
        "CAST(NULL AS VARCHAR)",
    ),
    '"say:lastname"': "'x'",
}  # fmt: skip
"""Column → a value that stops no contact."""


@pytest.fixture(scope="module")
def duck() -> Iterator[Session]:
    """Every relation that routing reads, but contacts."""
    with session() as here:
        customers = pl.DataFrame(
            CUSTOMERS, ("CustomerAccount", "PartyNumber", "dataAreaId"), orient="row"
        )
        here.register("known_customers_given", customers)
        here.register("own_entities", pl.DataFrame({"legal_entity": ["usmf", "DeMF"]}))
        persons = ("dataAreaId", "ContactPersonPartyNumber", "AssociatedPartyNumber")
        here.register("known_persons", pl.DataFrame(schema=dict.fromkeys(persons, TEXT)))
        ids = [f"00000000-0000-0000-0000-{place:012d}" for place in range(1, 6)]
        here.register("given", pl.DataFrame({"accountid": ids, "accountnumber": NUMBERS}))
        here.view(
            "accounts_declared",
            "SELECT CAST(accountid AS UUID) AS accountid, accountnumber, 1 AS source_row, "
            "false AS isdelete FROM given",
        )
        units = pl.DataFrame({"unit": UNITS.keys(), "legal_entity": UNITS.values()})
        here.register("organizations", units)
        for name in ("account_rows_left_out", "unit_rows_left_out"):
            here.register(name, pl.DataFrame(schema={"source_row": pl.Int64()}))
        here.view(
            "businessunits",
            "SELECT CAST('b0000000-0000-0000-0000-000000000001' AS UUID) AS businessunitid, "
            "'South' AS name, 1 AS source_row",
        )
        for name in ("known_customers", "known_keys", "accounts", "spellings", "units"):
            here.store(name, query(f"plan/{name}"))
        store_empty(here)
        yield here


def store_empty(here: Session) -> None:
    """The relations that nothing is found in."""
    texts = {
        "currencies": ("isocurrencycode",),
        "organization_numbers": ("number_key",),
        "prospect_numbers": ("legal_entity_key", "number_key"),
        "loaded": ("destination_key", "row_hash", "number_key"),
    }
    for name, columns in texts.items():
        listed = ", ".join(f"CAST(NULL AS VARCHAR) AS {one}" for one in columns)
        here.store(name, f"SELECT {listed}, CAST(NULL AS UUID) AS transactioncurrencyid LIMIT 0")
    here.store("companies", "SELECT CAST(NULL AS UUID) AS contactid, '' AS number LIMIT 0")
    here.store("only_ids", "SELECT CAST(NULL AS UUID) AS contactid LIMIT 0")
    here.store("loaded_numbers", "SELECT '' AS number_key, [''] AS keys LIMIT 0")
    here.store(
        "marks",
        "SELECT 1 AS source_row, '' AS state, 0 AS owners, '' AS others, "
        "false AS is_account_number, '' AS misplaced_column, '' AS misplaced_value LIMIT 0",
    )


def route(
    duck: Session, company: int, unit: str | None = None, *, is_customer: bool = False
) -> tuple[str | None, list[str]]:
    """The legal entity of a contact, and what of gates 3 and 6 is said of it."""
    values = BLANK | {"msdynce_isactivecustomer": str(is_customer)}
    columns = ", ".join(f"{value} AS {name}" for name, value in values.items())
    duck.view(
        "contacts_filtered",
        f"SELECT 1 AS source_row, {columns}, ' con-7' AS msdynce_contactnumber, "
        f"CAST('00000000-0000-0000-0000-{company:012d}' AS UUID) AS parentcustomerid, "
        f"{'CAST(NULL AS VARCHAR)' if unit is None else repr(unit)} AS owningbusinessunit",
    )
    (row,) = duck.frame(query("plan/route"), **PARAMETERS).iter_rows(named=True)
    asked = (
        "account_not_found", "account_without_number", "account_not_in_scm",
        "party_number_differs", "legal_entity_unmapped", "key_in_scm", "takeover",
    )  # fmt: skip
    return row["legal_entity"], [name for name in asked if row[name]]


def test_an_account_is_looked_for_among_parties_and_else_among_customers_of_the_legal_entity(
    duck: Session,
) -> None:
    assert route(duck, 1, "South") == ("DeMF", [])
    assert route(duck, 2, "North") == ("usmf", ["party_number_differs"])
    assert route(duck, 2, "South") == ("DeMF", ["account_not_in_scm"])
    assert route(duck, 3, "North") == ("usmf", ["account_not_in_scm"])
    assert route(duck, 4, "North") == ("usmf", ["account_without_number"])
    assert route(duck, 6, "North") == ("usmf", ["account_not_found"])


def test_customers_without_a_legal_entity_are_customers_of_all_of_the_project(
    duck: Session,
) -> None:
    assert route(duck, 5, "North") == ("usmf", ["party_number_differs"])
    assert route(duck, 5, "{B0000000-0000-0000-0000-000000000001}") == (
        "DeMF",
        ["party_number_differs"],
    )


@pytest.mark.parametrize("unit", [None, "West"])
def test_the_legal_entity_of_the_rest_is_a_key_like_those_of_units(
    duck: Session, unit: str | None
) -> None:
    assert route(duck, 2, unit) == ("UsMf", ["party_number_differs"])


def test_a_customer_is_known_in_its_own_legal_entity(duck: Session) -> None:
    assert route(duck, 2, "South", is_customer=True) == ("DeMF", ["key_in_scm", "takeover"])
    assert route(duck, 2, "North", is_customer=True) == ("usmf", [])
