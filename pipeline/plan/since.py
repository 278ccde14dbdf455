"""What is new since the last run of the project: who is held or rejected now, and who no longer."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl

from pipeline.errors import P2cError
from pipeline.project.resolve import Project
from pipeline.run.facts import Kind
from pipeline.run.folder import RunFolder, find_runs
from pipeline.run.room import open_room
from pipeline.run.summary import NeedChange, SincePrevious
from schemas.text import is_plain_key, parse_guid
from sql.query import query
from sql.session import session


def find_previous(
    runs: Path, project: Project, *, limit: int | None, only: Path | None
) -> RunFolder | None:
    """The newest applied run of the same project, into the same destination, of the same contacts.

    Without a project file it is the same if it reads the same folder. Null where there is none
    yet. Folders that cannot be read are passed over.
    """
    file = None if project.file is None else str(project.file.resolve())
    path = project.settings.source.path if file is None else None
    given = None if only is None else str(only)
    wanted = (file, path, project.settings.destination.name, limit, given)
    for one in reversed(find_runs(runs)):
        try:
            facts = one.facts()
            asked = facts.request
            read = facts.text("source.path") if file is None else None
            found = (facts.project, read, facts.destination.name, asked.limit, asked.only)
            if facts.kind is Kind.MAIN and found == wanted and one.read_summary().applied:
                return one
        except P2cError:
            continue
    return None


def compare_needs(before: RunFolder | None, after: RunFolder) -> SincePrevious:
    """Which contacts began or ceased to be held or rejected.

    A run before that cannot be read is named in ``note``; it stops nothing.
    """
    if before is None:
        return SincePrevious()
    try:
        with (
            open_room("since") as scratch,
            session(scratch=scratch) as here,
        ):
            for name, folder in (("before", before), ("after", after)):
                here.parquet(f"{name}_decisions", folder.decisions)
            rows = here.frame(query("plan/needs_since")).rows()
    except (P2cError, duckdb.Error, pl.exceptions.PolarsError, OSError):
        note = f"The last run, {before.run}, cannot be compared: its decisions cannot be read."
        return SincePrevious(note=note)
    changes = tuple(
        NeedChange(
            change=change,
            reason=reason,
            contacts=contacts,
            contact=number if number and is_plain_key(number) else parse_guid(contactid) or "",
        )
        for change, reason, contacts, contactid, number in rows
    )
    return SincePrevious(run=before.run, changes=changes)
