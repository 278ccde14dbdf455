"""A backfill written into Sales: numbers reserved, rows written, outcomes recorded.

Called again after a stop, it continues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from pipeline.backfill.order import WriteBack
from pipeline.backfill.reserve import find_gaps, hold_counter, reserve
from pipeline.backfill.results import PLAN, RESULT, write_backfill_results
from pipeline.backfill.sending import send
from pipeline.backfill.shares import Numbering
from pipeline.errors import InvariantBroken
from pipeline.load.outcome import list_batches
from pipeline.run.files import hash_file, write_table
from pipeline.run.journal import Entry, read_journal
from pipeline.run.ledger import list_ended_units

FELL_BACK: Final = "counter_fell_back"


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteBackResult:
    """Rows by outcome, findings of the run as code and detail, and hashes of its tables."""

    outcomes: Mapping[str, int]
    findings: Sequence[tuple[str, str]]
    files: Mapping[str, str]


def write_back(order: WriteBack) -> WriteBackResult:
    """Write a backfill's plan into Sales, or finish one that was stopped.

    The caller holds the run's lock and has checked the plan. ``backfill.parquet``,
    ``outcomes.parquet`` and ``batches.parquet`` are written at the end; ``answers/`` on the way.

    Raises:
        PlanRefused: numbers cannot be reserved as planned; nothing was written.
        Stopped: Sales or the disk failed; the same command continues.
        InvariantBroken: the plan's ranks are not 0 to n - 1 of the n numbers that it wants.
    """
    _refuse_uncounted(order)
    order.sales.system.pace.resume()
    numbering = _reserve(order)
    send(order, numbering)
    if numbering is not None:
        hold_counter(order.sales, order.journal, order.wanted, numbering.base)
    entries = read_journal(order.folder.journal).entries
    units = list_ended_units(entries)
    counts = write_backfill_results(order.folder, units, order.size, numbering)
    write_table(order.folder.batches, list_batches(units, {}))
    files = [order.folder.batches, order.folder.outcomes, order.folder.path / RESULT]
    return WriteBackResult(
        outcomes=counts,
        findings=_list_findings(entries),
        files={path.name: hash_file(path) for path in files},
    )


def _refuse_uncounted(order: WriteBack) -> None:
    """A rank beyond the reservation would be somebody else's number."""
    rank = pl.col("rank")
    plan = pl.scan_parquet(order.folder.path / PLAN, glob=False)
    found = plan.select(n=rank.count(), different=rank.drop_nulls().n_unique(), last=rank.max())
    count, different, last = found.collect().row(0)
    wanted = order.wanted.count
    if count != wanted or different != count or (count and last != count - 1):
        raise InvariantBroken(
            f"its {count:,} ranks do not fit the {wanted:,} numbers that run.json asks for.",
            where=PLAN,
        )


def _reserve(order: WriteBack) -> Numbering | None:
    """What the plan's ranks become; null when it has none."""
    if not order.wanted.count:
        return None
    base = reserve(order.sales, order.journal, order.wanted)
    return Numbering(prefix=order.wanted.prefix, base=base)


def _list_findings(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    lost = [("number_gap", f"{first} to {last}") for first, last in find_gaps(entries)]
    fallen = [(FELL_BACK, str(one.payload["found"])) for one in entries if one.event == FELL_BACK]
    return [*lost, *fallen]
