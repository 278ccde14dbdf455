"""What sets contacts apart: their ids, their numbers, and cells in wrong columns."""

from __future__ import annotations

from collections.abc import Callable, Collection

import polars as pl

from pipeline.plan.misplaced import find_misplaced
from pipeline.plan.states import (
    DOCUMENTS,
    choose_rows,
    list_unread_customers,
    store_customers_of_documents,
    store_states,
)
from pipeline.plan.suspects import HashCounts, collect_booleans, count_hashes, find_suspects
from schemas import sales
from sql.query import query
from sql.session import Session

__all__ = ["collect_marks", "count_hashes", "find_misplaced", "hash_contacts", "store_suspects"]


def hash_contacts(
    session: Session,
    room: str,
    landed: Collection[str],
    hash_elsewhere: Callable[[Session], None] | None,
) -> list[tuple[str, int, int]]:
    """Store ``hashes``; what was met on the way is as ``list_unread_customers`` has it."""
    unread: list[tuple[str, int, int]] = []
    is_routed = room == "plan"
    if is_routed:
        store_customers_of_documents(session, landed)
        unread = list(list_unread_customers(session))
    if hash_elsewhere is None:
        session.store("hashes", query(f"{room}/hashes"))
    else:
        hash_elsewhere(session)
    if is_routed:
        session.drop("activity")
    return unread


def collect_marks(session: Session, counts: HashCounts, landed: Collection[str]) -> pl.DataFrame:
    """One row per contact row, by its number: see ``Prepared``."""
    found = collect_booleans(session, counts.rows, ("contactid_invalid", "has_activity"))
    if any(table.name in landed for table in DOCUMENTS):
        return found
    return found.with_columns(has_activity=pl.lit(None, pl.Boolean))


def store_suspects(session: Session, counts: HashCounts, room: str) -> None:
    """Store the rows of contacts that need an exact look, and which row of a repeated id counts."""
    session.store("account_hashes", query(f"{room}/account_hashes"))
    found = find_suspects(session, counts.rows)
    session.drop("account_hashes")
    choose_rows(session, found.all)
    content = "no_content" if found.repeated.is_empty() else "content_hash"
    session.store("suspects", query("plan/suspects", content=content))
    session.view("suspects_chosen", query("plan/suspects_chosen"))
    store_states(session, sales.CONTACTS, "contact_states", found.repeated, "suspects")
