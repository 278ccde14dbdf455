"""Threads that an interrupted command does not wait for, and waits that hear signals.

A library may have system calls restarted after a signal (importing Polars does so for Ctrl-C); the
main thread, which alone answers signals, would sleep on in a wait without an end. So every wait has
one, and begins again.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Final, TypeVar

Made = TypeVar("Made")

TICK: Final = 0.25
"""Seconds of one wait; a signal is heard after it at the latest."""

_GRACE: Final = 1.0
"""Seconds in which the work of an interrupted block may end."""


class WorkerThreads(ThreadPoolExecutor):
    """Threads of a block. It waits for their work, unless it is interrupted.

    After Ctrl-C, a thread that does not end soon is left behind: it may be waiting for an answer
    that takes minutes, and what it sent is looked up by the next start.
    """

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if error is None or isinstance(error, Exception):
            self.shutdown(wait=True, cancel_futures=error is not None)
            return None
        self.shutdown(wait=False, cancel_futures=True)
        end = time.monotonic() + _GRACE
        for thread in list(self._threads):
            thread.join(max(0.0, end - time.monotonic()))
        return None


def wait_for_first(
    running: Collection[Future[Made]],
) -> tuple[set[Future[Made]], set[Future[Made]]]:
    """Wait until one has ended: those that have, and the rest. Signals are heard meanwhile."""
    while True:
        ready, rest = wait(running, timeout=TICK, return_when=FIRST_COMPLETED)
        if ready or not running:
            return ready, rest


def get_result(future: Future[Made]) -> Made:
    """What a future comes to; signals are heard meanwhile. Raises what its work raised."""
    wait_for_first([future])
    return future.result()
