"""The memory of a destination (``run/memory.py``): which of our rows it has.

A load adds to it when it ends or stops; it can be rebuilt from all runs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.errors import UsageError, during
from pipeline.load.outcome import read_outcomes
from pipeline.run import memory
from pipeline.run.facts import Kind
from pipeline.run.files import LOCK, TableWriter, read_json, try_lock
from pipeline.run.folder import RunFolder, find_runs
from pipeline.run.journal import Entry, read_journal
from pipeline.run.ledger import list_ended_units
from pipeline.run.rows import count_rows_by_batch
from sql.session import session

REMEMBERED: Final = "remembered"
"""The journal's line after a load's rows are in the memory."""

IN_SCM_BY_US: Final = ["created", "updated"]
_GIVEN_BACK: Final = ["updated", "unchanged"]
"""Outcomes of an undo after which SCM does not have what was loaded."""

_MEMORY: Final = "600MB"


def find_loaded_before(runs: Path, destination: str, task: str, run: str) -> frozenset[str]:
    """Keys that other runs loaded into a destination, with legal entities in lower case."""
    path = memory.find_memory(runs, destination, task)
    if not path.is_file():
        return frozenset()
    keys = (
        pl.scan_parquet(path, glob=False)
        .filter(pl.col("run") != run)
        .select(memory.fold_key())
        .collect()
    )
    return frozenset(keys["destination_key"])


def update_memory(
    path: Path, frames: Iterable[pl.DataFrame], run: str, *, undoes: bool = False
) -> None:
    """Add created and updated rows to the memory at ``path``, or take out what an undo gave back.

    Keys that an undo deleted are removed. Those that it restored stay ours, with a content that
    equals nothing: the next plan updates them.

    Args:
        path: the memory of one task at one destination.
        frames: destination_key, batch, outcome, legal_entity, row_hash, action, as
            ``read_outcomes`` gives them.
        run: who loaded them.
        undoes: whether that run was an undo.
    """
    kept = path.with_name(f".{path.stem}-{run}.rows")
    count = 0
    try:
        with TableWriter(kept, pl.Schema(memory.LOADED)) as writer:
            for frame in frames:
                rows = _select_undone(frame, run) if undoes else _select_arrived(frame, run)
                writer.write(rows)
                count += rows.height
        if count and path.is_file():
            with (
                memory.make_scratch(path.parent) as scratch,
                session(memory=_MEMORY, scratch=scratch) as here,
            ):
                memory.merge_rows(here, path, kept)
        elif count and not undoes:
            with during("remembering what was loaded"), memory.replacing_memory(path) as partial:
                shutil.copyfile(kept, partial)
    finally:
        kept.unlink(missing_ok=True)


def _select_arrived(frame: pl.DataFrame, run: str) -> pl.DataFrame:
    return _as_memory(frame.filter(pl.col("outcome").is_in(IN_SCM_BY_US)), run)


def _select_undone(frame: pl.DataFrame, run: str) -> pl.DataFrame:
    back = frame.filter(pl.col("outcome").is_in(_GIVEN_BACK))
    return _as_memory(
        back.with_columns(row_hash=pl.when(pl.col("action") == "restore").then(pl.lit(""))), run
    )


def _as_memory(frame: pl.DataFrame, run: str) -> pl.DataFrame:
    rows = frame.select(
        pl.col("legal_entity").str.to_lowercase(),
        memory.fold_key(),
        "row_hash",
        run=pl.lit(run),
        batch=pl.col("batch"),
    )
    return rows.cast(pl.Schema(memory.LOADED))


def is_memory_behind(runs: Path, destination: str) -> bool:
    """Whether a load into a destination was killed before it could remember what it had loaded."""
    return any(
        _is_behind(read_journal(one.journal).entries) for one in _list_loads(runs, destination)
    )


def _is_behind(entries: Sequence[Entry]) -> bool:
    last = {
        entry.event if not entry.payload.get("final") else "ended": entry.line for entry in entries
    }
    return last.get("ended", 0) > max(last.get(REMEMBERED, 0), last.get("applied", 0))


def rebuild_if_behind(runs: Path, destination: str) -> bool:
    """Rebuild the memory of a destination if a load was killed before it wrote down what arrived.

    Returns whether it did. While another process loads there, nothing is done: that load
    writes it down itself.
    """
    if not is_memory_behind(runs, destination):
        return False
    with try_lock(memory.find_memory_folder(runs, destination) / LOCK) as is_free:
        if is_free:
            rebuild_memory(runs, destination)
        return is_free


def rebuild_memory(runs: Path, destination: str) -> None:
    """Rebuild the memory of a destination from all its runs, in the order in which they ended.

    If one was imported, it begins with that and takes only runs that loaded something afterwards.

    Raises:
        InvariantBroken: a run folder was altered.
    """
    memory.forget_memories(runs, destination)
    since = _restore_imported(runs, destination)
    ordered = sorted(
        ((read_journal(one.journal).entries, one) for one in _list_loads(runs, destination)),
        key=lambda one: one[0][-1].at,
    )
    for entries, run in ordered:
        if since and _find_last_load(entries) <= since:
            continue
        undoes = run.facts().kind is Kind.UNDO
        wanted = _GIVEN_BACK if undoes else IN_SCM_BY_US
        for task in _list_tasks(run):
            loaded = _read_loaded(run, entries, task, wanted)
            update_memory(
                memory.find_memory(runs, destination, task), loaded, str(run.run), undoes=undoes
            )


def _restore_imported(runs: Path, destination: str) -> str:
    """Put the imported memory in place; when it was imported, as journals write it, else blank."""
    imported = memory.find_imported(runs, destination)
    if not (imported / memory.IMPORTED_AT).is_file():
        return ""
    for path in imported.glob("*.parquet"):
        with memory.replacing_memory(memory.find_memory(runs, destination, path.stem)) as partial:
            shutil.copyfile(path, partial)
    return str(read_json(imported / memory.IMPORTED_AT)["at"])


def _find_last_load(entries: Sequence[Entry]) -> str:
    """When a run last brought something to its destination; blank if it never did."""
    events = ("applied", "confirmed", REMEMBERED)
    return max(
        (one.at for one in entries if one.event in events or one.payload.get("final")), default=""
    )


def _list_loads(runs: Path, destination: str) -> Iterator[RunFolder]:
    """Loads into a destination that were begun; what is not a whole run folder is skipped."""
    for one in find_runs(runs):
        try:
            there = one.facts().destination.name == destination
        except UsageError:
            continue
        if (
            there
            and one.journal.is_file()
            and any(entry.event == "apply_started" for entry in read_journal(one.journal).entries)
        ):
            yield one


def _list_tasks(run: RunFolder) -> list[str]:
    return sorted(path.name for path in (run.path / "rows").glob("*") if path.is_dir())


def _read_loaded(
    run: RunFolder, entries: Sequence[Entry], task: str, wanted: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """The outcomes of a run: of its table once it ended, else of the units that ended."""
    if any(entry.event in ("applied", "confirmed") for entry in entries):
        hashes = pl.scan_parquet(run.rows_files(task), glob=False).select(
            "destination_key", "legal_entity", "row_hash", "action"
        )
        mine = (pl.col("task") == task) & pl.col("outcome").is_in(wanted)
        arrived = (
            pl.scan_parquet(run.outcomes, glob=False)
            .filter(mine)
            .select("destination_key", "batch", "outcome")
        )
        yield arrived.join(
            hashes, on="destination_key", how="inner", maintain_order="left"
        ).collect()
        return
    destination = run.facts().destination.name
    known = find_loaded_before(run.path.parent, destination, task, str(run.run))
    yield from read_outcomes(
        run, task, list_ended_units(entries), count_rows_by_batch(run, task), known
    )
