"""What reading a live Sales cost and found: for ``run.json``, and as lines for people."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from pipeline.errors import count_of
from pipeline.extract.dataverse.extraction import ExtractionResult
from pipeline.run.facts import (
    OrganizationRead,
    SalesRead,
    TableChanges,
    TableTotal,
    TableTraffic,
)
from pipeline.wire.dataverse import Organization
from pipeline.wire.meter import Traffic

_ENOUGH = 1_000
"""Rows from which on a rate for 1,000 says something."""


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
