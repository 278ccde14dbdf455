"""Lookups of contacts that are names where ids belong, as exports for people have them."""

from __future__ import annotations

import polars as pl

from sql.query import query
from sql.session import Session


def take_lookups_by_id(session: Session) -> None:
    """Name contacts ``contacts_resolved``, with their lookups as they are."""
    session.view("contacts_resolved", query("plan/lookups_by_id"))


def resolve_names(session: Session, hashes: pl.DataFrame) -> bool:
    """Look names up in accounts and currencies; ``contacts_resolved`` then has what they mean.

    Args:
        session: has contacts, accounts and currencies as they are read, and which rows of these do
            not count.
        hashes: ``sql/plan/hashes.sql``.

    Returns:
        Whether there are such lookups. Where there are none, nothing was read.
    """
    if not (hashes["company_is_no_id"].any() or hashes["currency_is_no_id"].any()):
        return False
    session.store("company_names", query("plan/company_names"))
    session.store("currency_names", query("plan/currency_names"))
    session.view("contacts_resolved", query("plan/lookups_by_name"))
    return True
