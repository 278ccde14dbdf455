"""``check``: what a plan would stumble over.

Settings and templates were checked against the catalogues when they were loaded. Of a folder of
exports a whole plan is made, and nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypedDict

import polars as pl

from pipeline.check.exports import describe_exports
from pipeline.check.live import check_live
from pipeline.check.units import check_units
from pipeline.errors import count_of
from pipeline.events import Listener
from pipeline.plan import known
from pipeline.plan.rehearse import rehearse_plan
from pipeline.plan.source import list_template_sources
from pipeline.project.resolve import Project
from pipeline.run.room import open_room
from pipeline.scm.formats import SOURCE_FORMAT
from pipeline.scm.look import Item, list_items

_FORMAT: Final = f"source data format {SOURCE_FORMAT}"


class Checked(TypedDict):
    """One thing that was looked at."""

    what: str
    status: str
    message: str


def check_project_parts(project: Project, runs: Path, listener: Listener) -> list[Checked]:
    """What was checked.

    A status is ``ok``, ``note`` (a choice that was left open) or ``warning`` (somebody should look:
    contacts will be held for it, or something is missing).

    Args:
        project: what is checked.
        runs: the folder of runs: its memory of loads counts, as it does for a plan.
        listener: hears of progress.

    Raises:
        Refused: a setting, a template or a table is wrong, or else a plan would be refused.
        Stopped: a live system cannot be reached, or refuses.
    """
    list_template_sources(project)
    found = [
        *_check_settings(project),
        *_check_templates(project),
        *(
            _check_exports(project, runs, listener)
            if project.sales is None
            else (*check_live(project), *check_units(project))
        ),
        *_check_destination(project),
    ]
    if not any(what == _FORMAT for what, _, _ in found):
        found += _note_source_format(project)
    return [{"what": what, "status": status, "message": message} for what, status, message in found]


def _check_exports(project: Project, runs: Path, listener: Listener) -> Iterator[Item]:
    """A folder of exports, and the SCM that a plan of it asks."""
    rehearsal = rehearse_plan(project, runs, listener)
    yield from describe_exports(project, rehearsal)
    destination = rehearsal.destination
    if destination.seen is not None and destination.live is not None:
        yield from list_items(destination.seen)
        yield from destination.live.list_items()


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
    customers = _count_customers(project)
    if customers is None:
        yield (
            "destination.known_customers",
            "note",
            "not set: the plan will assume that the Accounts task has run",
        )
    else:
        status = "ok" if customers else "warning"
        yield "destination.known_customers", status, count_of(customers, "customer")


def _count_customers(project: Project) -> int | None:
    with open_room("customers") as room:
        kept = known.keep_customer_exports(project, room)
        return (
            None
            if kept is None
            else int(pl.scan_parquet(kept, glob=False).select(pl.len()).collect().item())
        )
