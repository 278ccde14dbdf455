"""Loading a plan into SCM: everything is sent, and every planned row has its outcome.

All that is sent is in the journal before it is sent. Called again after a stop, a load continues
where it was.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import filelock

from pipeline.errors import P2cError, Stopped, during
from pipeline.load.order import Order
from pipeline.load.results import Loaded, remember_arrived, write_results
from pipeline.load.sending import send


def load(order: Order) -> Loaded:
    """Load a plan, or finish a load that was stopped.

    It writes ``packages/``, ``answers/``, ``before/``, ``batches.parquet`` and
    ``outcomes.parquet``, and adds to ``findings.parquet`` and to the memory of the destination. The
    caller holds the run's lock and has checked the plan.

    Raises:
        Stopped: SCM or the disk failed, or another process is loading into this destination; the
            same command continues.
        InvariantBroken: the run folder was altered.
    """
    with _destination_locked(order):
        try:
            send(order)
        except BaseException:
            with contextlib.suppress(P2cError):
                remember_arrived(order)
            raise
        return write_results(order)


@contextlib.contextmanager
def _destination_locked(order: Order) -> Iterator[None]:
    """Two loads into one destination would import at the same time and forget each other's rows."""
    folder = order.folder.path.parent / "loaded" / order.destination
    with during("remembering what was loaded"):
        folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise Stopped(
            "another process is loading into this destination.", where=order.destination
        ) from error
    try:
        yield
    finally:
        lock.release()
