"""Shares on their way into Sales, as many at a time as Sales likes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import polars as pl

from pipeline.backfill.order import WriteBack
from pipeline.backfill.results import PLAN
from pipeline.backfill.shares import Numbering, WriteShare, read_shares
from pipeline.backfill.writing import Updates
from pipeline.flow.jobs import Job, run_jobs
from pipeline.load.delivery import deliver
from pipeline.load.left import leaving_rows
from pipeline.load.tally import LoadTally
from pipeline.run.ledger import Ledger


def send(order: WriteBack, numbering: Numbering | None) -> None:
    """Send every share that has not ended yet."""
    plan = pl.scan_parquet(order.folder.path / PLAN, glob=False)
    total = int(plan.select((pl.col("action") != "none").sum()).collect().item())
    tally = LoadTally("writing", order.journal.entries, total, order.listener)
    pace = order.sales.system.pace
    with leaving_rows() as spare:
        jobs = spare(_list_jobs(order, numbering, tally))
        run_jobs(jobs, lambda: pace.limit, tally.add, pace.halt)


def _list_jobs(order: WriteBack, numbering: Numbering | None, tally: LoadTally) -> Iterator[Job]:
    """One job per share whose rows have no outcome yet."""
    ledger = Ledger(order.folder, order.journal)
    caller: str | None = None
    for share in read_shares(order.folder.path / PLAN, order.size, numbering):
        if not ledger.is_ended(share.unit):
            caller = order.sales.caller() if caller is None else caller
            yield partial(_deliver, order, share, caller, ledger, tally)


def _deliver(
    order: WriteBack, share: WriteShare, caller: str, ledger: Ledger, tally: LoadTally
) -> int:
    talk = Updates(sales=order.sales, caller=caller, rows=share.rows, in_bulk=order.in_bulk)
    sleep = order.sales.system.pace.sleep
    return deliver(share.unit, talk, ledger, sleep, tally.note)["rows"]
