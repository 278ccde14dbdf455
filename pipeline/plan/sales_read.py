"""A live Sales → landed tables, and what is said of how it was read."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

from pipeline.errors import count_of
from pipeline.events import Listener
from pipeline.extract.dataverse.extraction import (
    CHANGES,
    ExtractionResult,
    ExtractionScope,
    Progress,
    RunNote,
    land_dataverse,
)
from pipeline.extract.dataverse.secured import find_hidden_columns
from pipeline.plan.landed import LandedSource, SalesWish
from pipeline.project.resolve import Project
from pipeline.project.systems import connect_sales
from pipeline.run.facts import (
    OrganizationRead,
    SalesRead,
    TableChanges,
    TableTotal,
    TableTraffic,
)
from pipeline.run.findings import RunFinding
from pipeline.run.folder import EXTRACTING, RunFolder, find_runs
from pipeline.wire.dataverse import Organization
from pipeline.wire.meter import Traffic

_ENOUGH = 1_000
"""Rows from which on a rate for 1,000 says something."""


def land_sales(
    project: Project,
    folder: RunFolder,
    runs: Path,
    wish: SalesWish,
    listener: Listener,
    progress: Progress,
) -> LandedSource:
    """Land tables of a project's Sales.

    Args:
        project: says where it is.
        folder: the run that is being made.
        runs: the folder of all runs.
        wish: what of it.
        listener: hears how long Sales asks p2c to wait.
        progress: hears of rows.

    Raises:
        Refused: a table or column is not there.
        Stopped: Sales or the disk failed; run the same command again to continue.
    """
    scope = ExtractionScope(
        tables=wish.tables,
        mapped=wish.mapped,
        wished=wish.wished,
        tracking="always" if wish.changes else "auto",
    )
    with connect_sales(project, listener=listener) as sales:
        organization = sales.organization()
        home = str(sales.system.client.base_url)
        since = _find_newest(runs, home) if wish.changes else None
        host = re.sub("[^A-Za-z0-9._-]+", "-", home.partition("://")[2]).strip("-")
        work = runs / EXTRACTING / host
        folder.make_source()
        found = land_dataverse(
            sales, folder.source, scope, work=work, since=since, progress=progress
        )
        hidden = find_hidden_columns(sales, found.landed, wish.mapped)
    notes = [*found.notes, *(RunNote(code="column_secured", detail=name) for name in hidden)]
    if wish.changes and since is None:
        reason = "there is no earlier run in this folder of runs that read this Sales"
        notes.append(RunNote(code="changes_read_in_full", detail=reason))
    return LandedSource(
        landed=found.landed,
        is_live=True,
        findings=[RunFinding(code=one.code, detail=one.detail) for one in notes],
        facts=describe_sales(found, sales.system.label, organization, since),
        lines=describe_sales_read(found, sales.system.label, organization),
    )


def _find_newest(runs: Path, home: str) -> Path | None:
    """The landed tables of the newest run that read this Sales and still has them."""
    for one in reversed(find_runs(runs)):
        changes = one.source / CHANGES
        if changes.is_file() and f'"{home}"' in changes.read_text(encoding="utf-8"):
            return one.source
    return None


def describe_sales(
    found: ExtractionResult, label: str, organization: Organization, since: Path | None
) -> SalesRead:
    """For ``run.json``; ``since`` are the landed tables that were refreshed."""
    return SalesRead(
        system=label,
        organization=OrganizationRead(**asdict(organization)),
        refreshed_from=None if since is None else since.parent.name,
        read_since=found.read_since,
        totals=tuple(TableTotal(**asdict(one)) for one in found.totals),
        traffic={subject: _describe_traffic(one) for subject, one in found.traffic.items()},
        changes={
            table: TableChanges(added=one.added, changed=one.changed, deleted=one.deleted)
            for table, one in found.refreshed.items()
        },
    )


def _describe_traffic(one: Traffic) -> TableTraffic:
    return TableTraffic(
        **asdict(one),
        requests_per_1000=one.requests_per_1000,
        bytes_per_1000=one.bytes_per_1000,
    )


def describe_sales_read(
    found: ExtractionResult, label: str, organization: Organization
) -> list[str]:
    """For people."""
    total = sum(found.traffic.values(), start=Traffic())
    lines = [f"From {label}, organization {organization.name_and_id}"]
    rate = (
        (
            f"; for 1,000 rows {total.requests_per_1000:,.1f} requests, "
            f"{total.bytes_per_1000:,.0f} bytes"
        )
        if total.rows >= _ENOUGH
        else ""
    )
    lines.append(
        f"  {count_of(total.rows, 'row')} read in {count_of(total.requests, 'request')}, "
        f"{total.bytes:,} bytes{rate}"
    )
    if total.throttled or total.retries:
        lines.append(
            f"  asked to wait {count_of(total.throttled, 'time')}, "
            f"{count_of(total.retries, 'request')} again, {total.waited:,.0f} s waited"
        )
    return [*lines, *_describe_changes(found)]


def _describe_changes(found: ExtractionResult) -> list[str]:
    lines = []
    for table, one in found.refreshed.items():
        counts = {"added": one.added, "changed": one.changed, "deleted": one.deleted}
        words = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
        lines += [f"  since the last read, {table}: {words}"] if words else []
    return lines or (["  nothing changed since the last read"] if found.refreshed else [])
