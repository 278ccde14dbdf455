"""A plan that writes into Sales, as ``p2c apply`` and ``p2c undo`` meet it.

A backfill, or the undo of one.
"""

from __future__ import annotations

from pipeline.backfill.applying import apply_backfill
from pipeline.backfill.undoing import plan_undo
from pipeline.events import Listener
from pipeline.plan.fingerprint import list_versions
from pipeline.project.open_run import OpenRun
from pipeline.project.resolve import Project
from pipeline.project.systems import connect_sales
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.summary import Summary
from pipeline.wire.salesrows import SalesRows


def apply_write_back(run: OpenRun, listener: Listener) -> Summary:
    """Carry out the plan; the facts after it.

    Raises as ``pipeline.backfill.applying.apply_backfill`` does.
    """
    with connect_sales(run.project, listener=listener) as sales:
        return apply_backfill(run, sales.system, listener)


def plan_write_back_undo(of: RunFolder, project: Project, clock: Clock) -> RunFolder:
    """The plan that undoes a backfill. Raises as ``pipeline.backfill.undoing.plan_undo`` does."""
    with connect_sales(project) as sales:
        return plan_undo(of, SalesRows(system=sales.system), list_versions(), clock)
