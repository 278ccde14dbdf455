"""The contact rows that a run read, looked up again.

Landed ones in the run folder, Parquet sources where they lie.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipeline.run.evidence import Evidence
from schemas.sales import CONTACTS
from sql.session import Session, identifier, literal


def contacts_view(evidence: Evidence, columns: list[str] | None = None) -> str | None:
    """SQL that gives ``source_file``, ``source_line`` and the contacts' columns as text.

    Null if the rows are gone.

    Args:
        evidence: the run.
        columns: canonical names; those that the source does not have are null. None: all that it
            has.
    """
    known = evidence.run.columns.get("contacts", {})
    wanted = list(known) if columns is None else columns
    chosen = [
        (
            f"CAST({identifier(known[name]) if name in known else 'NULL'} AS VARCHAR) AS "
            f"{identifier(name)}"
        )
        for name in wanted
    ]
    place = _place(evidence)
    return None if place is None else f"SELECT {', '.join([place[0], *chosen])} FROM {place[1]}"


def _place(evidence: Evidence) -> tuple[str, str] | None:
    """Where rows are: the columns that tell file and line, and the table function that reads them."""
    paths = [evidence.folder.path / name for name in evidence.run.landed.get("contacts", ())]
    sources = [one for one in evidence.run.sources if one.table == "contacts" and one.in_place]
    if not paths or not all(path.is_file() for path in paths):
        _gone(evidence, paths)
        return None
    files = ", ".join(literal(str(path)) for path in paths)
    if not sources:
        return "source_file, source_line", f"read_parquet([{files}])"
    if any(path.stat().st_size != one.bytes for path, one in zip(paths, sources, strict=True)):
        evidence.note(
            evidence.folder.source,
            "altered",
            "The Parquet source changed since the run read it: its rows are not shown.",
        )
        return None
    names = ", ".join(literal(one.file) for one in sources)
    which = (
        f"[{names}][list_position([{files}], filename)] AS source_file, file_row_number + 1 AS "
        "source_line"
    )
    return which, f"read_parquet([{files}], filename = true, file_row_number = true)"


def _gone(evidence: Evidence, paths: list[Path]) -> None:
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


def contact_row(
    session: Session, evidence: Evidence, file: str | None, line: int | None
) -> dict[str, str]:
    """One row as it was read, blanks left out; empty if it is gone."""
    text = contacts_view(evidence)
    if text is None:
        return {}
    try:
        rows = session.frame(
            f"SELECT * FROM ({text}) WHERE source_line = $line AND source_file = $file",
            file=file,
            line=line,
        )
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
