"""Loading a plan into SCM: everything is sent, and every planned row has its outcome.

All that is sent is in the journal before it is sent; called again after a stop, a load goes on
where it was.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.errors import P2cError
from pipeline.load import remember
from pipeline.load.odata import before_images
from pipeline.load.order import Order, Task
from pipeline.load.outcome import batches, outcomes
from pipeline.load.packages.folder import WRITTEN
from pipeline.load.sending import known, send
from pipeline.run import findings
from pipeline.run.files import TableWriter, locked, sha256_of, write_table
from pipeline.run.journal import Entry, read
from pipeline.run.ledger import Ended, ended, findings_of_units
from pipeline.run.memory import folder_of, path_of
from schemas.run import OUTCOMES


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """What a load came to: rows by outcome, findings added by code, the hashes of the tables that it wrote."""

    outcomes: Mapping[str, int]
    findings: Mapping[str, int]
    files: Mapping[str, str]


def load(order: Order) -> Loaded:
    """Load a plan, or finish a load that was stopped.

    It writes ``packages/``, ``answers/``, ``before/``, ``batches.parquet`` and
    ``outcomes.parquet``, and adds to ``findings.parquet`` and to the memory of the destination. The
    caller holds the run's lock and has checked the plan.

    Raises:
        Stopped: SCM or the disk failed, or another process loads into this destination; the same
            command goes on.
        InvariantBroken: the run folder was altered.
    """
    destination = folder_of(order.folder.path.parent, order.destination)
    # Two loads at the same time would forget each other's rows.
    with locked(destination, "another process is loading into this destination."):
        try:
            send(order)
        except BaseException:
            with contextlib.suppress(P2cError):
                _remember(order, _units(order), None)
            raise
        return _finished(order)


def _entries(order: Order) -> tuple[Entry, ...]:
    return read(order.folder.journal).entries


def _units(order: Order) -> list[Ended]:
    return ended(_entries(order))


def _finished(order: Order) -> Loaded:
    units = _units(order)
    counts: Counter[str] = Counter()
    with TableWriter(order.folder.outcomes, OUTCOMES) as writer:
        counts += _remember(order, units, writer)
    write_table(order.folder.batches, batches(units, _packages(_entries(order))))
    before_images.gather(order.folder, order.journal)
    added = findings.add(order.folder, order.journal, findings_of_units(units))
    files = {path.name: sha256_of(path) for path in (order.folder.batches, order.folder.outcomes)}
    return Loaded(outcomes=counts, findings=added, files=files)


def _remember(order: Order, units: Sequence[Ended], writer: TableWriter | None) -> Counter[str]:
    """Put what arrived into the memory, and all outcomes into a table.

    The journal says when that is done.
    """
    counts: Counter[str] = Counter()
    for task in order.tasks:
        path = path_of(order.folder.path.parent, order.destination, task.name)
        rows = _counted(order, task, units, writer, counts)
        remember.remember(path, rows, str(order.folder.run), undoes=order.undoes)
    order.journal.append(remember.REMEMBERED, outcomes=dict(counts))
    return counts


def _counted(
    order: Order,
    task: Task,
    units: Sequence[Ended],
    writer: TableWriter | None,
    counts: Counter[str],
) -> Iterator[pl.DataFrame]:
    for frame in outcomes(
        order.folder, task.name, units, order.places(task.name), known(order, task)
    ):
        counts.update(dict(frame["outcome"].value_counts().iter_rows()))
        if writer is not None:
            writer.write(frame.select(OUTCOMES.names()))
        yield frame


def _packages(entries: Sequence[Entry]) -> dict[tuple[str, str, int], Mapping[str, Any]]:
    """What the journal says of each package."""
    lines = [entry.payload for entry in entries if entry.event == WRITTEN]
    return {(one["task"], one["legal_entity"], one["batch"]): one for one in lines}
