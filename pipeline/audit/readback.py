"""``reconcile``: read SCM's rows, compare them with a run, keep the result in the run folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypedDict

import polars as pl

from pipeline.audit.reconcile import (
    LEGAL_ENTITY,
    DifferenceGroup,
    TaskComparison,
    compare_in_parts,
    group_differences,
    summarize_comparison,
)
from pipeline.errors import Stopped, UsageError, count_of, during, is_closed
from pipeline.extract.exports import land_exports
from pipeline.project.resolve import project_of_run
from pipeline.run.files import hash_file, write_json, write_table
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.journal import Journal
from pipeline.run.rows import scan_arrived_rows
from pipeline.run.summary import Summary
from pipeline.run.vouching import vouch
from pipeline.suggest import explain_no_file
from schemas.catalogue import Entity, Field, Table

FACTS: Final = "reconciliation.json"
ROWS: Final = "reconciliation.parquet"
ROWS_AT_ONCE: Final = 250_000
"""Rows of either side that are in memory at a time."""
_MOST_PARTS: Final = 200
"""Files that are open at a time, for each side."""


class TaskCompared(TypedDict):
    """Rows of a task: compared, equal; and the columns that SCM did not return."""

    rows: int
    equal: int
    not_compared: list[str]


class Reconciliation(TypedDict):
    """``reconciliation.json``."""

    at: str
    read_from: str
    sentence: str
    tasks: dict[str, TaskCompared]
    differences: list[DifferenceGroup]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadBack:
    """What was compared, by task, and the facts as they were kept."""

    results: Mapping[str, TaskComparison]
    facts: Reconciliation
    is_kept: bool = True
    """Whether the run folder has them now; evidence may be on a disk that is read-only."""


def read_exports(
    folder: RunFolder, paths: Sequence[Path], entities: Mapping[str, Entity], room: Path
) -> dict[str, pl.LazyFrame]:
    """Exports of *Customers V2* and *CDS Contacts* as SCM's rows, by task.

    They are files, packages as Data management exports them, and folders of them. Their key columns
    decide which is which; where no column says the legal entity, the name of the file does.
    ``entities``: task → what the run filled. ``room`` is a folder that stays while rows are read.

    Raises:
        UsageError: a file is missing.
        SourceError: a file has the keys of neither entity, or a row cannot be read.
    """
    for path in paths:
        if not path.exists():
            raise UsageError(f"--scm: {explain_no_file(path)}")
    tasks = {entity.name: task for task, entity in entities.items()}
    tables = {one.name: _make_table(one) for one in entities.values()}
    areas = folder.facts().destination.legal_entities
    found = land_exports(paths, tables, areas, "--scm", room)
    return {tasks[name]: rows for name, rows in found.items()}


def _make_table(entity: Entity) -> Table:
    fields = tuple(Field(name=column.name) for column in entity.columns)
    area = Field(name=LEGAL_ENTITY, names=("company", "legalentityid", "legal entity"))
    return Table(
        name="export",
        singular="export",
        key=entity.key[0],
        fields=(*fields, area),
        required=tuple((name,) for name in entity.key),
    )


def reconcile_rows(
    folder: RunFolder,
    found: Mapping[str, pl.LazyFrame],
    read_from: str,
    clock: Clock,
    room: Path,
    rows_at_once: int = ROWS_AT_ONCE,
    kept: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> ReadBack:
    """Compare a run with SCM's rows, and keep the result unless the run may only be read.

    Args:
        folder: an applied run; it gets the files ``FACTS`` and ``ROWS``, and a line of its journal.
        found: SCM's rows by task; tasks that are not in it are not compared.
        read_from: where they come from, as the report says it.
        clock: the time.
        room: a folder for rows that do not fit in memory.
        rows_at_once: how many rows of either side are in memory at a time.
        kept: columns by task in which a row without a value leaves what SCM has.

    Raises:
        UsageError: the plan was not applied.
    """
    before = _read_applied(folder)
    results = _compare_tasks(folder, found, room, rows_at_once, kept)
    if not results:
        raise _refuse_nothing(folder)
    differences = pl.concat([one.differences for one in results.values()])
    facts: Reconciliation = {
        "at": clock().isoformat(),
        "read_from": read_from,
        "sentence": _summarize(found, results),
        "tasks": {task: _count(one) for task, one in results.items()},
        "differences": group_differences(differences),
    }
    try:
        write_table(folder.path / ROWS, differences)
        write_json(folder.path / FACTS, facts)
        files = {name: hash_file(folder.path / name) for name in (FACTS, ROWS)}
        with during("writing the journal"), Journal.open(folder.journal, clock) as journal:
            vouch(folder, journal, "reconciled", before, sentence=facts["sentence"], files=files)
    except Stopped as error:
        if not is_closed(error):
            raise
        return ReadBack(results=results, facts=facts, is_kept=False)
    return ReadBack(results=results, facts=facts)


def _summarize(found: Mapping[str, pl.LazyFrame], results: Mapping[str, TaskComparison]) -> str:
    """The comparison in a sentence, and tasks of which nothing was read: by a wrong export?"""
    empty = (
        f" No row at all was read for {task}."
        for task, one in results.items()
        if one.rows and found[task].head(1).collect().is_empty()
    )
    return summarize_comparison(list(results.values())) + "".join(empty)


def _refuse_nothing(folder: RunFolder) -> UsageError:
    """Nothing can be compared: the exports are of other tasks, or there are no rows at all."""
    has_rows = any(folder.path.glob("rows/*/*.parquet"))
    return UsageError(
        "the run planned no rows of the tasks that these exports belong to."
        if has_rows
        else "the run planned no rows, and there is nothing to compare.",
        where=str(folder.run),
    )


def _read_applied(folder: RunFolder) -> Summary:
    before = folder.read_summary()
    if not before.applied:
        raise UsageError(
            f"the plan was not applied yet. Run `p2c apply {folder.run}` first.",
            where=str(folder.run),
        )
    return before


def _count(found: TaskComparison) -> TaskCompared:
    return {"rows": found.rows, "equal": found.equal, "not_compared": list(found.not_compared)}


def _compare_tasks(
    folder: RunFolder,
    found: Mapping[str, pl.LazyFrame],
    room: Path,
    rows_at_once: int,
    kept: Mapping[str, Collection[str]],
) -> dict[str, TaskComparison]:
    results, entities = {}, project_of_run(folder.facts()).settings.entities
    for task, rows in found.items():
        if folder.rows_files(task):
            planned = scan_arrived_rows(folder, task)
            parts = _count_parts(planned, rows, rows_at_once)
            results[task] = compare_in_parts(
                planned, rows, entities[task], task, parts, kept.get(task, ()), room
            )
    return results


def _count_parts(planned: pl.LazyFrame, found: pl.LazyFrame, rows_at_once: int) -> int:
    rows = max(int(one.select(pl.len()).collect().item()) for one in (planned, found))
    return min(max(1, ceil(rows / rows_at_once)), _MOST_PARTS)


def render_reconciliation(found: ReadBack) -> str:
    """The result as lines, without values."""
    lines = [found.facts["sentence"]]
    for task, one in found.results.items():
        lines.append(f"  {task}: {count_of(one.rows, 'row')} compared, {one.equal:,} equal")
        if one.not_compared:
            lines.append(
                f"    not compared, because SCM did not return them: {', '.join(one.not_compared)}"
            )
    for one_group in found.facts["differences"]:
        place = f" {one_group['column']}" if one_group["column"] else ""
        lines.append(
            f"  {one_group['rows']:>9,}  {one_group['task']} {one_group['difference']}{place}, for "
            f"example {one_group['example']}"
        )
    if not found.is_kept:
        lines.append("The run folder may only be read, so the result was not written into it.")
    return "\n".join(lines)
