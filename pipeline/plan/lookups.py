"""What is named where ids belong: lookups of contacts in exports for people, contacts by number."""

from __future__ import annotations

from typing import Final

import polars as pl

from pipeline.plan.states import choose_rows
from pipeline.plan.suspects import HashCounts
from sql.query import query
from sql.session import Session

_MOST: Final = 5
"""Unknown numbers that a message lists."""


def take_lookups_by_id(session: Session) -> None:
    """Name contacts ``contacts_resolved``, with their lookups as they are."""
    session.view("contacts_resolved", query("plan/lookups_by_id"))


def resolve_names(session: Session, counts: HashCounts) -> None:
    """Look names up in accounts and currencies; ``contacts_resolved`` then has what they mean.

    Where all lookups are ids, nothing is read.

    Args:
        session: has contacts, accounts and currencies as they are read, and which rows of these do
            not count, and ``hashes`` (``sql/plan/hashes.sql``).
        counts: those of the hashes.
    """
    resolved = "lookups_by_id"
    if counts.with_name and _store_companies(session):
        resolved = "companies_by_name"
    session.view("contacts_resolved", query(f"plan/{resolved}"))
    if counts.has_currency_name:
        session.store("currency_names", query("plan/currency_names"))
        session.view("contacts_with_companies", query(f"plan/{resolved}"))
        text = query("plan/currencies_by_name", contacts="contacts_with_companies")
        session.view("contacts_resolved", text)


def _store_companies(session: Session) -> bool:
    """Store what names of companies mean; false where what is no id is no name either."""
    choose_rows(session, session.frame(query("plan/rows_with_names"))["source_row"])
    session.store("companies_named", query("plan/companies_named"))
    if not session.frame(query("plan/count_rows", rows="companies_named")).item():
        return False
    session.store("company_names", query("plan/company_names"))
    return True


def find_numbered(session: Session, only: pl.DataFrame) -> pl.DataFrame:
    """What ``--only`` names, with the contactids of the contacts that it names by number.

    A number that several contacts have means all of them; one that none has stays without
    contactid.

    Args:
        session: knows ``contacts``.
        only: as ``read_only_ids`` gives it.
    """
    numbers = only.filter(pl.col("number").is_not_null())
    if numbers.is_empty():
        return only
    session.register("only_numbers", numbers.select("number", "line"))
    found = session.frame(query("plan/only_numbered"))
    named = found.with_columns(pl.col("contactid").cast(pl.String)).select(only.columns)
    return pl.concat([only.filter(pl.col("number").is_null()), named])
