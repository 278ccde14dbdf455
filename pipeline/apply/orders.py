"""A plan and a project as an order to load.

The one place where settings become what ``load`` is asked for.
"""

from __future__ import annotations

from functools import partial

from pipeline.events import Listener
from pipeline.load.order import LoadOptions, LoadOrder, LoadTask
from pipeline.load.packages.limits import ImportLimits
from pipeline.load.packages.spec import make_spec
from pipeline.project.open_run import OpenRun
from pipeline.project.resolve import Project
from pipeline.project.settings import RunSettings, parse_duration
from pipeline.run.folder import Clock
from pipeline.wire.scm import Scm


def make_load_options(project: Project, run: RunSettings, *, undoes: bool = False) -> LoadOptions:
    """How a project loads.

    Args:
        project: as the plan recorded it; its ``[destination]`` says which way rows go. Raises
            ``ValueError`` for a folder load.
        run: how many at once and how long to wait, which may be today's.
        undoes: whether it takes back what was loaded, which only OData can do.
    """
    destination = project.settings.destination
    if destination.load == "folder":
        raise ValueError("a folder load sends nothing")
    return LoadOptions(
        load="odata" if undoes else destination.load,
        auto_rows=destination.auto_rows,
        odata_rows=destination.odata_rows,
        odata_requests=run.odata_requests,
        parallel_imports=run.parallel_imports,
        compares=destination.compare_with_scm,
        patience=ImportLimits(
            poll=parse_duration(run.poll).total_seconds(),
            record=parse_duration(run.wait_known).total_seconds(),
            queue=parse_duration(run.wait_turn).total_seconds(),
            whole=parse_duration(run.wait_import).total_seconds(),
            keys=parse_duration(run.wait_keys).total_seconds(),
        ),
    )


def make_load_order(
    run: OpenRun,
    options: LoadOptions,
    scm: Scm,
    clock: Clock,
    listener: Listener,
) -> LoadOrder:
    """What ``load`` is asked for.

    Args:
        run: the run.
        options: how to load.
        scm: where to.
        clock: the time.
        listener: hears of progress.
    """
    undoes, project, labels = run.facts.is_undo, run.project, run.facts.scm.labels
    mappings = list(project.mappings().values())
    tasks = [
        LoadTask(mapping=mapping, spec=partial(make_spec, project, mapping, labels))
        for mapping in (reversed(mappings) if undoes else mappings)
    ]
    return LoadOrder(
        folder=run.folder,
        destination=project.settings.destination.name,
        tasks=tasks,
        options=options,
        scm=scm,
        journal=run.journal,
        clock=clock,
        listener=listener,
        undoes=undoes,
    )


def measure_traffic(scm: Scm) -> dict[str, int | float]:
    """What talking to SCM cost since the client was made.

    Requests, bytes of answers, retries, refusals, seconds waited.
    """
    total = scm.system.meter.total() + scm.blobs.meter.total()
    return {
        "requests": total.requests,
        "bytes": total.bytes,
        "retries": total.retries,
        "throttled": total.throttled,
        "waited": round(total.waited, 1),
    }
