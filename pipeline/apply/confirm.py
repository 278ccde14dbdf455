"""``confirm``: after a manual import of a folder load, written rows get their outcome.

What was ``written`` becomes created, updated or failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from pipeline.apply.errorfile import read_refused_lines
from pipeline.apply.placing import ImportedRows, choose_batches, place_lines
from pipeline.errors import UsageError
from pipeline.run import memory
from pipeline.run.files import TableWriter, find_staged, hash_file, locked, put_staged, write_table
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.journal import Journal
from pipeline.run.summary import Summary, summarize_apply
from pipeline.run.vouching import CONFIRM_STARTED, vouch
from schemas.run import OUTCOMES
from sql.query import query
from sql.session import Session, session

_MEMORY: Final = "600MB"
_ROWS: Final = 131_072


_ARRIVED: Final = ("created", "updated")

REFUSED_LATE: Final = "refused_late"
"""The journal's line for rows that had been confirmed, and that an error file names afterwards."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmation:
    """The facts after it, and how many rows got another outcome.

    ``late`` had been confirmed as created or updated before, and are failed now.
    """

    facts: Summary
    rows: int
    late: int = 0


def record_import(
    folder: RunFolder, clock: Clock, *, errors: Sequence[Path] = (), packages: Sequence[str] = ()
) -> Confirmation:
    """Record that packages were imported by hand.

    Args:
        folder: an applied folder load.
        clock: the time.
        errors: files of the rows that SCM refused; none: all rows arrived.
        packages: only these were imported, as in ``ContactToCustomer/usmf-1``; none: all of them.

    Raises:
        UsageError: the run is not an applied folder load, a package is not in it, or a line of the
            files names no row of it. Nothing is recorded then.
        Stopped: another process works on this run.
    """
    facts = folder.facts()
    before = folder.read_summary()
    destination = facts.destination
    _refuse(folder, before, is_folder_load=facts.kind.is_load and destination.load == "folder")
    batches = choose_batches(folder, packages)
    if not errors and not before.outcomes.get("written"):
        return Confirmation(facts=before, rows=0)
    lines = read_refused_lines(errors)
    with (
        locked(folder.path, "another process is applying this run."),
        locked(
            memory.find_memory_folder(folder.path.parent, destination.name),
            "another process is loading into this destination.",
        ),
        memory.blaming_memory(folder.path.parent, destination.name),
    ):
        memory.list_whole_memories(folder.path.parent, destination.name)
        imported = _place(folder, destination.name, lines, batches)
        return _confirm(folder, destination.name, before, imported, errors, clock)


def _place(
    folder: RunFolder, destination: str, lines: pl.DataFrame, batches: pl.DataFrame
) -> ImportedRows:
    """Find what the error files mean, before anything is written."""
    with (
        memory.make_scratch(memory.find_memory_folder(folder.path.parent, destination)) as scratch,
        session(memory=_MEMORY, scratch=scratch) as here,
    ):
        return place_lines(here, folder, _list_tasks(folder), lines, batches)


def _list_tasks(folder: RunFolder) -> list[str]:
    outcomes = pl.scan_parquet(folder.outcomes, glob=False)
    found = outcomes.select(pl.col("task").unique(maintain_order=True)).collect()
    return found["task"].to_list()


def _refuse(folder: RunFolder, before: Summary, *, is_folder_load: bool) -> None:
    if not is_folder_load:
        raise UsageError(
            "only loads into a folder are confirmed; other loads know their outcomes.",
            where=str(folder.run),
        )
    if not before.applied:
        raise UsageError(
            f"the plan was not applied yet: run `p2c apply {folder.run}` first.",
            where=str(folder.run),
        )


def _confirm(
    folder: RunFolder,
    destination: str,
    before: Summary,
    imported: ImportedRows,
    errors: Sequence[Path],
    clock: Clock,
) -> Confirmation:
    changes: Counter[_Change] = Counter()
    with (
        memory.make_scratch(memory.find_memory_folder(folder.path.parent, destination)) as scratch,
        TableWriter(find_staged(folder.outcomes), OUTCOMES) as writer,
        session(memory=_MEMORY, scratch=scratch) as here,
    ):
        for task in _list_tasks(folder):
            path = memory.find_memory(folder.path.parent, destination, task)
            _prepare(here, folder, task, imported, path)
            _write(here, folder, task, scratch, writer, changes)
            memory.merge_rows(here, path, scratch / f"{task}.parquet")
    write_table(find_staged(folder.batches), _update_batches(folder, changes, clock))
    late = sum(
        rows for one, rows in changes.items() if one.was in _ARRIVED and one.outcome == "failed"
    )
    moved = sum(rows for one, rows in changes.items() if one.was != one.outcome)
    facts = _record(folder, before, changes, errors, late, clock)
    return Confirmation(facts=facts, rows=moved - late, late=late)


