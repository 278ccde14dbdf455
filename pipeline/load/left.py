"""Rows that a system has no time for, while it has for others: these go on without them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from pipeline.flow.jobs import Job
from pipeline.wire.once import Busy


class RowsLeft(Busy):
    """A system has no time for a few rows of a unit, which has not ended: the same command goes on.

    It had time for other rows of the unit.
    """


@contextmanager
def leaving_rows() -> Iterator[Callable[[Iterable[Job]], Iterator[Job]]]:
    """Jobs that do not fail by rows that are left, so that those behind them get their turn.

    The block is given a function that makes such jobs of others.

    Raises:
        RowsLeft: at the end of the block, where rows were left.
    """
    left: list[RowsLeft] = []

    def spare(jobs: Iterable[Job]) -> Iterator[Job]:
        return (partial(_run, job, left) for job in jobs)

    yield spare
    if left:
        raise left[0]


def _run(job: Job, left: list[RowsLeft]) -> int:
    try:
        return job()
    except RowsLeft as stopped:
        left.append(stopped)
        return 0
