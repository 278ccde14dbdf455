"""The ways to make a plan, and the project that it is made of."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from p2c.run import Run
from pipeline.backfill.planning import make_backfill
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.commands.retry import retry_run
from pipeline.commands.undo import undo_run
from pipeline.errors import UsageError
from pipeline.events import Listener, report_nothing
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.project import resolve
from pipeline.project.resolve import Project
from pipeline.run.folder import RunFolder


def load_project(
    file: str | Path | None = None,
    *,
    source: str | Path | None = None,
    settings: Mapping[str, object] | None = None,
) -> Project:
    """Read a project: its file, then the environment, then what is said here.

    Args:
        file: the project file; none: ``p2c.toml`` here, if there is one.
        source: a folder of exports, in place of ``[source] path``.
        settings: any setting by its dotted name, as in ``{"destination.legal_entity": "usmf"}``.

    Raises:
        P2cError: there is neither a file nor a source, or a setting or template is wrong.
    """
    return resolve.load_project(
        None if file is None else Path(file),
        source=None if source is None else Path(source),
        assignments=tuple(f"{key}={value}" for key, value in (settings or {}).items()),
        environment=os.environ,
    )


def plan(
    project: Project,
    *,
    runs: str | Path = "runs",
    limit: int | None = None,
    only: str | Path | None = None,
    full: bool = False,
    take_over: bool = False,
    changes: bool = False,
    listener: Listener = report_nothing,
) -> Run:
    """Decide for every contact where it goes. Nothing is sent.

    Args:
        project: what ``load_project`` gave.
        runs: the folder of runs; the new run is written below it.
        limit: take only the first so many contacts.
        only: take only the contactids in this file, one per line.
        full: send rows that did not change since the last load, too.
        take_over: overwrite keys that are in SCM although p2c never loaded them.
        changes: ask a live Sales only for what changed since the newest run that read it.
        listener: is called with a ``Step`` as the work advances.

    Returns:
        The run, whole on disk.

    Raises:
        P2cError: the project or the source is wrong (nothing was written), or the world failed.
    """
    request = PlanRequest(
        limit=limit,
        only=None if only is None else Path(only),
        full=full,
        take_over=take_over,
        changes=changes,
    )
    return Run(make_plan(project, request, Path(runs), read_clock, listener))


def backfill(
    project: Project,
    *,
    runs: str | Path = "runs",
    limit: int | None = None,
    only: str | Path | None = None,
    listener: Listener = report_nothing,
) -> Run:
    """Plan Contact Number and Is Active Customer for contacts that lack them.

    Nothing is written into Sales. The arguments are those of ``plan``.
    """
    request = PlanRequest(
        limit=limit, only=None if only is None else Path(only), command="backfill"
    )
    return Run(make_backfill(project, request, Path(runs), read_clock, listener))


def retry(
    run: Run,
    *,
    corrected: str | Path | None = None,
    codes: Sequence[str] = (),
    listener: Listener = report_nothing,
) -> Run | None:
    """Plan again what was held, rejected or failed.

    Args:
        run: the run to repeat in part.
        corrected: corrected rows, in the form of ``p2c findings --repair``.
        codes: only these codes; none: all.
        listener: is called with a ``Step`` as the work advances.

    Returns:
        The new plan; none when there is nothing to retry.
    """
    answer = retry_run(
        run.flags(),
        run.id,
        correction=None if corrected is None else Path(corrected),
        codes=codes,
        listener=listener,
    )
    made = _run_of(answer)
    return None if made == run else made


def undo(run: Run, *, source: str | Path | None = None, listener: Listener = report_nothing) -> Run:
    """Plan to take a load or a backfill back; ``apply`` of it does so.

    Args:
        run: the run to take back.
        source: for a backfill of files: the folder of a later export.
        listener: is called with a ``Step`` as the work advances.
    """
    flags = Flags(runs=run.path.parent, source=None if source is None else Path(source))
    return _run_of(undo_run(flags, run.id, listener))


def _run_of(answer: Result) -> Run:
    if answer.folder is None:
        raise UsageError("the command made no run.")
    return Run(RunFolder(Path(answer.folder)))
