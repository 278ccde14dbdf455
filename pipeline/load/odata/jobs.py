"""The requests of a task that goes by OData, one job each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import polars as pl

from pipeline.flow.jobs import Job
from pipeline.load.delivery import Conversation, deliver
from pipeline.load.odata.before_images import add_images
from pipeline.load.odata.exchange import Slice
from pipeline.load.odata.undoing import Undo
from pipeline.load.odata.upserts import Upserts
from pipeline.load.order import LoadOrder, LoadTask
from pipeline.run.ledger import Ledger, Place, Unit


def list_request_jobs(
    order: LoadOrder, task: LoadTask, ledger: Ledger, tell: Callable[[str], None]
) -> Iterator[Job]:
    """One job per request whose rows have no outcome yet; ``tell`` hears what is waited for."""
    for place, rows in order.places(task.name).items():
        if order.way(task.name, place[0]) != "odata":
            continue
        units = _list_units(order, task, place, rows)
        if all(ledger.is_ended(unit) for unit in units.values()):
            continue
        whole = _read_batch(order, task, next(iter(units.values())))
        for first, unit in units.items():
            if not ledger.is_ended(unit):
                part = Slice(
                    legal_entity=unit.legal_entity,
                    first=first,
                    entity=task.mapping.entity,
                    columns=task.columns,
                    rows=whole.slice(first, order.options.odata_rows),
                )
                yield partial(_deliver, order, unit, part, ledger, tell)


def _list_units(order: LoadOrder, task: LoadTask, place: Place, rows: int) -> dict[int, Unit]:
    """The requests of a batch: place of the first row, from 0 → unit."""
    firsts = range(0, rows, order.options.odata_rows)
    return {
        first: Unit(task=task.name, legal_entity=place[0], batch=place[1], part=number)
        for number, first in enumerate(firsts, start=1)
    }


def _read_batch(order: LoadOrder, task: LoadTask, unit: Unit) -> pl.DataFrame:
    rows = order.rows(unit, task.columns)
    return add_images(order.folder, task.name, rows) if order.undoes else rows


def _deliver(
    order: LoadOrder, unit: Unit, part: Slice, ledger: Ledger, tell: Callable[[str], None]
) -> int:
    talk: Conversation = (
        Undo(scm=order.scm, part=part)
        if order.undoes
        else Upserts(
            scm=order.scm,
            folder=order.folder,
            unit=unit,
            part=part,
            compares=order.options.compares,
        )
    )
    return deliver(unit, talk, ledger, order.scm.sleep, tell)["rows"]
