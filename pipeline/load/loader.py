"""Loading a plan into SCM: everything is sent, and every planned row has its outcome.

All that is sent is in the journal before it is sent. Called again after a stop, a load continues
where it was.
"""

from __future__ import annotations

import contextlib

from pipeline.errors import P2cError
from pipeline.load.order import LoadOrder
from pipeline.load.results import LoadResult, remember_arrived, write_results
from pipeline.load.sending import send_units
from pipeline.run.files import locked
from pipeline.run.memory import blaming_memory, find_memory_folder, list_whole_memories


def load_plan(order: LoadOrder) -> LoadResult:
    """Load a plan, or finish a load that was stopped.

    It writes ``packages/``, ``answers/``, ``before/``, ``batches.parquet`` and
    ``outcomes.parquet``, and adds to ``findings.parquet`` and to the memory of the destination. The
    caller holds the run's lock and has checked the plan.

    Raises:
        Stopped: SCM or the disk failed, or another process is loading into this destination; the
            same command continues.
        InvariantBroken: the run folder was altered.
    """
    destination = find_memory_folder(order.folder.path.parent, order.destination)
    # Two loads at the same time would forget each other's rows.
    with (
        locked(destination, "another process is loading into this destination."),
        blaming_memory(order.folder.path.parent, order.destination),
    ):
        list_whole_memories(order.folder.path.parent, order.destination)
        try:
            send_units(order)
        except KeyboardInterrupt:  # Nobody waits for the memory then: the next start writes it.
            raise
        except BaseException:
            with contextlib.suppress(P2cError):
                remember_arrived(order)
            raise
        return write_results(order)
