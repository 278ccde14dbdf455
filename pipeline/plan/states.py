"""Which of several rows of one id counts, in every table; and deletions that name no row."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

import polars as pl

from pipeline.plan.profile import find_doubts
from pipeline.plan.reading import AS_DECLARED
from pipeline.plan.suspects import find_repeated_rows
from pipeline.run.findings import RunFinding
from schemas import sales
from schemas.catalogue import Table
from schemas.marks import MARKS, WRITTEN
from sql.query import query
from sql.session import Session

DOCUMENTS: Final = (sales.QUOTES, sales.SALESORDERS, sales.INVOICES)
MANY_DOCUMENTS: Final = 1_000_000
"""Documents whose customers would take much memory."""
_NO_ID: Final = pl.col("id").is_null()
_MARKS: Final = frozenset(field.name for field in MARKS if field.name != WRITTEN)


def name_declared(table: Table) -> str:
    """The view of a table as it is read."""
    return "accounts_declared" if table.name == "accounts" else table.name


def choose_rows(session: Session, rows: pl.Series) -> None:
    """Name ``rows`` (``source_row``) ``chosen_rows``."""
    session.register("chosen_rows", rows.to_frame("source_row"))


def store_states(session: Session, table: Table, name: str, rows: pl.Series, view: str) -> None:
    """Store as ``name`` which of several rows of one id counts (``sql/plan/versions.sql``).

    Rows of other ids do not appear. ``rows`` are those whose id may repeat; ``view``_chosen has
    them.
    """
    choose_rows(session, rows)
    repeated = query("plan/repeated_rows", chosen=f"{view}_chosen", key=table.key)
    session.store("repeated_rows", repeated)
    session.store("ranked_rows", query("plan/ranked"), corrected=sales.CORRECTED_VERSION)
    session.store(name, query("plan/versions"), corrected=sales.CORRECTED_VERSION)
    session.drop("repeated_rows")
    session.drop("ranked_rows")


def leave_out(session: Session, table: Table, name: str) -> list[RunFinding]:
    """Name ``name`` the rows of a side table that do not count.

    Of unresolved repeats the first is kept, with a warning. Ids that cannot be read are told.
    """
    hashes = session.frame(query("plan/side_hashes", rows=name_declared(table), key=table.key))
    nameless = hashes.filter(_NO_ID)["source_row"]
    found = find_deletions_without_id(session, table, nameless)
    if not nameless.is_empty():
        found += _find_unreadable_ids(session, table)
    return [*found, *_leave_out_repeats(session, table, name, find_repeated_rows(hashes))]


def _find_unreadable_ids(session: Session, table: Table) -> list[RunFinding]:
    key = [field for field in table.fields if field.name == table.key]
    doubts = find_doubts(session, table, name_declared(table), AS_DECLARED, key)
    return [one.report() for one in doubts.values()]


def _leave_out_repeats(
    session: Session, table: Table, name: str, rows: pl.Series
) -> list[RunFinding]:
    """Name ``name`` those of ``rows`` that do not count; their ids may repeat, and no others."""
    if rows.is_empty():
        session.view(name, query("plan/no_rows"))
        return []
    store_states(session, table, "side_states", rows, name_declared(table))
    session.store(name, query("plan/left_out"))
    found = _list_repeated(session, table)
    session.drop("side_states")
    return found


def count_documents(session: Session, landed: Collection[str]) -> list[RunFinding]:
    """Name the documents that count ``<table>_counted``.

    Only tables that mark deletions are looked through for several rows of one id: others are
    exports of what is there.
    """
    findings = []
    for table in DOCUMENTS:
        rows, counted = table.name, f"{table.name}_counted"
        columns = session.columns(f"{rows}_landed")
        if rows not in landed or _MARKS.isdisjoint(columns):
            session.view(counted, query("plan/documents_all", rows=rows))
            session.view(f"{rows}_left_out", query("plan/no_rows"))
            continue
        looked_at = session.frame(query("plan/documents_repeated", rows=rows, key=table.key))
        nameless = looked_at.filter("deletion_without_id")["source_row"]
        findings += find_deletions_without_id(session, table, nameless)
        _leave_out_repeats(session, table, f"{rows}_left_out", looked_at["source_row"])
        text = query("plan/documents_counted", rows=rows, left_out=f"{rows}_left_out")
        session.view(counted, text)
    return findings


def store_customers_of_documents(session: Session, landed: Collection[str]) -> None:
    """Store the customers of documents as ``activity`` (``sql/plan/activity.sql``).

    Args:
        session: has the documents that count (``count_documents``).
        landed: the tables that the source has.
    """
    rows = sum(
        session.frame(query("plan/count_rows", rows=f"{table.name}_landed")).item()
        for table in DOCUMENTS
        if table.name in landed
    )
    store = session.store_aside if rows > MANY_DOCUMENTS else session.store
    store("activity", query("plan/activity"))


def list_unread_customers(session: Session) -> Iterator[tuple[str, int, int]]:
    """Tables of documents some of whose customers cannot be read, how many, and the first row.

    The session has ``activity``; what it says of tables with deletions is not all.
    """
    for document, count, first in session.frame(query("plan/customers_unread")).iter_rows():
        yield DOCUMENTS[document].name, count, first


def add_unreadable_states(session: Session) -> list[RunFinding]:
    """Add contact rows that say that something is deleted, and not what, to ``contact_states``.

    The session has ``hashes`` (``sql/plan/hashes.sql``).
    """
    rows = session.frame(query("plan/rows_without_id"))["source_row"]
    found = find_deletions_without_id(session, sales.CONTACTS, rows)
    if found:
        session.run(query("plan/unreadable_states"))
    return found


def find_deletions_without_id(session: Session, table: Table, rows: pl.Series) -> list[RunFinding]:
    """Report deletions among ``rows``, which have no id that can be read.

    If there are any rows, ``deletions_without_id`` is stored.
    """
    if rows.is_empty():
        return []
    choose_rows(session, rows)
    text = query("plan/deletions_without_id", rows=name_declared(table), key=table.key)
    session.store("deletions_without_id", text)
    places = session.frame(query("plan/places_without_id"))
    return [
        RunFinding(
            code="row_unreadable",
            detail="it says that a row was deleted, and has no id that tells which one",
            source_file=file,
            source_line=line,
        )
        for file, line in places.iter_rows()
    ]


def _list_repeated(session: Session, table: Table) -> list[RunFinding]:
    repeated = session.frame(query("plan/side_repeats"))
    return [
        RunFinding(
            code="row_repeated",
            detail=f"{table.name}, id {row['id']}",
            column=table.key,
            value=row["id"],
            source_file=row["source_file"],
            source_line=row["source_line"],
        )
        for row in repeated.iter_rows(named=True)
    ]
