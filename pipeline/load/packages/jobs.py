"""The imports of a task that goes by packages, one job each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from pipeline.events import report_nothing
from pipeline.flow.jobs import Job
from pipeline.load.order import LoadOrder, LoadTask
from pipeline.load.packages.dmf import PackageClient
from pipeline.load.packages.folder import write_packages
from pipeline.load.packages.importing import PackageSender
from pipeline.load.packages.package import Package, build_packages
from pipeline.load.packages.verdict import Parcel
from pipeline.run.ledger import Ledger, Unit


def import_jobs(
    order: LoadOrder, task: LoadTask, ledger: Ledger, tell: Callable[[str], None]
) -> Iterator[Job]:
    """One job per package that has not come to its end.

    Packages are built one after the other, as they are needed. ``tell`` hears what is waited for.
    """
    wanted = {
        Unit(task=task.name, legal_entity=entity, batch=batch)
        for entity, batch in order.places(task.name)
        if order.way(task.name, entity) == "packages"
    }
    if all(map(ledger.is_ended, wanted)):
        return
    importer = PackageSender(
        api=PackageClient(scm=order.scm),
        ledger=ledger,
        clock=order.clock,
        patience=order.options.patience,
        tell=tell,
    )
    known = order.known(task)
    sizes = order.places(task.name)
    for package in build_packages(order.folder.rows_files(task.name), task.spec, sizes):
        unit = _make_unit(task, package)
        if unit in wanted and not ledger.is_ended(unit):
            parcel = _make_parcel(order, task, unit, known)
            yield partial(_import, order, task, importer, parcel, package)


def _import(
    order: LoadOrder, task: LoadTask, importer: PackageSender, parcel: Parcel, package: Package
) -> int:
    write_packages(order.folder, [(task.name, package)], order.journal, 1, report_nothing)
    importer.bring_in(parcel, package)
    return package.rows


def _make_unit(task: LoadTask, package: Package) -> Unit:
    entity, _, batch = package.name.removesuffix(".zip").rpartition("-")
    return Unit(task=task.name, legal_entity=entity, batch=int(batch))


def _make_parcel(order: LoadOrder, task: LoadTask, unit: Unit, known: frozenset[str]) -> Parcel:
    entity = task.mapping.entity
    return Parcel(
        unit=unit,
        entity=entity,
        entity_label=task.spec(unit.legal_entity, unit.batch).entity_label,
        rows=lambda: order.rows(unit, entity.key),
        content=lambda: order.rows(unit, [*entity.key, *task.columns]),
        columns=task.columns,
        known=known,
    )
