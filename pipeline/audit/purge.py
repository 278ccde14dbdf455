"""``purge``: personal data of old runs is removed, keys and counts stay.

The journal says what was removed, so the proof holds.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.errors import UsageError, count_of, during
from pipeline.run.evidence import gather_evidence
from pipeline.run.files import LOCK, PARTIALS, TableWriter, find_staged, locked, put_staged
from pipeline.run.folder import EXTRACTING, FOLDER, Clock, RunFolder, find_runs, read_stamp
from pipeline.run.journal import PURGE_STARTED, Journal, list_recorded_hashes, read_journal
from pipeline.run.vouching import vouch

_PERSONAL: Final = (
    "source/*",
    "rows/*/*",
    "packages/*",
    "packages/*/*",
    "present/*",
    "changes.parquet",
    "before/*",
    "before/*/*",
    "answers/*/*",
    "import/*",
    "parts/*",
    "report.html",
    "reconciliation.parquet",
    "*-next.parquet",
    PARTIALS,
    f"*/{PARTIALS}",
    f"*/*/{PARTIALS}",
)
"""Files that hold values of contacts, and what lists them beside them."""

_FOLDERS: Final = ("source", "rows", "packages", "present", "before", "answers", "import", "parts")

_TABLES: Final = {"findings.parquet": "value", "outcomes.parquet": "message"}
"""Tables that stay, and the column of each that holds values."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonalData:
    """What a run still holds of personal data: files, bytes, and tables with values."""

    folder: RunFolder
    files: tuple[Path, ...]
    tables: tuple[Path, ...]
    retries: tuple[Path, ...]
    """Folders of retries that were made from this run's corrected rows."""
    size: int
    """Bytes of the files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftover:
    """What an extraction that stopped has read so far.

    The next plan of its Sales would continue with it.
    """

    path: Path
    files: tuple[Path, ...]
    size: int
    """Bytes of the files."""


def find_leftovers(runs: Path, clock: Clock, days: float) -> list[Leftover]:
    """Stopped extractions to which nothing was added for more than ``days`` days."""
    limit = (clock().astimezone(UTC) - timedelta(days=days)).timestamp()
    found = []
    for path in sorted(one for one in (runs / EXTRACTING).glob("*") if one.is_dir()):
        files = tuple(sorted(one for one in path.rglob("*") if one.is_file() and one.name != LOCK))
        if files and max(one.stat().st_mtime for one in files) < limit:
            found.append(
                Leftover(path=path, files=files, size=sum(one.stat().st_size for one in files))
            )
    return found


def clear_leftover(found: Leftover) -> None:
    """Remove what a stopped extraction left.

    Raises:
        Stopped: the extraction is still running, or the disk failed.
    """
    with (
        locked(found.path, "another process is reading this Sales."),
        during("purging a stopped extraction"),
    ):
        for path in found.files:
            path.unlink(missing_ok=True)
    shutil.rmtree(found.path, ignore_errors=True)


def find_old(runs: Path, clock: Clock, days: float) -> list[RunFolder]:
    """Runs that began more than ``days`` days ago, oldest first."""
    limit = clock().astimezone(UTC) - timedelta(days=days)
    return [one for one in find_runs(runs) if _find_start(one) < limit]


def _find_start(folder: RunFolder) -> datetime:
    """When a run began: the id of one that was made after the clock was set back says less."""
    stamp = read_stamp(folder.run)
    try:
        return min(folder.facts().started_at, stamp)
    except UsageError:
        return stamp


def find_personal_data(folder: RunFolder) -> PersonalData | None:
    """What a run still holds; null if nothing, and no purge of it was stopped on the way."""
    files = sorted(
        {path for pattern in _PERSONAL for path in folder.path.glob(pattern) if path.is_file()}
    )
    tables = [
        folder.path / name
        for name, column in _TABLES.items()
        if _has_values(folder.path / name, column)
    ]
    retries = sorted((folder.path.parent / FOLDER).glob(f"{folder.run}-*"))
    is_over = gather_evidence(folder).interrupted != "purge"
    if not files and not tables and not retries and is_over:
        return None
    return PersonalData(
        folder=folder,
        files=tuple(files),
        tables=tuple(tables),
        retries=tuple(retries),
        size=sum(path.stat().st_size for path in files),
    )


def _has_values(path: Path, column: str) -> bool:
    if not path.is_file():
        return False
    try:
        found = (
            pl.scan_parquet(path, glob=False)
            .select(pl.col(column).is_not_null().any())
            .collect(engine="streaming")
        )
    except (pl.exceptions.PolarsError, OSError):
        return False
    return bool(found.item())


def purge_run(found: PersonalData, clock: Clock) -> None:
    """Remove a run's personal data. Call it again after a stop to continue.

    Raises:
        Stopped: the run is being applied, or the disk failed.
        InvariantBroken: the journal does not hold. Nothing is removed, because nothing could be
            proven afterwards.
    """
    with locked(found.folder.path, "another process is applying this run."):
        _purge(found, clock)


def _purge(found: PersonalData, clock: Clock) -> None:
    folder = found.folder
    entries = read_journal(folder.journal).entries
    summary = folder.read_summary().without_values()
    gone = {path.relative_to(folder.path).as_posix() for path in found.files}
    before = {
        name
        for name in list_recorded_hashes(entries)
        if any(Path(name).match(pattern) for pattern in _PERSONAL)
    }
    removed = sorted(gone | before)
    tables = {name: folder.path / name for name in _TABLES if (folder.path / name).is_file()}
    staged = {name: _stage_blank(path, _TABLES[name]) for name, path in tables.items()}
    with Journal.open(folder.journal, clock) as journal:
        journal.append(PURGE_STARTED, removed=removed, files=staged)
        with during("purging a run"):
            for path in found.files:
                if path not in map(find_staged, tables.values()):
                    path.unlink(missing_ok=True)
            for path in (*found.retries, *(folder.path / name for name in _FOLDERS)):
                shutil.rmtree(path, ignore_errors=True)
        for path in tables.values():
            put_staged(path)
        vouch(folder, journal, "purged", summary, removed=removed, files=staged)


def _stage_blank(path: Path, column: str) -> str:
    """Write a table without a column's values next to it; its hash."""
    schema = pl.read_parquet_schema(path)
    with TableWriter(find_staged(path), pl.Schema(schema)) as writer:
        for frame in (
            pl.scan_parquet(path, glob=False)
            .with_columns(pl.lit(None, schema[column]).alias(column))
            .collect_batches(maintain_order=True)
        ):
            writer.write(frame)
    return writer.sha256


def render_purge(found: Sequence[PersonalData | Leftover]) -> str:
    """What would be removed, run by run."""
    if not found:
        return "No run that old holds personal data."
    return "\n".join(_render_line(one) for one in found)


def name_held(found: PersonalData | Leftover) -> str:
    """The run, or the folder of a stopped extraction below the folder of runs."""
    return (
        str(found.folder.run)
        if isinstance(found, PersonalData)
        else f"{EXTRACTING}/{found.path.name}"
    )


def _render_line(one: PersonalData | Leftover) -> str:
    size = f"{name_held(one)}  {count_of(len(one.files), 'file')}, {one.size:,} bytes"
    if isinstance(one, Leftover):
        return f"{size}: an extraction that stopped"
    return size + (f", values in {len(one.tables)} tables" if one.tables else "")
