"""The tables of a backfill's plan in the run folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import polars as pl

from pipeline.backfill.results import PLAN, RESULT
from pipeline.errors import during
from pipeline.flow.threads import get_result
from pipeline.plan.record import tabulate_unreadable
from pipeline.plan.request import Planning
from pipeline.run.files import TableWriter, write_table
from pipeline.run.findings import RunFinding, frame_run_findings
from pipeline.run.private import copy_file
from schemas.run import BACKFILL, BATCHES, FINDINGS, OUTCOMES


def write_plan_tables(
    planning: Planning,
    morsels: Iterator[tuple[pl.DataFrame, pl.DataFrame]],
    of_run: Sequence[RunFinding],
    progress: Callable[[], None],
) -> None:
    """Write what was decided, morsel after morsel, in a thread of its own.

    Args:
        planning: the plan.
        morsels: rows and findings.
        of_run: findings of the run as a whole.
        progress: called after each morsel.
    """
    folder = planning.folder
    with (
        TableWriter(folder.path / PLAN, BACKFILL) as plan,
        TableWriter(folder.findings, FINDINGS) as findings,
        ThreadPoolExecutor(1) as writing,  # It rests before a writer closes.
    ):
        findings.write(tabulate_unreadable(planning.source.landed))
        pending: list[Future[None]] = []
        for frame, found in morsels:
            for one in pending:
                get_result(one)
            pending = [writing.submit(plan.write, frame), writing.submit(findings.write, found)]
            progress()
        for one in pending:
            get_result(one)
        findings.write(frame_run_findings(list(of_run)))
    with during(f"writing {RESULT}"):
        copy_file(folder.path / PLAN, folder.path / RESULT)
    write_table(folder.outcomes, OUTCOMES.to_frame())
    write_table(folder.batches, BATCHES.to_frame())
