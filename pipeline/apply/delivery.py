"""Planned rows on their way: sent to SCM, or written as files that somebody imports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.apply import orders
from pipeline.apply.reach import Today
from pipeline.apply.to_folder import write_to_folder
from pipeline.backfill.importfiles import write_imports
from pipeline.events import Listener
from pipeline.load.loader import load
from pipeline.project.open_run import OpenRun
from pipeline.project.resolve import Project
from pipeline.project.systems import scm_of
from pipeline.run.files import sha256_of
from pipeline.run.folder import Clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """What became of the planned rows.

    By outcome, findings added by code, hashes of tables written, what it cost.
    """

    outcomes: Mapping[str, int]
    files: Mapping[str, str]
    findings: Mapping[str, int] = field(default_factory=dict)
    throttling: Mapping[str, int | float] = field(default_factory=dict)


def deliver(run: OpenRun, reach: Today, clock: Clock, listener: Listener) -> Delivered:
    """Deliver the rows of a plan, but for those that go into a live Sales.

    Args:
        run: the run.
        reach: gives the project that says how SCM is reached today; asked where it is.
        clock: the time.
        listener: told about progress.
    """
    if run.facts.fills_sales:
        return _imports(run)
    if run.project.settings.destination.load == "folder":
        counts, files = write_to_folder(run, listener)
        return Delivered(outcomes=counts, files=files)
    return _loaded(run, reach(), clock, listener)


def _loaded(run: OpenRun, reach: Project, clock: Clock, listener: Listener) -> Delivered:
    """Sent to SCM over the wire."""
    options = orders.options_of(run.project, reach.settings.run, undoes=run.facts.is_undo)
    with scm_of(reach) as scm:
        done = load(orders.order_of(run, options, scm, clock, listener))
        traffic = orders.traffic_of(scm)
    findings = run.folder.findings
    return Delivered(
        outcomes=done.outcomes,
        findings=done.findings,
        files={**done.files, findings.name: sha256_of(findings)},
        throttling=traffic,
    )


def _imports(run: OpenRun) -> Delivered:
    """A backfill from files, or its undo: files to import in Sales."""
    numbers = run.facts.backfill
    if numbers is not None:
        run.journal.append(
            "numbers_planned", base=numbers.base, count=numbers.count, prefix=numbers.prefix
        )
    counts, files = write_imports(run.folder, numbers)
    return Delivered(outcomes=counts, files=files)
