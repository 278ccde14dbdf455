"""Lookups of contacts that are names where ids belong, as exports for people have them."""

from __future__ import annotations

import polars as pl

from pipeline.plan.states import choose_rows
from sql.query import query
from sql.session import Session


def take_lookups_by_id(session: Session) -> None:
    """Name contacts ``contacts_resolved``, with their lookups as they are."""
    session.view("contacts_resolved", query("plan/lookups_by_id"))


def resolve_names(session: Session, hashes: pl.DataFrame) -> int:
    """Look names up in accounts and currencies; ``contacts_resolved`` then has what they mean.

    Where all lookups are ids, nothing is read.

    Args:
        session: has contacts, accounts and currencies as they are read, and which rows of these do
            not count.
        hashes: ``sql/plan/hashes.sql``.

    Returns:
        How many contacts have a company that is no id.
    """
    rows = hashes.filter(pl.col("has_company") & pl.col("company").is_null())["source_row"]
    resolved = "lookups_by_id"
    if rows.len() and _store_companies(session, rows):
        resolved = "companies_by_name"
    session.view("contacts_resolved", query(f"plan/{resolved}"))
    if hashes["currency_is_no_id"].any():
        session.store("currency_names", query("plan/currency_names"))
        session.view("contacts_with_companies", query(f"plan/{resolved}"))
        text = query("plan/currencies_by_name", contacts="contacts_with_companies")
        session.view("contacts_resolved", text)
    return rows.len()


def _store_companies(session: Session, rows: pl.Series) -> bool:
    """Store what names of companies mean; false where none of the ``rows`` has a name."""
    choose_rows(session, rows)
    session.store("companies_named", query("plan/companies_named"))
    if not session.frame(query("plan/count_rows", rows="companies_named")).item():
        return False
    session.store("company_names", query("plan/company_names"))
    return True
