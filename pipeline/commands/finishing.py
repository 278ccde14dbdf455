"""Earlier runs, settled before ``p2c run`` plans anything.

Old ones lose their personal data, and those that were stopped while they were applied are finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.apply.consent import Ask
from pipeline.apply.execute import apply_plan
from pipeline.commands.answers import append_text
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.purge import remove_expired
from pipeline.commands.result import Result
from pipeline.events import Listener
from pipeline.project.resolve import Project
from pipeline.run.folder import RunFolder
from pipeline.run.summary import Summary
from pipeline.run.unfinished import find_unfinished_loads, find_unfinished_write_backs


def settle_runs(common: Flags, project: Project, listener: Listener, ask: Ask) -> list[Summary]:
    """Remove personal data of old runs, if the project says so, and finish stopped loads.

    Returns the facts of the loads into the project's destination that were finished. Raises as
    ``apply_plan`` does.
    """
    remove_expired(common, project, listener)
    stopped = find_unfinished_loads(common.runs, project.settings.destination.name)
    return _finish(stopped, project, listener, ask)


def finish_write_backs(runs: Path, project: Project, listener: Listener, ask: Ask) -> list[Summary]:
    """Finish the backfills of the project's Sales that were stopped; their facts after it.

    Raises as ``apply_plan`` does.
    """
    if project.sales is None:
        return []
    stopped = find_unfinished_write_backs(runs, project.sales.url)
    return _finish(stopped, project, listener, ask)


def _finish(
    stopped: Sequence[RunFolder], project: Project, listener: Listener, ask: Ask
) -> list[Summary]:
    return [apply_plan(one, lambda: project, read_clock, listener, ask) for one in stopped]


def add_finished(result: Result, before: Sequence[Summary]) -> Result:
    """A result that also says which stopped runs were finished before."""
    if not before:
        return result
    lines = [
        f"Before it, the run {one.run}, which had been stopped, was finished: "
        f"{_count_outcomes(one)}."
        for one in before
    ]
    items = [{"finished": one.run, "outcomes": dict(one.outcomes)} for one in before]
    return replace(
        result,
        exit_code=max(result.exit_code, *(one.exit_code for one in before)),
        items=[*items, *result.items],
        text=partial(append_text, result, "\n".join(lines)),
    )


def _count_outcomes(facts: Summary) -> str:
    found = [f"{rows:,} {name}" for name, rows in facts.outcomes.items() if rows]
    return ", ".join(found) or "0 rows"
