"""Jobs side by side: a failure ends the waiting of the others and begins no new one."""

from __future__ import annotations

import threading
import time
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

    run_jobs([job] * 12, lambda: 3, done.append, lambda: None)
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


def test_an_interrupt_does_not_wait_for_a_job_that_does_not_end() -> None:
    """As for a request whose answer takes minutes."""
    answered, begun = threading.Event(), time.monotonic()

    def waiting() -> int:
        answered.wait(30)
        return 1

    def report(_rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_jobs([waiting, lambda: 1], lambda: 2, report, lambda: None)
    assert time.monotonic() - begun < 5
    answered.set()
