"""``p2c reconcile`` as a typed call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as changed
from pathlib import Path

from pipeline.audit import readback
from pipeline.commands.answers import answer_about, require_whole
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.errors import UsageError
from pipeline.events import Listener
from pipeline.project.resolve import Project, project_of_run
from pipeline.project.systems import connect_scm
from pipeline.run import folder
from pipeline.run.evidence import gather_evidence
from pipeline.run.facts import RunFacts
from pipeline.run.folder import RunFolder
from pipeline.scm.rows import FEW, read_scm_rows


def reconcile_run(
    common: Flags,
    run: str,
    *,
    scm: Sequence[Path],
    listener: Listener,
    few: int = FEW,
    rows_at_once: int = readback.ROWS_AT_ONCE,
) -> Result:
    """``reconcile``: with exports of SCM, or with SCM itself where the run's project has one.

    Exit 1 when it differs. A run of at most ``few`` rows is looked up by its keys;
    ``rows_at_once`` of either side are compared at a time.
    """
    found = folder.find_run(common.runs, run)
    facts = found.facts()
    _refuse_others(found, facts)
    require_whole(found)
    _refuse_purged(found)
    project = project_of_run(facts)
    if scm:
        with folder.open_read_back_room(found) as room:
            done = readback.reconcile_rows(
                found,
                readback.read_exports(found, scm, project.settings.entities, room),
                ", ".join(path.name for path in scm),
                read_clock,
                room,
                rows_at_once=rows_at_once,
                kept=_list_kept(project),
            )
    else:
        done = _reconcile_live(found, project, listener, few, rows_at_once)
    differs = any(one.rows != one.equal for one in done.results.values())
    result = answer_about(
        found,
        "reconcile",
        items=done.facts["differences"],
        text=readback.render_reconciliation(done),
    )
    return changed(result, exit_code=1 if differs else 0)


def _refuse_others(found: RunFolder, facts: RunFacts) -> None:
    """Refuse runs of which SCM should not have the rows: they would count as missing."""
    if facts.is_undo:
        advice = (
            f" Reconcile {facts.undo_of}: what was taken back is missing there, or differs."
            if facts.undo_of and not facts.fills_sales
            else ""
        )
        raise UsageError(f"is an undo, and reconcile compares loads.{advice}", where=found.run)
    if facts.fills_sales:
        raise UsageError(
            "is a backfill, and writes into Sales; reconcile compares loads into SCM.",
            where=found.run,
        )


def _refuse_purged(found: RunFolder) -> None:
    """Refuse runs of which the values are gone that SCM's would be compared with."""
    if any(name.startswith("rows/") for name in gather_evidence(found).purged):
        raise UsageError(
            "the planned rows were purged, and nothing is left to compare SCM with.",
            where=found.run,
        )


def _reconcile_live(
    found: RunFolder, project: Project, listener: Listener, few: int, rows_at_once: int
) -> readback.ReadBack:
    if project.scm is None:
        raise UsageError(
            "the run's project names no SCM: give --scm FILE, an export of Customers V2 or CDS "
            "Contacts."
        )
    with (
        connect_scm(project, listener=listener) as system,
        folder.open_read_back_room(found) as room,
    ):
        entities = project.settings.entities
        rows = read_scm_rows(found, system, room, listener, entities=entities, few=few)
        return readback.reconcile_rows(
            found,
            rows,
            system.label,
            read_clock,
            room,
            rows_at_once=rows_at_once,
            kept=_list_kept(project),
        )


def _list_kept(project: Project) -> dict[str, Sequence[str]]:
    """Columns by task in which a row without a value leaves what SCM has."""
    return {task: template.kept for task, template in project.templates.items()}
