"""A backfill written into Sales: numbers reserved, rows written, outcomes told.

Called again after a stop, it goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import polars as pl

from pipeline.backfill.counter import Wanted
from pipeline.backfill.reserve import gaps, held, reserve
from pipeline.backfill.results import PLAN, RESULT, write_results
from pipeline.backfill.shares import Numbering, shares
from pipeline.backfill.writing import Writer
from pipeline.errors import InvariantBroken
from pipeline.events import Listener, Step
from pipeline.flow.jobs import Job, run_jobs
from pipeline.load.outcome import batches
from pipeline.run.files import sha256_of, write_table
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Entry, Journal, read
from pipeline.run.ledger import Ledger, ended
from pipeline.wire.salesrows import SalesRows

FELL_BACK: Final = "counter_fell_back"


@dataclass(frozen=True, kw_only=True)
class WriteBack:
    """One backfill to be written.

    ``size``: rows of a request; ``in_bulk``: by ``UpdateMultiple``, into a locked Sales.
    """

    folder: RunFolder
    journal: Journal
    sales: SalesRows
    wanted: Wanted
    size: int
    in_bulk: bool
    listener: Listener


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenBack:
    """Rows by outcome, findings of the run as code and detail, the hashes of the tables that were written."""

    outcomes: Mapping[str, int]
    findings: Sequence[tuple[str, str]]
    files: Mapping[str, str]


def write_back(order: WriteBack) -> WrittenBack:
    """Write a backfill's plan into Sales, or finish one that was stopped.

    The caller holds the run's lock and has checked the plan. ``backfill.parquet``,
    ``outcomes.parquet`` and ``batches.parquet`` are written at the end; ``answers/`` on the way.

    Raises:
        PlanRefused: numbers cannot be reserved as planned; nothing was written.
        Stopped: Sales or the disk failed; the same command goes on.
        InvariantBroken: the plan's ranks are not 0 to n - 1 of the n numbers that it wants.
    """
    _refuse_uncounted(order)
    pace = order.sales.system.pace
    pace.resume()
    base = reserve(order.sales, order.journal, order.wanted) if order.wanted.count else None
    numbering = None if base is None else Numbering(prefix=order.wanted.prefix, base=base)
    run_jobs(_jobs(order, numbering), lambda: pace.limit, _Progress(order).add, pace.halt)
    if base is not None:
        held(order.sales, order.journal, order.wanted, base)
    entries = read(order.folder.journal).entries
    units = ended(entries)
    counts = write_results(order.folder, units, order.size, numbering)
    write_table(order.folder.batches, batches(units, {}))
    files = [order.folder.batches, order.folder.outcomes, order.folder.path / RESULT]
    return WrittenBack(
        outcomes=counts,
        findings=_findings(entries),
        files={path.name: sha256_of(path) for path in files},
    )


def _refuse_uncounted(order: WriteBack) -> None:
    """A rank beyond the reservation would be somebody else's number."""
    rank = pl.col("rank")
    plan = pl.scan_parquet(order.folder.path / PLAN, glob=False)
    found = plan.select(n=rank.count(), different=rank.drop_nulls().n_unique(), last=rank.max())
    count, different, last = found.collect().row(0)
    if count != order.wanted.count or different != count or (count and last != count - 1):
        told = (
            f"its {count:,} ranks do not fit the {order.wanted.count:,} numbers that run.json "
            "wants."
        )
        raise InvariantBroken(told, where=PLAN)


def _jobs(order: WriteBack, numbering: Numbering | None) -> Iterator[Job]:
    """One job per share whose rows have no outcome yet."""
    ledger = Ledger(order.folder, order.journal)
    writer: Writer | None = None
    for share in shares(order.folder.path / PLAN, order.size, numbering):
        if not ledger.is_ended(share.unit):
            writer = writer or Writer(
                sales=order.sales, ledger=ledger, caller=order.sales.caller(), in_bulk=order.in_bulk
            )
            yield partial(writer.write, share)


class _Progress:
    """Rows written, told to the listener."""

    def __init__(self, order: WriteBack) -> None:
        self._order = order
        self._lock = threading.Lock()
        self._done = sum(int(one.facts["rows"]) for one in ended(order.journal.entries))
        plan = pl.scan_parquet(order.folder.path / PLAN, glob=False)
        self._total = int(plan.select((pl.col("action") != "none").sum()).collect().item())

    def add(self, rows: int) -> None:
        with self._lock:
            self._done += rows
            self._order.listener(Step(name="writing", done=self._done, total=self._total))


def _findings(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    lost = [("number_gap", f"{first} to {last}") for first, last in gaps(entries)]
    fallen = [(FELL_BACK, str(one.payload["found"])) for one in entries if one.event == FELL_BACK]
    return [*lost, *fallen]
