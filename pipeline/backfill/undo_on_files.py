"""``undo`` of a backfill whose files were imported, by an export that was made since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.backfill.preparing import prepare_export
from pipeline.backfill.undoing import plan_undo
from pipeline.events import Listener
from pipeline.plan.fingerprint import list_versions
from pipeline.plan.request import Planning, PlanRequest
from pipeline.plan.sessions import open_sessions
from pipeline.plan.source import land_source
from pipeline.project.resolve import Project
from pipeline.run.folder import Clock, RunFolder, open_undo_room
from schemas.sales import CONTACTS
from sql.query import query
from sql.session import Session


def plan_undo_on_files(
    of: RunFolder, project: Project, clock: Clock, listener: Listener
) -> RunFolder:
    """Make the plan.

    Args:
        of: the backfill's run.
        project: its ``[source]`` is the export.
        clock: the time.
        listener: called as rows are written.

    Raises:
        Refused: the run was not applied, or the export cannot be read.
        Stopped: the disk or another part of the world failed; nothing is left behind.
    """
    runs = of.path.parent
    with open_undo_room(runs) as room:
        planning = Planning(
            project=project,
            request=PlanRequest(command="undo"),
            folder=RunFolder(room),
            listener=listener,
        )
        planning.source = land_source(
            project, planning.folder, runs, listener, changes=False, tables=(CONTACTS.name,)
        )
        with open_sessions(planning) as (main, _):
            prepare_export(main, planning, of)
            return plan_undo(of, _Export(main), list_versions(), clock, live=False)


class _Export:
    """Contacts as an export has them."""

    def __init__(self, main: Session) -> None:
        self._main = main

    def found(
        self, entity_set: str, key: str, columns: Sequence[str], ids: Iterable[str]
    ) -> dict[str, Mapping[str, object]]:
        """Id → row, of those contacts that are there."""
        there = query("backfill/there_of", there=f"{entity_set}_there", key=key)
        rows = self._main.frame(there, ids=list(ids))
        return {
            row[key]: {name: row[name] for name in columns} for row in rows.iter_rows(named=True)
        }
