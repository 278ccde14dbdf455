"""A project's source → landed tables: exports as they lie, or Sales itself, over the wire."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.errors import ConfigurationError, UsageError, list_problems
from pipeline.events import Listener, Step
from pipeline.extract.landing import (
    LandedFolder,
    LandedTable,
    Progress,
    ReadOptions,
    land_folder,
)
from pipeline.lazy import import_lazily
from pipeline.mapping import check
from pipeline.plan.landed import LandedSource, SalesWish, frame_notes
from pipeline.project.resolve import Project
from pipeline.project.systems import open_source
from pipeline.run.folder import RunFolder
from schemas.sales import CONTACTS, OWN_COLUMNS, TABLES

if TYPE_CHECKING:
    from pipeline.plan import sales_read
else:
    sales_read = import_lazily("pipeline.plan.sales_read")

ROUTING_TABLES: Final = tuple(name for name in TABLES if name != "msdynce_p2cautonumbers")
"""The tables that a plan reads."""


def land_source(
    project: Project,
    folder: RunFolder,
    runs: Path,
    listener: Listener,
    *,
    changes: bool,
    tables: Collection[str] = ROUTING_TABLES,
    wished: Collection[str] = (),
    own: Collection[Path] = (),
) -> LandedSource:
    """Land all tables that a plan reads.

    Args:
        project: its ``[source]`` says where from.
        folder: the run that is being made.
        runs: the folder of all runs.
        listener: hears of progress.
        changes: refresh the tables of the newest run that has them, instead of reading all.
        tables: which.
        wished: columns of contacts besides those of templates and filter.
        own: files of the user's besides the project's, which may lie beside the exports.

    Raises:
        Refused: a table or column is not there, or files cannot be refreshed.
        Stopped: Sales or the disk failed; run the same command again to continue.
    """
    if project.sales is not None:
        wish = SalesWish(
            tables=tables,
            mapped=list_mapped_columns(project),
            wished=list_filter_words(project) | set(wished),
            changes=changes,
        )
        progress = partial(_report, listener)
        return sales_read.land_sales(project, folder, runs, wish, listener, progress)
    if changes:
        raise UsageError(
            "--changes asks Sales what changed; this project reads files, and a plan "
            "always reads them whole."
        )
    progress = partial(_report, listener)
    found = land_files(project, folder.source, progress, tables, own=(runs, *own))
    return LandedSource(landed=found.tables, findings=frame_notes(found.list_notes()))


def _report(listener: Listener, table: str, rows: int, total: int | None = None) -> None:
    listener(Step(name=f"reading {table}", done=rows, total=total))


def land_files(
    project: Project,
    into: Path,
    progress: Progress,
    tables: Collection[str] = ROUTING_TABLES,
    *,
    own: Collection[Path] = (),
) -> LandedFolder:
    """Land exports; ``own`` are files and folders besides the project's that are no exports.

    Raises:
        Refused: a table or column is not there, or cannot be read.
    """
    found = land_folder(
        open_source(project),
        into,
        tables=tables,
        extra={"contacts": list_template_sources(project)},
        wished={"contacts": list_filter_words(project)},
        options=make_read_options(project),
        progress=progress,
        own=(*_list_own_files(project), *own),
    )
    if CONTACTS.name in found.tables:
        _refuse_blind_filter(project, found.tables[CONTACTS.name])
    return found


def _refuse_blind_filter(project: Project, contacts: LandedTable) -> None:
    """Find a filter on columns that no file of contacts has: it would be null everywhere.

    JSON and XML may leave blanks out, but nothing shows that they did.
    """
    missing = sorted(list_filter_columns(project) - contacts.columns.keys())
    if not missing or not contacts.rows:
        return
    may_be_blank = any(one.columns is None for one in contacts.sources)
    blank = ", or leave it out of the filter if it is blank in all rows" if may_be_blank else ""
    raise ConfigurationError(
        f"names {', '.join(missing)}, which contacts do not have: export it as well{blank}.",
        where="source.filter",
    )


def make_read_options(project: Project) -> ReadOptions:
    """The limits of reading that the project sets."""
    source = project.settings.source
    return ReadOptions(
        row_limit=source.row_limit,
        unpacked_limit=source.unpacked_limit,
        unpacked_ratio=source.unpacked_ratio,
    )


def _list_own_files(project: Project) -> list[Path]:
    """The files that the project names, which may lie beside the exports."""
    rows = (
        row for task in project.settings.tasks.values() for row in task.get("fields", {}).values()
    )
    maps = [str(row["value_map_file"]) for row in rows if "value_map_file" in row]
    tables = (project.folder / name for name in maps)
    return [*project.own_files, *project.known_customers, *tables]


def list_template_sources(project: Project) -> set[str]:
    """Source columns beyond the catalogue that the project's templates use.

    Raises:
        ConfigurationError: a template is wrong.
    """
    wanted = list_mapped_columns(project) - {one.name for one in CONTACTS.fields}
    wrong = check.find_template_problems(
        project.templates, project.settings.entities, scm_decides=project.scm is not None
    )
    if wrong:
        raise ConfigurationError(
            list_problems(wrong), where=project.file.name if project.file else "settings"
        )
    return wanted


def list_mapped_columns(project: Project) -> set[str]:
    """All columns of contacts that the project's templates read.

    Paths into other tables left out.
    """
    sources = (one.row.source for template in project.templates.values() for one in template.rows)
    return {name for name in sources if name and "." not in name}


def list_filter_words(project: Project) -> set[str]:
    """Words of the filter: columns, if contacts have such."""
    return set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", project.settings.source.filter or ""))


def list_filter_columns(project: Project) -> set[str]:
    """The columns of the catalogue that the filter names, but for marks of deletion.

    Words in quotes are text, and those before a bracket functions, such as ``suffix``.
    """
    outside = re.sub(r"'[^']*'", " ", project.settings.source.filter or "")
    words = re.findall(r"\b[A-Za-z_][A-Za-z0-9_]*\b(?!\s*\()", outside)
    return {word.lower() for word in words} & OWN_COLUMNS
