"""Which of several rows of one id counts, in every table; and deletions that name no row."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from pipeline.run.findings import RunFinding
from pipeline.transform.suspects import find_repeated_rows
from schemas import sales
from schemas.catalogue import Table
from schemas.marks import MARKS, WRITTEN
from sql.query import query
from sql.session import Session

DOCUMENTS: Final = (sales.QUOTES, sales.SALESORDERS, sales.INVOICES)
WITHOUT_ID: Final = "deletion_without_id"
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


def leave_out(session: Session, table: Table, name: str) -> list[RunFinding]:
    """Store as ``name`` the rows of a side table that do not count.

    Of unresolved repeats the first is kept, with a warning.
    """
    view = name_declared(table)
    hashes = session.frame(query("plan/side_hashes", rows=view, key=table.key))
    found = find_deletions_without_id(session, view, hashes)
    store_states(session, table, "side_states", find_repeated_rows(hashes), view)
    session.store(name, query("plan/left_out"))
    return [*found, *_list_repeated(session, table)]


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
        findings += find_deletions_without_id(session, rows, looked_at)
        store_states(session, table, "side_states", looked_at["source_row"], rows)
        session.store(f"{rows}_left_out", query("plan/left_out"))
        text = query("plan/documents_counted", rows=rows, left_out=f"{rows}_left_out")
        session.view(counted, text)
    return findings


def find_deletions_without_id(
    session: Session, view: str, looked_at: pl.DataFrame
) -> list[RunFinding]:
    """Rows that say that something is deleted, and not what.

    ``looked_at`` has ``source_row`` and, true for them, ``deletion_without_id``.
    """
    rows = looked_at.filter(WITHOUT_ID)["source_row"]
    if rows.is_empty():
        return []
    choose_rows(session, rows)
    places = session.frame(query("plan/deletions_without_id", rows=view))
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
