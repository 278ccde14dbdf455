"""A project's source → landed tables: exports as they lie, or Sales itself, over the wire."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from pipeline.errors import ConfigurationError, UsageError, listed
from pipeline.events import Listener, Step
from pipeline.extract.dataverse.extraction import CHANGES, Extracted, Wish, land_dataverse
from pipeline.extract.landing import Landed, ReadOptions, land
from pipeline.mapping import check
from pipeline.project.resolve import Project
from pipeline.project.systems import sales_of
from pipeline.run.findings import RunFinding
from pipeline.run.folder import EXTRACTING, RunFolder, all_runs
from pipeline.wire.dataverse import Organization
from pipeline.wire.meter import Traffic
from schemas.sales import CONTACTS, TABLES

ROUTING_TABLES: Final = tuple(name for name in TABLES if name != "msdynce_p2cautonumbers")
"""The tables that a plan reads."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What was landed.

    ``facts`` are for ``run.json``, ``lines`` for people; both are empty for files.
    """

    landed: Mapping[str, Landed]
    is_live: bool = False
    findings: list[RunFinding] = field(default_factory=list)
    facts: Mapping[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def landed_source(
    project: Project,
    folder: RunFolder,
    runs: Path,
    listener: Listener,
    *,
    changes: bool,
    tables: Collection[str] = ROUTING_TABLES,
    wished: Collection[str] = (),
) -> Source:
    """Land all tables that a plan reads.

    Args:
        project: its ``[source]`` says where from.
        folder: the run that is being made.
        runs: the folder of all runs.
        listener: told about progress.
        changes: refresh the tables of the newest run that has them, instead of reading all.
        tables: which.
        wished: columns of contacts beside those of templates and filter.

    Raises:
        Refused: a table or column is not there, or files cannot be refreshed.
        Stopped: Sales or the disk failed; the same command goes on where it was.
    """

    def told(table: str, rows: int) -> None:
        listener(Step(name=f"reading {table}", done=rows))

    if project.sales is None:
        if changes:
            raise UsageError(
                "--changes asks Sales what changed; this project reads files, and a plan reads "
                "them whole anyway."
            )
        return Source(landed=land_files(project, folder.source, told, tables))
    with sales_of(project) as sales:
        organization = sales.organization()
        home = str(sales.system.client.base_url)
        since = _newest(runs, home) if changes else None
        wish = Wish(
            tables=tables,
            mapped=mapped_columns(project),
            wished=filter_words(project) | set(wished),
            tracking="always" if changes else "auto",
        )
        work = (
            runs / EXTRACTING / re.sub("[^A-Za-z0-9._-]+", "-", home.partition("://")[2]).strip("-")
        )
        folder.source.mkdir(parents=True, exist_ok=True)
        found = land_dataverse(sales, folder.source, wish, work=work, since=since, progress=told)
    findings = [RunFinding(code=one.code, detail=one.detail) for one in found.notes]
    if changes and since is None:
        reason = "there is no earlier run in this folder of runs that read this Sales"
        findings.append(RunFinding(code="changes_read_in_full", detail=reason))
    return Source(
        landed=found.landed,
        is_live=True,
        findings=findings,
        facts=_facts(found, sales.system.label, organization, since),
        lines=list(_lines(found, sales.system.label, organization)),
    )


def land_files(
    project: Project, into: Path, progress: Any, tables: Collection[str] = ROUTING_TABLES
) -> dict[str, Landed]:
    """Land exports."""
    return land(
        project.source_folder,
        into,
        tables=tables,
        extra={"contacts": template_sources(project)},
        wished={"contacts": filter_words(project)},
        options=ReadOptions(row_limit=project.settings.source.row_limit),
        progress=progress,
    )


def template_sources(project: Project) -> set[str]:
    """Source columns beyond the catalogue that the project's templates use.

    Raises:
        ConfigurationError: a template is wrong.
    """
    wanted = mapped_columns(project) - {one.name for one in CONTACTS.fields}
    wrong = [
        text for template in project.templates.values() for text in check.problems(template, wanted)
    ]
    if wrong:
        raise ConfigurationError(
            listed(wrong), where=project.file.name if project.file else "settings"
        )
    return wanted


def mapped_columns(project: Project) -> set[str]:
    """All columns of contacts that the project's templates read.

    Paths into other tables left out.
    """
    sources = (one.row.source for template in project.templates.values() for one in template.rows)
    return {name for name in sources if name and "." not in name}


def filter_words(project: Project) -> set[str]:
    """Words of the filter: columns, if contacts have such."""
    return set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", project.settings.source.filter or ""))


def _newest(runs: Path, home: str) -> Path | None:
    """The landed tables of the newest run that read this Sales and still has them."""
    for one in reversed(all_runs(runs)):
        changes = one.source / CHANGES
        if changes.is_file() and f'"{home}"' in changes.read_text(encoding="utf-8"):
            return one.source
    return None


def _facts(
    found: Extracted, label: str, organization: Organization, since: Path | None
) -> dict[str, Any]:
    return {
        "system": label,
        "organization": asdict(organization),
        "refreshed_from": None if since is None else since.parent.name,
        "totals": [asdict(one) for one in found.totals],
        "traffic": {subject: _traffic(one) for subject, one in found.traffic.items()},
        "changes": {
            table: {"added": one.added, "changed": one.changed, "deleted": one.deleted}
            for table, one in found.refreshed.items()
        },
    }


def _traffic(one: Traffic) -> dict[str, Any]:
    return {
        **asdict(one),
        "requests_per_1000": one.requests_per_1000,
        "bytes_per_1000": one.bytes_per_1000,
    }


def _lines(found: Extracted, label: str, organization: Organization) -> list[str]:
    total = sum(found.traffic.values(), start=Traffic())
    lines = [f"From {label}, organization {organization.name_and_id}"]
    rate = (
        (
            f"; for 1,000 rows {total.requests_per_1000:,.1f} requests, "
            f"{total.bytes_per_1000:,.0f} bytes"
        )
        if total.rows
        else ""
    )
    lines.append(
        f"  {total.rows:,} rows read in {total.requests:,} requests, {total.bytes:,} bytes{rate}"
    )
    if total.throttled or total.retries:
        lines.append(
            f"  asked to wait {total.throttled:,} times, {total.retries:,} requests again, "
            f"{total.waited:,.0f} s waited"
        )
    return [*lines, *_changes(found)]


def _changes(found: Extracted) -> list[str]:
    told = []
    for table, one in found.refreshed.items():
        counts = {"added": one.added, "changed": one.changed, "deleted": one.deleted}
        words = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
        told += [f"  since the last read, {table}: {words}"] if words else []
    return told or (["  nothing changed since the last read"] if found.refreshed else [])
