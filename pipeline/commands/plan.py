"""``p2c plan`` and ``p2c backfill`` as typed calls."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pipeline.backfill import planning
from pipeline.commands.answers import append_text, describe_run
from pipeline.commands.options import Flags, read_clock
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
    made = make.make_plan(common.load(), request, common.runs, read_clock, listener)
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
    return describe_run(
        "backfill",
        planning.make_backfill(common.load(), request, common.runs, read_clock, listener),
    )
