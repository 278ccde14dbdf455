"""Units on their way, a few at a time: packages in their order, requests of batches in theirs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

import polars as pl

from pipeline.events import Step, silent
from pipeline.flow.jobs import Job, run_jobs
from pipeline.load.odata.sender import Sender, Share
from pipeline.load.odata.undoing import Undoer, with_images
from pipeline.load.order import Order, Task
from pipeline.load.packages.dmf import PackageApi
from pipeline.load.packages.folder import write_packages
from pipeline.load.packages.importing import Importer
from pipeline.load.packages.package import Package, packages
from pipeline.load.packages.verdict import Parcel
from pipeline.load.remember import loaded_before
from pipeline.run.ledger import Ledger, Unit, ended

_BESIDE: Final = ["legal_entity", "destination_key", "action"]


def send(order: Order) -> None:
    """Send every unit that has not ended yet."""
    ledger = Ledger(order.folder, order.journal)
    progress = _Progress(order)
    for task in order.tasks:
        run_jobs(
            _imports(order, task, ledger), lambda: order.options.parallel_imports, progress.add
        )
        run_jobs(_requests(order, task, ledger), lambda: order.options.odata_requests, progress.add)


class _Progress:
    """Rows sent, told to the listener."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._lock = threading.Lock()
        self._done = sum(int(one.facts["rows"]) for one in ended(order.journal.entries))
        self._total = int(order.planned["rows"].sum())

    def add(self, rows: int) -> None:
        with self._lock:
            self._done += rows
            self._order.listener(Step(name="loading", done=self._done, total=self._total))


def _imports(order: Order, task: Task, ledger: Ledger) -> Iterator[Job]:
    """One job per package that did not come to its end.

    Packages are built one after the other, as they are needed.
    """
    wanted = {
        Unit(task=task.name, legal_entity=entity, batch=batch)
        for entity, batch in order.places(task.name)
        if order.way(task.name, entity) == "packages"
    }
    if all(map(ledger.is_ended, wanted)):
        return
    importer = Importer(
        api=PackageApi(scm=order.scm), ledger=ledger, clock=order.clock, patience=order.options.patience
    )  # fmt: skip
    already = known(order, task)
    for package in packages(order.folder.rows_files(task.name), task.spec):
        unit = _unit(task, package)
        if unit in wanted and not ledger.is_ended(unit):
            yield partial(
                _import, order, task, importer, _parcel(order, task, unit, already), package
            )


def _import(order: Order, task: Task, importer: Importer, parcel: Parcel, package: Package) -> int:
    write_packages(order.folder, [(task.name, package)], order.journal, 1, silent)
    importer.bring_in(parcel, package)
    return package.rows


def _unit(task: Task, package: Package) -> Unit:
    entity, _, batch = package.name.removesuffix(".zip").rpartition("-")
    return Unit(task=task.name, legal_entity=entity, batch=int(batch))


def _parcel(order: Order, task: Task, unit: Unit, already: frozenset[str]) -> Parcel:
    entity = task.mapping.entity
    return Parcel(
        unit=unit,
        entity=entity,
        entity_label=task.spec(unit.legal_entity, unit.batch).entity_label,
        rows=lambda: _rows(order, unit, entity.key),
        known=already,
    )


def known(order: Order, task: Task) -> frozenset[str]:
    """Keys loaded before, where the plan could not tell what is there."""
    there = (
        pl.scan_parquet(order.folder.rows_files(task.name), glob=False)
        .select((pl.col("action") == "upsert").any())
        .collect()
        .item()
    )
    if not there:
        return frozenset()
    return loaded_before(
        order.folder.path.parent, order.destination, task.name, str(order.folder.run)
    )


def _requests(order: Order, task: Task, ledger: Ledger) -> Iterator[Job]:
    """One job per request whose rows have no outcome yet."""
    sender = (Undoer if order.undoes else Sender)(scm=order.scm, ledger=ledger)
    size = order.options.odata_rows
    columns = task.columns
    for (entity, batch), rows in order.places(task.name).items():
        if order.way(task.name, entity) != "odata":
            continue
        parts = [
            (first, Unit(task=task.name, legal_entity=entity, batch=batch, part=number))
            for number, first in enumerate(range(0, rows, size), start=1)
        ]
        if all(ledger.is_ended(unit) for _, unit in parts):
            continue
        whole = _rows(order, parts[0][1], columns)
        if order.undoes:
            whole = with_images(order.folder, task.name, whole)
        for first, unit in parts:
            if not ledger.is_ended(unit):
                share = Share(
                    unit=unit, first=first, entity=task.mapping.entity, columns=columns, rows=whole.slice(first, size)
                )  # fmt: skip
                yield partial(_send, sender, share)


def _send(sender: Sender, share: Share) -> int:
    sender.send(share)
    return share.rows.height


def _rows(order: Order, unit: Unit, columns: Iterable[str]) -> pl.DataFrame:
    """The planned rows of a batch, in source order."""
    mine = (pl.col("legal_entity") == unit.legal_entity) & (pl.col("batch") == unit.batch)
    names = dict.fromkeys([*_BESIDE, *columns])
    return (
        pl.scan_parquet(order.folder.rows_files(unit.task), glob=False)
        .filter(mine)
        .select(list(names))
        .collect()
    )
