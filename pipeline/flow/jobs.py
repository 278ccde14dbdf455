"""Jobs, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future

from pipeline.flow.threads import WorkerThreads, wait_for_first

Job = Callable[[], int]
"""Something to be sent; answers how many rows it was."""

_THREADS = 50


def run_jobs(
    jobs: Iterable[Job],
    workers: Callable[[], int],
    report: Callable[[int], None],
    stop: Callable[[], None],
) -> None:
    """Run jobs; the first failure lets those under way end and begins no other.

    Args:
        jobs: taken one by one, when there is room for it.
        workers: how many at once, asked before each job; one runs in this thread.
        report: hears of the rows of every job that ended.
        stop: called at the first failure, Ctrl-C too, so that jobs under way need not wait any
            longer.
    """
    with WorkerThreads(_THREADS, thread_name_prefix="load") as pool:
        try:
            _run(pool, jobs, workers, report)
        except BaseException:
            stop()
            raise


def _run(
    pool: WorkerThreads,
    jobs: Iterable[Job],
    workers: Callable[[], int],
    report: Callable[[int], None],
) -> None:
    running: set[Future[int]] = set()
    for job in jobs:
        if workers() == 1 and not running:
            report(job())
            continue
        running.add(pool.submit(job))
        while len(running) >= workers():
            running = _report_first(running, report)
    while running:
        running = _report_first(running, report)


def _report_first(running: set[Future[int]], report: Callable[[int], None]) -> set[Future[int]]:
    ready, rest = wait_for_first(running)
    for future in ready:
        report(future.result())
    return rest
