"""What a run folder has of all that decided its plan, for a plan that is made again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.errors import during
from pipeline.extract.landing import LandedTable, SourceFile
from pipeline.plan.destination import FOLDER, Destination
from pipeline.plan.known import CUSTOMERS_FILE, LOADED_MEMORY, pin_destination
from pipeline.plan.landed import LandedSource
from pipeline.project.resolve import Project
from pipeline.run.facts import KeptFacts, RunFacts
from pipeline.run.files import hash_file
from pipeline.run.folder import RunFolder
from pipeline.run.memory import find_memory
from pipeline.scm.look import CUSTOMERS_FILE as SCM_CUSTOMERS
from pipeline.scm.look import PERSONS_FILE as SCM_PERSONS
from pipeline.scm.reference import PROSPECTS, restore_references

_ALL_TASKS: Final = "all"
"""Stands for a task: in a run folder the memory of all tasks is one file."""


def list_lost(found: RunFolder, facts: RunFacts, project: Project) -> list[str]:
    """Why a plan cannot be made again, a sentence each."""
    if facts.kept is None:
        sentence = (
            "This run was made by an earlier version of p2c, which did not keep what earlier loads "
            "had left and what SCM had."
        )
        return [sentence]
    planned = all(found.rows_files(task) for task in project.templates)
    rows = [] if planned else ["The planned rows are not in the run folder any more."]
    memory = _list_lost_memory(found, facts, facts.kept, project)
    return [*rows, *_list_lost_sources(found, facts), *memory]


def _list_lost_sources(found: RunFolder, facts: RunFacts) -> Iterator[str]:
    in_place = {one.table for one in facts.sources if one.in_place}
    for table, files in facts.landed.items():
        if table not in in_place and not all((found.path / name).is_file() for name in files):
            yield f"The {table} that were read are not in the run folder any more."
    for one in facts.sources:
        if one.in_place and not _is_as_read(Path(one.path), one.bytes, one.sha256):
            yield f"{one.file} is not as the run read it: {one.path}."


def _is_as_read(path: Path, size: int, sha256: str) -> bool:
    return path.is_file() and path.stat().st_size == size and hash_file(path) == sha256


def _list_lost_memory(
    found: RunFolder, facts: RunFacts, kept: KeptFacts, project: Project
) -> Iterator[str]:
    if kept.memory == "large":
        now = pin_destination(found, project)[LOADED_MEMORY]
        if now != facts.fingerprints.get(LOADED_MEMORY):
            yield (
                "The memory of loads has changed since, and was too large to be kept in the run "
                "folder. It decides what is created, updated and left alone."
            )
    elif kept.memory == "kept" and not found.loaded.is_file():
        yield "loaded.parquet, what earlier loads had left, is not in the run folder any more."


def restore_memory(found: RunFolder, facts: RunFacts, place: Path) -> Path:
    """A folder of runs with the memory of loads as the plan saw it."""
    if facts.kept is not None and facts.kept.memory == "large":
        return found.path.parent  # It is the same today: see list_lost.
    runs = place / "runs"
    path = find_memory(runs, facts.destination.name, _ALL_TASKS)
    with during("preparing the replay"):
        path.parent.mkdir(parents=True)
        if found.loaded.is_file():
            shutil.copyfile(found.loaded, path)
    return runs


def restore_destination(found: RunFolder, facts: RunFacts) -> Destination:
    """SCM as the plan found it, by its tables or by its exports."""
    scm = found.path / FOLDER
    if facts.scm.system:
        prospects = scm / PROSPECTS
        return Destination(
            customers=scm / SCM_CUSTOMERS,
            persons=scm / SCM_PERSONS,
            prospects=pl.read_parquet(prospects, glob=False) if prospects.is_file() else None,
            references=restore_references(scm),
        )
    export = scm / CUSTOMERS_FILE
    return Destination(customers=export if export.is_file() else None)


def restore_source(found: RunFolder, facts: RunFacts) -> LandedSource:
    """The landed tables; rows that could not be read are not among them."""
    kept = facts.kept or KeptFacts()
    return LandedSource(
        landed={table: _restore_table(found, facts, kept, table) for table in facts.landed},
        is_live=facts.live_source,
        facts=facts.sales,
    )


def _restore_table(found: RunFolder, facts: RunFacts, kept: KeptFacts, table: str) -> LandedTable:
    own = [one for one in facts.sources if one.table == table]
    in_place = any(one.in_place for one in own)
    files = tuple(found.path / name for name in facts.landed[table])
    return LandedTable(
        table=table,
        in_place=in_place,
        files=files,
        columns=facts.columns[table],
        rows=sum(one.rows for one in own),
        sources=tuple(
            SourceFile(path=Path(one.path), name=one.file, rows=one.rows, bytes=one.bytes)
            for one in own
        ),
        lookups_are_names=table in kept.named_lookups,
        month_first=table in kept.month_first,
    )
