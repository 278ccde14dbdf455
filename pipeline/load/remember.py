"""Keeping the memory of a destination (``proof/memory.py``).

From a load that ended or stopped, or anew from all runs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.errors import UsageError, during
from pipeline.load.outcome import read_outcomes
from pipeline.run import memory
from pipeline.run.facts import Kind
from pipeline.run.files import TableWriter
from pipeline.run.folder import RunFolder, all_runs
from pipeline.run.journal import Entry, read
from pipeline.run.ledger import ended
from pipeline.run.rows import rows_by_batch
from sql.session import Session, session

REMEMBERED: Final = "remembered"
"""The journal's line after a load's rows are in the memory."""

IN_SCM_BY_US: Final = ["created", "updated"]
_GIVEN_BACK: Final = ["updated", "unchanged"]
"""Outcomes of an undo after which SCM does not have what was loaded."""

_MEMORY: Final = "600MB"


def loaded_before(runs: Path, destination: str, task: str, run: str) -> frozenset[str]:
    """Keys that other runs loaded at a destination."""
    path = memory.path_of(runs, destination, task)
    if not path.is_file():
        return frozenset()
    keys = (
        pl.scan_parquet(path, glob=False)
        .filter(pl.col("run") != run)
        .select("destination_key")
        .collect()
    )
    return frozenset(keys["destination_key"])


def remember(path: Path, frames: Iterable[pl.DataFrame], run: str, *, undoes: bool = False) -> None:
    """Lay rows that were created or updated over the memory at ``path``, or take out of it what an undo gave back.

    Of an undo, deleted keys go. Restored ones stay ours, with a content that equals nothing: the
    next plan updates them.

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
                rows = _given_back(frame, run) if undoes else _arrived(frame, run)
                writer.write(rows)
                count += rows.height
        if count and path.is_file():
            with (
                tempfile.TemporaryDirectory(prefix=".scratch-", dir=path.parent) as scratch,
                _session(scratch) as here,
            ):
                memory.remember(here, path, kept)
        elif count and not undoes:
            with during("remembering what was loaded"):
                kept.replace(path)
    finally:
        kept.unlink(missing_ok=True)


def _session(scratch: str) -> AbstractContextManager[Session]:
    return session(memory=_MEMORY, scratch=Path(scratch))


def _arrived(frame: pl.DataFrame, run: str) -> pl.DataFrame:
    return _rows(frame.filter(pl.col("outcome").is_in(IN_SCM_BY_US)), run)


def _given_back(frame: pl.DataFrame, run: str) -> pl.DataFrame:
    back = frame.filter(pl.col("outcome").is_in(_GIVEN_BACK))
    return _rows(
        back.with_columns(row_hash=pl.when(pl.col("action") == "restore").then(pl.lit(""))), run
    )


def _rows(frame: pl.DataFrame, run: str) -> pl.DataFrame:
    rows = frame.select(
        "legal_entity", "destination_key", "row_hash", run=pl.lit(run), batch=pl.col("batch")
    )
    return rows.cast(pl.Schema(memory.LOADED))


def is_behind(runs: Path, destination: str) -> bool:
    """Whether a load at a destination was killed before it could write down what it had loaded."""
    return any(_is_behind(read(one.journal).entries) for one in _at(runs, destination))


def _is_behind(entries: Sequence[Entry]) -> bool:
    last = {
        entry.event if not entry.payload.get("final") else "ended": entry.line for entry in entries
    }
    return last.get("ended", 0) > max(last.get(REMEMBERED, 0), last.get("applied", 0))


def rebuild(runs: Path, destination: str) -> None:
    """Make the memory of a destination anew from all its runs, in the order in which they ended.

    Raises:
        InvariantBroken: a run folder was altered.
    """
    for old in memory.folder_of(runs, destination).glob("*.parquet"):
        old.unlink()
    ordered = sorted(
        ((read(one.journal).entries, one) for one in _at(runs, destination)),
        key=lambda one: one[0][-1].at,
    )
    for entries, run in ordered:
        undoes = run.facts().kind is Kind.UNDO
        wanted = _GIVEN_BACK if undoes else IN_SCM_BY_US
        for task in _tasks(run):
            loaded = _loaded(run, entries, task, wanted)
            remember(memory.path_of(runs, destination, task), loaded, str(run.run), undoes=undoes)


def _at(runs: Path, destination: str) -> Iterator[RunFolder]:
    """Loads at a destination that were begun; what is no whole run folder is passed over."""
    for one in all_runs(runs):
        try:
            there = one.facts().destination.name == destination
        except UsageError:
            continue
        if (
            there
            and one.journal.is_file()
            and any(entry.event == "apply_started" for entry in read(one.journal).entries)
        ):
            yield one


def _tasks(run: RunFolder) -> list[str]:
    return sorted(path.name for path in (run.path / "rows").glob("*") if path.is_dir())


def _loaded(
    run: RunFolder, entries: Sequence[Entry], task: str, wanted: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """The outcomes of a run: those of its table once it ended, else those of the units that ended."""
    if any(entry.event in ("applied", "confirmed") for entry in entries):
        hashes = pl.scan_parquet(run.rows_files(task), glob=False).select(
            "destination_key", "legal_entity", "row_hash", "action"
        )
        mine = (pl.col("task") == task) & pl.col("outcome").is_in(wanted)
        told = (
            pl.scan_parquet(run.outcomes, glob=False)
            .filter(mine)
            .select("destination_key", "batch", "outcome")
        )
        yield told.join(hashes, on="destination_key", how="inner", maintain_order="left").collect()
        return
    destination = run.facts().destination.name
    known = loaded_before(run.path.parent, destination, task, str(run.run))
    yield from read_outcomes(run, task, ended(entries), rows_by_batch(run, task), known)
