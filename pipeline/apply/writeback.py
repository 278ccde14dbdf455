"""A plan that writes into Sales, as ``p2c apply`` and ``p2c undo`` meet it.

A backfill, or the undo of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.backfill.applying import applied
from pipeline.backfill.undoing import undo_plan
from pipeline.events import Listener
from pipeline.plan.fingerprint import versions
from pipeline.project.resolve import Project
from pipeline.project.systems import sales_of
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.journal import Journal
from pipeline.wire.salesrows import SalesRows


def is_write_back(facts: Mapping[str, Any]) -> bool:
    """Whether a run of these facts writes into a live Sales."""
    return bool(facts.get("live_source")) and "backfill" in (
        facts.get("kind"),
        facts.get("undo_of_kind"),
    )


def written_back(
    folder: RunFolder, project: Project, journal: Journal, listener: Listener
) -> dict[str, Any]:
    """Carry out the plan; the facts after it.

    Raises as ``pipeline.backfill.applying.applied`` does.
    """
    with sales_of(project) as sales:
        return applied(folder, sales.system, project.settings.backfill, journal, listener)


def undone(of: RunFolder, project: Project, clock: Clock) -> RunFolder:
    """The plan that undoes a backfill. Raises as ``pipeline.backfill.undoing.undo_plan`` does."""
    with sales_of(project) as sales:
        return undo_plan(of, SalesRows(system=sales.system), versions(), clock)
