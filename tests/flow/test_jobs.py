"""Jobs side by side: a failure ends the waiting of the others and begins no new one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pipeline.flow.jobs import Job, run_jobs


def test_all_jobs_are_run_and_no_more_at_once_than_wanted() -> None:
    lock, running, most = threading.Lock(), 0, 0
    done: list[int] = []

    def job() -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.005)
        with lock:
            running -= 1
        return 2

    run_jobs([job] * 12, lambda: 3, done.append)
    assert (sum(done), most) == (24, 3)


def test_the_first_failure_stops_who_waits_and_begins_nothing_more() -> None:
    stopped, begun = threading.Event(), []

    def waiting() -> int:
        assert stopped.wait(10)
        return 1

    def failing() -> int:
        raise LookupError

    def jobs() -> Iterator[Job]:
        for job in (waiting, failing, waiting, waiting):
            begun.append(job)
            yield job

    with pytest.raises(LookupError):
        run_jobs(jobs(), lambda: 2, lambda _rows: None, stopped.set)
    assert len(begun) == 2
