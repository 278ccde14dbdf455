"""``confirm``: after a manual import of a folder load, written rows get their outcome.

What was ``written`` becomes created, updated or failed.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.apply.errorfile import explain_refusals, read_refused_rows
from pipeline.errors import UsageError
from pipeline.run import memory
from pipeline.run.files import TableWriter, hash_file, locked, write_table
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.journal import Journal
from pipeline.run.summary import Summary, summarize_apply
from pipeline.run.vouching import vouch
from schemas.run import OUTCOMES
from sql.query import query
from sql.session import Session, session

_MEMORY: Final = "600MB"
_ROWS: Final = 131_072


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmation:
    """The facts after it, and how many rows changed.

    Also the lines of the error file that name no written row.
    """

    facts: Summary
    rows: int
    strangers: list[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Import:
    """What was imported: the batches, and the rows of them that SCM refused."""

    batches: pl.DataFrame
    refused: pl.DataFrame
    errors: Path | None


def record_import(
    folder: RunFolder, clock: Clock, *, errors: Path | None = None, packages: Sequence[str] = ()
) -> Confirmation:
    """Record that packages were imported by hand.

    Args:
        folder: an applied folder load.
        clock: the time.
        errors: the rows that SCM refused (``errorfile.refused_rows``); none: all rows arrived.
        packages: only these were imported, as in ``ContactToCustomer/usmf-1``; none: all of them.

    Raises:
        UsageError: the run is not an applied folder load, or a package is not in it.
        Stopped: another process works on this run.
    """
    facts = folder.facts()
    before = folder.read_summary()
    destination = facts.destination
    _refuse(folder, before, is_folder_load=facts.kind.is_load and destination.load == "folder")
    if errors is None and not before.outcomes.get("written"):
        return Confirmation(facts=before, rows=0, strangers=[])
    imported = _Import(
        batches=_choose_batches(folder, packages),
        refused=_make_no_rows() if errors is None else read_refused_rows(errors),
        errors=errors,
    )
    with (
        locked(folder.path, "another process is applying this run."),
        locked(
            memory.find_memory_folder(folder.path.parent, destination.name),
            "another process is loading into this destination.",
        ),
    ):
        return _confirm(folder, destination.name, before, imported, clock)


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


def _make_no_rows() -> pl.DataFrame:
    text = pl.String()
    return pl.DataFrame(
        schema={
            "line": pl.Int64(),
            "contactid": text,
            "legal_entity": text,
            "key": text,
            "message": text,
        }
    )


def _choose_batches(folder: RunFolder, packages: Sequence[str]) -> pl.DataFrame:
    batches = pl.read_parquet(folder.batches, glob=False).select("task", "legal_entity", "batch")
    if not packages:
        return batches
    names = batches.select(pl.format("{}/{}-{}", "task", "legal_entity", "batch")).to_series()
    wanted = [name.removesuffix(".zip").removeprefix("packages/") for name in packages]
    unknown = [name for name in wanted if name not in set(names)]
    if unknown:
        raise UsageError(
            f"--package {unknown[0]}: the run has no such package. It has "
            f"{', '.join(names.head(5))}, …"
        )
    return batches.filter(names.is_in(wanted))


def _confirm(
    folder: RunFolder,
    destination: str,
    before: Summary,
    imported: _Import,
    clock: Clock,
) -> Confirmation:
    outcomes = pl.scan_parquet(folder.outcomes, glob=False)
    tasks = outcomes.select(pl.col("task").unique(maintain_order=True)).collect()["task"].to_list()
    counts: Counter[tuple[str, str, int | None, str]] = Counter()
    matched: set[int] = set()
    was_written = outcomes.filter(pl.col("outcome") == "written").select(pl.len()).collect().item()
    with (
        tempfile.TemporaryDirectory(prefix="p2c-confirm-") as scratch,
        TableWriter(folder.outcomes, OUTCOMES) as writer,
        session(memory=_MEMORY, scratch=Path(scratch)) as here,
    ):
        for task in tasks:
            path = memory.find_memory(folder.path.parent, destination, task)
            matched |= _prepare(here, folder, task, imported, path)
            _write(here, folder, task, Path(scratch), writer, counts)
            memory.merge_rows(here, path, Path(scratch) / f"{task}.parquet")
    totals: Counter[str] = Counter()
    for (_, _, _, outcome), rows in counts.items():
        totals[outcome] += rows
    write_table(folder.batches, _update_batches(folder, counts, clock))
    strangers = [line for line in imported.refused["line"] if line not in matched]
    facts_after = _record(folder, before, totals, imported, clock)
    return Confirmation(
        facts=facts_after, rows=was_written - totals["written"], strangers=strangers
    )


def _prepare(
    here: Session, folder: RunFolder, task: str, imported: _Import, loaded: Path
) -> set[int]:
    """Name the relations that ``sql/apply/confirmed.sql`` reads.

    The lines of the error file that mean a row of this task.
    """
    here.parquet("planned", folder.rows_files(task))
    here.parquet("outcomes", folder.outcomes)
    here.register(
        "imported", imported.batches.filter(pl.col("task") == task).select("legal_entity", "batch")
    )
    memory.name_memory(here, loaded)
    here.register("refused", imported.refused)
    found = here.frame(query("apply/refused"))
    here.register("failed", explain_refusals(found))
    return set(found["lines"].explode().drop_nulls().to_list())


def _write(
    here: Session,
    folder: RunFolder,
    task: str,
    scratch: Path,
    writer: TableWriter,
    counts: Counter[tuple[str, str, int | None, str]],
) -> None:
    reader = here.stream(query("apply/confirmed"), _ROWS, task=task, run=str(folder.run))
    with TableWriter(scratch / f"{task}.parquet", memory.LOADED) as arrived:
        for batch in reader:
            frame = pl.DataFrame(batch)
            writer.write(frame.select(OUTCOMES.names()))
            arrived.write(_select_arrived(frame, str(folder.run)))
            for entity, number, outcome, rows in (
                frame.group_by("legal_entity", "batch", "outcome").len().iter_rows()
            ):
                counts[task, entity, number, outcome] += rows


def _select_arrived(frame: pl.DataFrame, run: str) -> pl.DataFrame:
    """Rows that SCM has now, as the memory of the destination keeps them."""
    rows = frame.filter(pl.col("outcome").is_in(["created", "updated"]))
    return rows.with_columns(run=pl.lit(run)).select(memory.LOADED.names()).cast(memory.LOADED)


def _update_batches(
    folder: RunFolder, counts: Counter[tuple[str, str, int | None, str]], clock: Clock
) -> pl.DataFrame:
    """The batches with the outcomes of their rows; those that were imported are ``confirmed``."""
    rows = []
    for one in pl.read_parquet(folder.batches, glob=False).iter_rows(named=True):
        names = ("created", "updated", "failed", "written")
        found = {
            name: counts[one["task"], one["legal_entity"], one["batch"], name] for name in names
        }
        done = (
            {}
            if found.pop("written")
            else {**found, "status": "confirmed", "finished_at": one["finished_at"] or clock()}
        )
        rows.append({**one, **done})
    return pl.DataFrame(rows, schema=pl.read_parquet_schema(folder.batches))


def _record(
    folder: RunFolder, before: Summary, totals: Counter[str], imported: _Import, clock: Clock
) -> Summary:
    after = summarize_apply(before, totals)
    results = {path.name: hash_file(path) for path in (folder.outcomes, folder.batches)}
    errors = (
        None
        if imported.errors is None
        else {"name": imported.errors.name, "sha256": hash_file(imported.errors)}
    )
    with Journal.open(folder.journal, clock) as journal:
        return vouch(
            folder,
            journal,
            "confirmed",
            after,
            outcomes=dict(totals),
            errors=errors,
            files=results,
        )
