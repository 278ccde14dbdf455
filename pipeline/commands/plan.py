"""``p2c plan`` and ``p2c backfill`` as typed calls."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pipeline.backfill import planning
from pipeline.commands.answers import append_text, describe_run
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.purge import remove_expired
from pipeline.commands.result import Result
from pipeline.events import Listener
from pipeline.plan import compare, make
from pipeline.plan.request import PlanRequest
from pipeline.run import folder


def plan_contacts(
    common: Flags, request: PlanRequest, listener: Listener, against: str | None = None
) -> Result:
    """``plan``."""
    before = None if against is None else folder.find_run(common.runs, against)
    project = common.load()
    remove_expired(common, project, listener)
    made = make.make_plan(project, request, common.runs, read_clock, listener)
    result = describe_run("plan", made, values=common.values)
    if before is None:
        return result
    items = compare.compare_runs(before, made)
    return replace(
        result,
        items=items,
        text=partial(append_text, result, compare.render_changes(items, before)),
    )


def backfill_contacts(common: Flags, request: PlanRequest, listener: Listener) -> Result:
    """``backfill``."""
    project = common.load()
    remove_expired(common, project, listener)
    made = planning.make_backfill(project, request, common.runs, read_clock, listener)
    return describe_run("backfill", made)
