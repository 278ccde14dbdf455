"""``p2c retry`` as a typed call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as changed
from pathlib import Path

from pipeline.commands.answers import answer_about, describe_run, require_load, require_whole
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.errors import count_of
from pipeline.events import Listener
from pipeline.plan import corrected, make, retry
from pipeline.plan.request import PlanRequest
from pipeline.plan.source import make_read_options
from pipeline.project.layers import find_source
from pipeline.run import folder
from pipeline.run.folder import RunFolder


def retry_run(
    common: Flags, run: str, *, correction: Path | None, codes: Sequence[str], listener: Listener
) -> Result:
    """``retry``: plan again what was held, rejected or failed."""
    found = folder.find_run(common.runs, run)
    require_whole(found)
    common = changed(common, runs=found.path.parent)
    why = "Only runs of `p2c plan`, `p2c run` and `p2c retry` hold or reject contacts."
    require_load(found, found.facts().kind, why)
    chosen = retry.choose_retried(found, codes)
    if not chosen.contactids and correction is None:
        return answer_about(
            found, "retry", text=f"There is nothing to retry.{_describe_nameless(chosen.nameless)}"
        )
    made = _plan_again(common, found, chosen, correction, listener)
    result = describe_run("retry", made, values=common.values)
    note = (
        f"This plan retries {count_of(len(chosen.contactids), 'contact')} of "
        f"{found.run}.{_describe_nameless(chosen.nameless)}"
    )
    return changed(result, text=lambda width: f"{result.lines(width)}\n\n{note}")


def _describe_nameless(count: int) -> str:
    return f" {count:,} have no readable contactid and must be exported again." if count else ""


def _plan_again(
    common: Flags,
    found: RunFolder,
    chosen: retry.RetryScope,
    correction: Path | None,
    listener: Listener,
) -> RunFolder:
    facts = found.facts()
    given = common if common.source is None else _read_from(common, common.source)
    project = given.today(facts)
    ids = list(chosen.contactids)
    with retry.retry_place(common.runs, found) as place:
        if correction is not None:
            options = make_read_options(project)
            columns = facts.columns["contacts"]
            overlay = corrected.lay_over(
                project.source_folder, correction, place / "source", columns, options
            )
            retry.flush_place(place)
            project = _read_from(given, overlay.folder).today(facts)
            ids += overlay.contactids
        request = PlanRequest(
            only=retry.write_only_file(place, ids), command="retry", retry_of=found.run
        )
        return make.make_plan(project, request, common.runs, read_clock, listener)


def _read_from(common: Flags, source: str | Path) -> Flags:
    """The same flags, with another folder of exports."""
    place = f"source.path={find_source(source)}"
    return changed(common, assignments=(*common.assignments, place))
