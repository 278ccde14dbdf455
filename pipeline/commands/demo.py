"""``p2c demo``: the whole job on the samples, held against what must come out.

Between the sandbox's systems, or on files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from pipeline.commands import report
from pipeline.commands.answers import append_text
from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.commands.reconcile import reconcile_run
from pipeline.commands.result import Result
from pipeline.commands.sandbox import fill_sandbox, require_sandbox
from pipeline.events import Listener, Step
from pipeline.plan.request import PlanRequest
from pipeline.samples.expected import Expected, expect_rows
from pipeline.samples.generate import write_temporary_samples

_AS_EXPECTED: Final = "The samples ended as they should."
_OTHERWISE: Final = "The samples did not end as they should: a defect of p2c."


def demonstrate(
    runs: Path, listener: Listener, expect: Callable[[], Sequence[Expected]] = expect_rows
) -> Result:
    """Read the samples out of a Sales, load them into an SCM, both served by this process.

    Read SCM back, write the report.

    Args:
        runs: where the run goes.
        listener: hears of progress.
        expect: gives what must become of each row.

    Returns:
        The run; exit code 0 when the samples ended as they should, 4 when they did not.
    """
    require_sandbox("p2c demo", "; p2c demo --offline works without them")
    listener(Step(name="starting Sales and SCM", done=0))
    with write_temporary_samples() as samples, fill_sandbox(samples) as project:
        result = plan_and_apply(
            Flags(project=project, runs=runs), PlanRequest(command="demo"), listener
        )
        run = result.summary.run
        compared = reconcile_run(Flags(runs=runs), run, scm=(), listener=listener)
    page = report.report_run(Flags(runs=runs), run, to=None, values=False, listener=listener).items[
        0
    ]["file"]
    rows = [one for one in expect() if one.live is not None]
    refused = sum(one.refused for one in rows)
    outcomes = {name: count for name, count in result.summary.outcomes.items() if count}
    as_expected = (
        _count_reasons(str(one.live) for one in rows) == result.summary.reasons
        and outcomes.get("failed", 0) == refused
    )
    arrived = sum(outcomes.values()) == outcomes.get("created", 0) + refused
    more = (
        f"Read back {compared.lines(0).splitlines()[0]}",
        f"Report    {page}",
        f"Refused   p2c findings {run}{_name_runs_flag(runs)}",
        (
            "Files     p2c demo --offline does the same from exported files into packages to "
            "import by hand"
        ),
        "Rehearse  p2c sandbox serves both systems for as long as you like",
        "",
    )
    return _end(result, more, same=as_expected and arrived and compared.exit_code == 0)


def demonstrate_offline(
    runs: Path, listener: Listener, expect: Callable[[], Sequence[Expected]] = expect_rows
) -> Result:
    """The same on files: exports in, packages out. Returns as :func:`demonstrate` does."""
    with write_temporary_samples() as samples:
        result = plan_and_apply(
            Flags(project=samples / "p2c.toml", runs=runs), PlanRequest(command="demo"), listener
        )
    rows = [one for one in expect() if one.is_contact]
    return _end(
        result,
        (),
        same=_count_reasons(f"{one.decision}/{one.reason}" for one in rows)
        == result.summary.reasons,
    )


def _name_runs_flag(runs: Path) -> str:
    return "" if runs == Path("runs") else f" --runs {runs}"


def _count_reasons(found: Iterator[str]) -> dict[str, int]:
    return dict(Counter(found))


def _end(result: Result, more: tuple[str, ...], *, same: bool) -> Result:
    same = same and result.summary.balanced
    text = "\n".join([*more, _AS_EXPECTED if same else _OTHERWISE])
    return replace(
        result, command="demo", exit_code=0 if same else 4, text=partial(append_text, result, text)
    )
