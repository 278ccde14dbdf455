"""A plan that writes into Sales, as ``p2c apply`` and ``p2c undo`` meet it.

A backfill, or the undo of one.
"""

from __future__ import annotations

from pipeline.backfill.applying import applied
from pipeline.backfill.undoing import undo_plan
from pipeline.events import Listener
from pipeline.plan.fingerprint import versions
from pipeline.project.open_run import OpenRun
from pipeline.project.resolve import Project
from pipeline.project.systems import sales_of
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.summary import Summary
from pipeline.wire.salesrows import SalesRows


def written_back(run: OpenRun, listener: Listener) -> Summary:
    """Carry out the plan; the facts after it.

    Raises as ``pipeline.backfill.applying.applied`` does.
    """
    with sales_of(run.project) as sales:
        return applied(run, sales.system, listener)


def undone(of: RunFolder, project: Project, clock: Clock) -> RunFolder:
    """The plan that undoes a backfill. Raises as ``pipeline.backfill.undoing.undo_plan`` does."""
    with sales_of(project) as sales:
        return undo_plan(of, SalesRows(system=sales.system), versions(), clock)
