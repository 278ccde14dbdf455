"""``p2c plan`` and ``p2c backfill`` as typed calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.commands.against import Against
from pipeline.commands.answers import describe_run
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.purge import remove_expired
from pipeline.commands.result import Result
from pipeline.events import Listener
from pipeline.lazy import import_lazily
from pipeline.plan.request import PlanRequest

if TYPE_CHECKING:
    from pipeline.backfill import planning
else:
    planning = import_lazily("pipeline.backfill.planning")


def plan_contacts(
    common: Flags, request: PlanRequest, listener: Listener, against: str | None = None
) -> Result:
    """``plan``."""
    compared = Against.read(common, against)
    project = common.load()
    remove_expired(common, project, listener)
    made = compared.make_plan(common, project, request, listener)
    return compared.add_changes(describe_run("plan", made, values=common.values), made)


def backfill_contacts(common: Flags, request: PlanRequest, listener: Listener) -> Result:
    """``backfill``."""
    project = common.load()
    remove_expired(common, project, listener)
    made = planning.make_backfill(project, request, common.runs, read_clock, listener)
    return describe_run("backfill", made)
