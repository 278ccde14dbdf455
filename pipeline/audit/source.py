"""The contact rows that a run read, looked up again.

Landed ones in the run folder, Parquet sources where they lie.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb

from pipeline.run.evidence import Evidence
from schemas.catalogue import Table
from schemas.sales import CONTACTS
from sql.query import SelectColumn, query
from sql.session import Session


def view_contacts(
    session: Session, evidence: Evidence, columns: Collection[str] | None = None
) -> bool:
    """Name the contact rows ``contacts_read``: ``source_file``, ``source_line``, columns as text.

    Args:
        session: gets the view.
        evidence: the run.
        columns: canonical names, of those that the source has. None: all of them.

    Returns:
        Whether the rows are there. A note of ``evidence`` says why they are not.
    """
    return view_rows(session, evidence, CONTACTS, columns)


def view_rows(
    session: Session, evidence: Evidence, table: Table, columns: Collection[str] | None = None
) -> bool:
    """Name the rows of a source table ``<table>_read``, as ``view_contacts`` does for contacts."""
    found = _find_files(evidence, table.name)
    if found is None:
        return False
    paths, names = found
    known = evidence.run.columns.get(table.name, {})
    chosen = [
        SelectColumn(name=name, of=known[name], macro="as_text")
        for name in (known if columns is None else columns)
    ]
    files, read = f"{table.name}_files", f"{table.name}_read"
    session.parquet(files, paths, places=bool(names))
    if names:
        text = query("audit/read_in_place", files=files, columns=chosen)
        session.view(read, text, paths=[str(path) for path in paths], names=names)
    else:
        session.view(read, query("audit/read", files=files, columns=chosen))
    return True


def _find_files(evidence: Evidence, table: str) -> tuple[list[Path], list[str]] | None:
    """Where the rows are, and what the run calls the files if they are the user's own.

    Null if they are gone or were altered.
    """
    sources = [one for one in evidence.run.sources if one.table == table and one.in_place]
    landed = [evidence.folder.path / name for name in evidence.run.landed.get(table, ())]
    paths = [Path(one.path) for one in sources] or landed
    if not paths or not all(path.is_file() for path in paths):
        _note_missing(evidence, paths)
        return None
    if sources and any(
        path.stat().st_size != one.bytes for path, one in zip(paths, sources, strict=True)
    ):
        evidence.note(
            evidence.folder.source,
            "altered",
            "The Parquet source changed since the run read it: its rows are not shown.",
        )
        return None
    return paths, [one.file for one in sources]


def _note_missing(evidence: Evidence, paths: list[Path]) -> None:
    inside = [path for path in paths if path.is_relative_to(evidence.folder.path)]
    if inside:
        evidence.note(
            inside[0],
            "missing",
            f"{evidence.name(inside[0])} is missing: the rows read cannot be shown.",
        )
    else:
        sentence = "The source is not where the run read it: the rows read cannot be shown."
        evidence.note(evidence.folder.source, "missing", sentence)


def read_contact_row(
    session: Session, evidence: Evidence, file: str | None, line: int | None
) -> dict[str, str]:
    """One row as it was read, blanks left out; empty if it is gone."""
    try:
        if not view_contacts(session, evidence):
            return {}
        rows = session.frame(query("audit/contact"), file=file, line=line)
    except duckdb.Error:
        evidence.note(
            evidence.folder.source,
            "cut",
            "The rows read cannot be shown: their file was cut or altered.",
        )
        return {}
    row = rows.row(0, named=True) if rows.height else {}
    order = [field.name for field in CONTACTS.fields if field.name in row]
    others = [
        name for name in row if name not in order and name not in ("source_file", "source_line")
    ]
    return {name: row[name] for name in [*order, *others] if row[name] is not None}
