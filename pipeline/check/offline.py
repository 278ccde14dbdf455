"""``check``: what can be known without a plan.

Settings and templates were checked against the catalogues when they were loaded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypedDict

from pipeline.check.live import check_live
from pipeline.extract.landing import LandedTable
from pipeline.plan import known
from pipeline.plan.gaps import list_column_gaps
from pipeline.plan.null_words import view_tables
from pipeline.plan.prepare import refuse_filter
from pipeline.plan.source import land_files, list_mapped_columns, list_template_sources
from pipeline.project.resolve import Project
from pipeline.scm.formats import SOURCE_FORMAT
from schemas.codes import find_code
from schemas.sales import CONTACTS
from sql.session import session

_FORMAT: Final = f"source data format {SOURCE_FORMAT}"


class Checked(TypedDict):
    """One thing that was looked at."""

    what: str
    status: str
    message: str


def check_project_parts(project: Project, runs: Path) -> list[Checked]:
    """What was checked.

    A status is ``ok``, ``note`` (a choice that was left open) or ``warning`` (somebody should look:
    contacts will be held for it, or something is missing).

    Args:
        project: what is checked.
        runs: the folder of runs, which is no export where it lies beside them.

    Raises:
        Refused: a setting, a template or a table is wrong.
        Stopped: a live system cannot be reached, or refuses.
    """
    list_template_sources(project)
    found = [
        *_check_settings(project),
        *_check_templates(project),
        *_check_tables(project, runs),
        *check_live(project),
        *_check_destination(project),
    ]
    if not any(what == _FORMAT for what, _, _ in found):
        found += _note_source_format(project)
    return [{"what": what, "status": status, "message": message} for what, status, message in found]


def _note_source_format(project: Project) -> Iterator[tuple[str, str, str]]:
    """What nobody could look up: how SCM reads the numbers and times of packages."""
    if project.settings.destination.load != "odata":
        yield (
            _FORMAT,
            "note",
            (
                "was not looked at: in SCM it must have the language en-US and the time zone UTC "
                "(Data management, Configure data sources, Regional settings)"
            ),
        )


def _check_settings(project: Project) -> Iterator[tuple[str, str, str]]:
    """Every setting that somebody made, with its origin."""
    for key, entry in project.show_settings().items():
        if entry.origin != "default" and not key.startswith("tasks."):
            yield f"setting {key}", "ok", f"{entry.value} ({entry.origin})"


def _check_templates(project: Project) -> Iterator[tuple[str, str, str]]:
    for one in project.templates.values():
        touched = sum(bool(row.changed or row.added) for row in one.rows) + len(one.removed)
        more = f", {touched} of them changed by the project" if touched else ""
        yield (
            f"template {one.task}",
            "ok",
            f"{len(one.rows)} rows into {one.entity}{more}",
        )


def _check_tables(project: Project, runs: Path) -> Iterator[tuple[str, str, str]]:
    """The tables of a folder of exports. Those of a live Sales are looked at in Sales."""
    if project.sales is not None:
        return
    with tempfile.TemporaryDirectory(prefix="p2c-check-") as folder:
        found = land_files(project, Path(folder), lambda _table, _rows: None, own=(runs,))
        landed = found.tables
        yield from _check_filter(project, landed)
    yield from map(_check_table, landed.values())
    yield from _check_missing(landed)
    for one in [*found.list_notes(), *list_column_gaps(project, landed)]:
        message = find_code(one.code).message(column=one.column, detail=one.detail)
        status = "note" if one.code == "column_missing" else "warning"
        yield f"source {one.source_file or 'folder'}", status, message


def _check_filter(
    project: Project, landed: Mapping[str, LandedTable]
) -> Iterator[tuple[str, str, str]]:
    settings, mapped = project.settings, list_mapped_columns(project)
    with session() as here:
        blank = view_tables(here, landed, settings.source.null_words, used=mapped)
        if settings.source.filter is not None:
            month_first = landed[CONTACTS.name].month_first
            refuse_filter(here, settings.source.filter, settings.labels, month_first=month_first)
            yield "source.filter", "ok", "is a valid condition on the columns of contacts"
    for one in blank.findings:
        yield "words for null", "warning", find_code(one.code).message(detail=one.detail)


def _check_table(table: LandedTable) -> tuple[str, str, str]:
    rows = "row" if table.rows == 1 else "rows"
    text = f"{table.rows:,} {rows}, {len(table.columns)} known columns"
    if not table.unreadable:
        return f"table {table.table}", "ok", text
    first, lost = table.unreadable[0], len(table.unreadable)
    place = f"{first.source_file} line {first.source_line}"
    return (
        f"table {table.table}",
        "warning",
        f"{text}; {lost:,} of its rows cannot be read, the first in {place}: {first.detail}",
    )


def _check_missing(landed: Mapping[str, LandedTable]) -> Iterator[tuple[str, str, str]]:
    if "accounts" not in landed:
        yield "table accounts", "warning", "is missing; contacts with a company need it"


def _check_destination(project: Project) -> Iterator[tuple[str, str, str]]:
    destination = project.settings.destination
    if not project.legal_entities:
        yield (
            "legal entities",
            "warning",
            "none: set destination.legal_entity or [organizations], or all contacts will be held",
        )
    else:
        yield "legal entities", "ok", ", ".join(project.legal_entities)
    for key in ("currency", "country"):
        if getattr(destination, key) is None:
            yield f"destination.{key}", "note", f"not set: contacts without a {key} have no default"
    if project.scm is not None:
        return
    customers = known.read_customer_exports(project)
    if customers is None:
        yield (
            "destination.known_customers",
            "note",
            "not set: the plan will assume that the Accounts task has run",
        )
    else:
        noun = "customer" if customers.height == 1 else "customers"
        yield "destination.known_customers", "ok", f"{customers.height:,} {noun}"
