"""Units on their way, a few at a time: packages in their order, requests of batches in theirs."""

from __future__ import annotations

from pipeline.flow.jobs import run_jobs
from pipeline.load.left import leaving_rows
from pipeline.load.odata.jobs import list_request_jobs
from pipeline.load.order import LoadOrder
from pipeline.load.packages.jobs import import_jobs
from pipeline.load.tally import LoadTally
from pipeline.run.ledger import Ledger


def send_units(order: LoadOrder) -> None:
    """Send every unit that has not ended yet."""
    ledger = Ledger(order.folder, order.journal)
    total = int(order.planned["rows"].sum())
    tally = LoadTally("loading", order.journal.entries, total, order.listener)
    options, scm = order.options, order.scm
    scm.resume()
    with leaving_rows() as spare:
        for task in order.tasks:
            imports = import_jobs(order, task, ledger, tally.note)
            run_jobs(imports, lambda: options.parallel_imports, tally.add, scm.halt)
            requests = spare(list_request_jobs(order, task, ledger, tally.note))
            run_jobs(requests, lambda: options.odata_requests, tally.add, scm.halt)
