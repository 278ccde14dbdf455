"""``p2c apply`` and ``p2c run`` as typed calls."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pipeline.apply import execute
from pipeline.apply.consent import Ask, agree_silently
from pipeline.backfill import planning
from pipeline.commands.against import PREVIOUS, Against
from pipeline.commands.answers import append_text, describe_run, require_whole
from pipeline.commands.finishing import add_finished, finish_write_backs, settle_runs
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.errors import UsageError, count_of
from pipeline.events import Listener
from pipeline.plan.request import PlanRequest
from pipeline.run import folder


def apply_run(common: Flags, run: str, listener: Listener, ask: Ask = agree_silently) -> Result:
    """``apply``."""
    found = folder.find_run(common.runs, run)
    before = found.read_summary().applied
    execute.apply_plan(found, lambda: common.today(found.facts()), read_clock, listener, ask)
    if before:
        require_whole(found)
    result = describe_run("apply", found, values=common.values)
    text = "This plan was already applied to the end; nothing was done now."
    return replace(result, text=partial(append_text, result, text)) if before else result


def plan_and_apply(
    common: Flags,
    request: PlanRequest,
    listener: Listener,
    ask: Ask = agree_silently,
    against: str | None = PREVIOUS,
) -> Result:
    """``run``: plan and apply.

    A load into this destination that was stopped is finished first: the plan then knows what
    arrived.
    """
    compared = Against.read(common, against)
    project = common.load()
    before = settle_runs(common, project, listener, ask)
    made = compared.make_plan(common, project, request, listener)
    execute.apply_plan(made, lambda: project, read_clock, listener, ask)
    result = compared.add_changes(describe_run("run", made, values=common.values), made)
    return add_finished(result, before)


def backfill_plan_and_apply(
    common: Flags,
    request: PlanRequest,
    listener: Listener,
    ask: Ask,
    against: str | None = PREVIOUS,
) -> Result:
    """``run --backfill``: backfill, apply, plan, apply.

    The plan reads Sales again, so it contains what was filled in. A backfill of this Sales that was
    stopped is finished first.
    """
    project = common.load()
    if project.sales is None:
        raise UsageError(
            "--backfill writes into a live Sales. On files: `p2c backfill`, `p2c apply`, import "
            "the files in Sales, export again."
        )
    before = finish_write_backs(common.runs, project, listener, ask)
    wanted = PlanRequest(limit=request.limit, only=request.only, command="backfill")
    filled = planning.make_backfill(project, wanted, common.runs, read_clock, listener)
    facts = execute.apply_plan(filled, lambda: project, read_clock, listener, ask)
    result = plan_and_apply(common, request, listener, ask, against)
    text = (
        f"Before it, the backfill {filled.run} changed "
        f"{count_of(facts.outcomes['updated'], 'contact')} in Sales."
    )
    told = replace(
        result,
        exit_code=max(result.exit_code, facts.exit_code),
        text=partial(append_text, result, text),
    )
    return add_finished(told, before)