class _Change(NamedTuple):
    """What rows of a batch were, and what they are."""

    task: str
    legal_entity: str
    batch: int | None
    was: str
    outcome: str


def _prepare(
    here: Session, folder: RunFolder, task: str, imported: ImportedRows, loaded: Path
) -> None:
    """Name the relations that ``sql/apply/confirmed.sql`` reads."""
    here.parquet("planned", folder.rows_files(task))
    here.parquet("outcomes", folder.outcomes)
    here.register("imported", imported.select_batches(task))
    memory.name_memory(here, loaded)
    here.register("failed", imported.refused[task])


def _write(
    here: Session,
    folder: RunFolder,
    task: str,
    scratch: Path,
    writer: TableWriter,
    changes: Counter[_Change],
) -> None:
    reader = here.stream(query("apply/confirmed"), _ROWS, task=task, run=str(folder.run))
    with TableWriter(scratch / f"{task}.parquet", memory.LOADED) as remembered:
        for batch in reader:
            frame = pl.DataFrame(batch)
            writer.write(frame.select(OUTCOMES.names()))
            remembered.write(_select_remembered(frame, str(folder.run)))
            for *place, rows in (
                frame.group_by("legal_entity", "batch", "was", "outcome").len().iter_rows()
            ):
                changes[_Change(task, *place)] += rows


def _select_remembered(frame: pl.DataFrame, run: str) -> pl.DataFrame:
    """What changes in the memory of the destination.

    Rows that were confirmed now are what SCM has. Of those that turned out to be refused, a created
    one leaves the memory; an updated one stays with a content that equals nothing, so that the next
    plan updates it. What another run loaded since is left alone.
    """
    arrived = (pl.col("was") == "written") & pl.col("outcome").is_in(_ARRIVED)
    is_late = pl.col("was").is_in(_ARRIVED) & (pl.col("outcome") == "failed") & pl.col("is_ours")
    rows = frame.filter(arrived | is_late).with_columns(
        run=pl.lit(run),
        row_hash=pl.when(arrived)
        .then("row_hash")
        .when(pl.col("was") == "updated")
        .then(pl.lit("")),
    )
    return rows.select(memory.LOADED.names()).cast(memory.LOADED)


def _update_batches(folder: RunFolder, changes: Counter[_Change], clock: Clock) -> pl.DataFrame:
    """The batches with the outcomes of their rows; those that were imported are ``confirmed``."""
    counts: Counter[tuple[str, str, int | None, str]] = Counter()
    for one, number in changes.items():
        counts[one.task, one.legal_entity, one.batch, one.outcome] += number
    rows = []
    for batch in pl.read_parquet(folder.batches, glob=False).iter_rows(named=True):
        names = ("created", "updated", "failed", "written")
        found = {
            name: counts[batch["task"], batch["legal_entity"], batch["batch"], name]
            for name in names
        }
        done = (
            {}
            if found.pop("written")
            else {**found, "status": "confirmed", "finished_at": batch["finished_at"] or clock()}
        )
        rows.append({**batch, **done})
    return pl.DataFrame(rows, schema=pl.read_parquet_schema(folder.batches))


def _record(
    folder: RunFolder,
    before: Summary,
    changes: Counter[_Change],
    errors: Sequence[Path],
    late: int,
    clock: Clock,
) -> Summary:
    totals: Counter[str] = Counter()
    for one, rows in changes.items():
        totals[one.outcome] += rows
    tables = (folder.outcomes, folder.batches)
    results = {path.name: hash_file(find_staged(path)) for path in tables}
    files = [{"name": path.name, "sha256": hash_file(path)} for path in errors]
    with Journal.open(folder.journal, clock) as journal:
        journal.append(CONFIRM_STARTED, files=results)
        for path in tables:
            put_staged(path)
        if late:
            journal.append(REFUSED_LATE, rows=late, errors=files)
        return vouch(
            folder,
            journal,
            "confirmed",
            summarize_apply(before, totals),
            outcomes=dict(totals),
            errors=files or None,
            files=results,
        )
