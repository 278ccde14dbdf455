"""Planned rows on their way: sent to SCM, or written as files that somebody imports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.apply import orders
from pipeline.apply.reach import Today
from pipeline.apply.to_folder import write_to_folder
from pipeline.backfill.importfiles import write_imports
from pipeline.events import Listener
from pipeline.load.loader import load_plan
from pipeline.project.open_run import OpenRun
from pipeline.project.resolve import Project
from pipeline.project.systems import connect_scm
from pipeline.run.files import hash_file
from pipeline.run.folder import Clock


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryResult:
    """What became of the planned rows.

    By outcome, findings added by code, hashes of tables written, what it cost.
    """

    outcomes: Mapping[str, int]
    files: Mapping[str, str]
    findings: Mapping[str, int] = field(default_factory=dict)
    throttling: Mapping[str, int | float] = field(default_factory=dict)


def deliver_plan(run: OpenRun, reach: Today, clock: Clock, listener: Listener) -> DeliveryResult:
    """Deliver the rows of a plan, but for those that go into a live Sales.

    Args:
        run: the run.
        reach: gives the project that says how SCM is reached today; asked where it is.
        clock: the time.
        listener: hears of progress.
    """
    if run.facts.fills_sales:
        return _write_imports(run)
    if run.project.settings.destination.load == "folder":
        counts, files = write_to_folder(run, reach().settings.run, listener)
        return DeliveryResult(outcomes=counts, files=files)
    return _load(run, reach(), clock, listener)


def _load(run: OpenRun, reach: Project, clock: Clock, listener: Listener) -> DeliveryResult:
    """Send the rows to SCM over the wire."""
    options = orders.make_load_options(run.project, reach.settings.run, undoes=run.facts.is_undo)
    with connect_scm(reach, listener=listener) as scm:
        done = load_plan(orders.make_load_order(run, options, scm, clock, listener))
        traffic = orders.measure_traffic(scm)
    findings = run.folder.findings
    return DeliveryResult(
        outcomes=done.outcomes,
        findings=done.findings,
        files={**done.files, findings.name: hash_file(findings)},
        throttling=traffic,
    )


def _write_imports(run: OpenRun) -> DeliveryResult:
    """Write files to import in Sales: a backfill from files, or its undo."""
    numbers = run.facts.backfill
    if numbers is not None:
        run.journal.append(
            "numbers_planned", base=numbers.base, count=numbers.count, prefix=numbers.prefix
        )
    counts, files = write_imports(run.folder, numbers)
    return DeliveryResult(outcomes=counts, files=files)
