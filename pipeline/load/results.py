"""What a load leaves behind: outcomes, batches, findings, and the memory of what arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.load import remember
from pipeline.load.odata.before_images import gather_images
from pipeline.load.order import LoadOrder, LoadTask
from pipeline.load.outcome import list_batches, read_outcomes
from pipeline.load.packages.folder import WRITTEN
from pipeline.run import findings
from pipeline.run.files import TableWriter, hash_file, write_table
from pipeline.run.journal import Entry, read_journal
from pipeline.run.ledger import EndedUnit, list_ended_units, list_unit_findings
from pipeline.run.memory import find_memory
from schemas.run import OUTCOMES


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadResult:
    """What a load came to: rows by outcome, findings added by code, and hashes of its tables."""

    outcomes: Mapping[str, int]
    findings: Mapping[str, int]
    files: Mapping[str, str]


def write_results(order: LoadOrder) -> LoadResult:
    """Write the tables of a load of which every unit has ended.

    Raises:
        Stopped: the disk failed.
        InvariantBroken: the run folder was altered.
    """
    entries = read_journal(order.folder.journal).entries
    units = list_ended_units(entries)
    changed: list[pl.DataFrame] = []
    with TableWriter(order.folder.outcomes, OUTCOMES) as writer:

        def keep(frame: pl.DataFrame) -> None:
            writer.write(frame)
            changed.append(frame.filter(pl.col("code") == findings.CHANGED))

        counts = _remember(order, units, keep)
    write_table(order.folder.batches, list_batches(units, _list_packages(entries)))
    gather_images(order.folder, order.journal)
    added = findings.add_findings(
        order.folder,
        order.journal,
        list_unit_findings(units),
        pl.concat(changed) if changed else None,
    )
    files = {path.name: hash_file(path) for path in (order.folder.batches, order.folder.outcomes)}
    return LoadResult(outcomes=counts, findings=added, files=files)


def remember_arrived(order: LoadOrder) -> None:
    """Put into the memory what arrived so far. Raises as ``write_results`` does."""
    _remember(order, list_ended_units(read_journal(order.folder.journal).entries), None)


def _remember(
    order: LoadOrder, units: Sequence[EndedUnit], keep: Callable[[pl.DataFrame], None] | None
) -> Counter[str]:
    """Put what arrived into the memory, and all outcomes to where they are kept.

    The journal says when that is done.
    """
    counts: Counter[str] = Counter()
    for task in order.tasks:
        path = find_memory(order.folder.path.parent, order.destination, task.name)
        rows = _count(order, task, units, keep, counts)
        remember.update_memory(path, rows, str(order.folder.run), undoes=order.undoes)
    order.journal.append(remember.REMEMBERED, outcomes=dict(counts))
    return counts


def _count(
    order: LoadOrder,
    task: LoadTask,
    units: Sequence[EndedUnit],
    keep: Callable[[pl.DataFrame], None] | None,
    counts: Counter[str],
) -> Iterator[pl.DataFrame]:
    """The outcomes of a task, counted and kept as they pass."""
    places, known = order.places(task.name), order.known(task)
    for frame in read_outcomes(order.folder, task.name, units, places, known):
        counts.update(dict(frame["outcome"].value_counts().iter_rows()))
        if keep is not None:
            keep(frame.select(OUTCOMES.names()))
        yield frame


def _list_packages(entries: Sequence[Entry]) -> dict[tuple[str, str, int], Mapping[str, Any]]:
    """What the journal says of each package."""
    lines = [entry.payload for entry in entries if entry.event == WRITTEN]
    return {(one["task"], one["legal_entity"], one["batch"]): one for one in lines}
