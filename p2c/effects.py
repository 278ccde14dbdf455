"""What touches the two systems: a plan is applied, and what SCM has is compared with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from p2c.run import Run
from pipeline.apply.consent import Ask, Question
from pipeline.apply.execute import apply_plan
from pipeline.commands.options import read_clock
from pipeline.commands.reconcile import reconcile_run
from pipeline.errors import UsageError
from pipeline.events import Listener, report_nothing
from pipeline.project.resolve import Project


def apply(
    run: Run,
    *,
    project: Project | None = None,
    agreed: bool = False,
    listener: Listener = report_nothing,
) -> Run:
    """Execute a plan. One that was stopped continues where it stopped.

    Args:
        run: any plan: of the main job, a backfill, a retry, an undo.
        project: today's project; none: the plan's own file is read again.
        agreed: send to systems beyond this machine. Folder loads need no agreement.
        listener: is called with a ``Step`` as the work advances.

    Raises:
        UsageError: the plan would send to a system beyond this machine and ``agreed`` is not set;
            the text says what would be sent.
        P2cError: the plan is stale or altered, or the world failed; the same call continues.
    """

    def today() -> Project:
        return project or run.flags().today(run.folder.facts())

    apply_plan(run.folder, today, read_clock, listener, _asker(agreed=agreed))
    return run


def reconcile(
    run: Run, *, exports: Sequence[str | Path] = (), listener: Listener = report_nothing
) -> bool:
    """Whether SCM has the rows as they were planned. The differences are written into the folder.

    Args:
        run: a run that was applied.
        exports: exports of SCM's rows; none: SCM itself is asked.
        listener: is called with a ``Step`` as the work advances.
    """
    paths = [Path(one) for one in exports]
    return reconcile_run(run.flags(), run.id, scm=paths, listener=listener).exit_code == 0


def _asker(*, agreed: bool) -> Ask:
    def ask(question: Question) -> None:
        if not agreed:
            raise UsageError(f"nothing was sent; with agreed=True, apply sends.\n{question.text}")

    return ask
