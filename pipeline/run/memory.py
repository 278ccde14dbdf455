"""The memory of a destination: which keys were loaded there, with what content, by which run.

One row per destination key that was created or updated: legal_entity, destination_key, row_hash,
run, batch (DESIGN 3). Legal entities are in lower case.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InvariantBroken, P2cError
from pipeline.run.files import DISK, Disk, hash_file, read_json, replacing, write_json
from pipeline.run.folder import MEMORIES, SCRATCH
from sql.query import query
from sql.session import Session

LOADED: Final = pl.Schema(
    {
        "legal_entity": pl.String,
        "destination_key": pl.String,
        "row_hash": pl.String,
        "run": pl.String,
        "batch": pl.Int32,
    }
)

_NEEDED: Final = frozenset({"destination_key", "row_hash"})
"""Columns that a replayed plan has, too."""

_HASHES: Final = "hashes.json"
"""In the folder of a memory: task → the hashes that its file may have; two while it is replaced."""

IMPORTED_AT: Final = "imported.json"
"""In the folder of what was imported: when it was."""


def find_imported(runs: Path, destination: str) -> Path:
    """Where the memory that was imported last lies, as it came: a rebuild begins with it."""
    return find_memory_folder(runs, destination) / "imported"


def find_memory_folder(runs: Path, destination: str) -> Path:
    """Where the memory of a destination lies; whoever loads there holds this folder."""
    return runs / MEMORIES / destination


def find_memory(runs: Path, destination: str, task: str) -> Path:
    """Where the memory of a task at a destination lies."""
    return find_memory_folder(runs, destination) / f"{task}.parquet"


def list_memories(runs: Path, destination: str) -> list[Path]:
    """The memory of each task at a destination; none if nothing was loaded there yet.

    A file that is named like no task, such as a copy that a service for shared folders makes of a
    conflict, is none.
    """
    found = find_memory_folder(runs, destination).glob("*.parquet")
    return sorted(path for path in found if path.stem.isalnum())


def list_whole_memories(runs: Path, destination: str) -> list[Path]:
    """The same. Raises ``InvariantBroken`` if one is no memory, or is not as p2c wrote it."""
    found = list_memories(runs, destination)
    refuse_unreadable(found)
    refuse_rewritten(found)
    return found


@contextmanager
def replacing_memory(path: Path, disk: Disk = DISK) -> Iterator[Path]:
    """As ``replacing``; what is written is known by its hash from then on.

    The hash is on disk before the file takes its place, next to that of the file before it: a stop
    in between leaves either.
    """
    before = _read_hashes(path)[-1:]
    with replacing(path, disk) as partial:
        yield partial
        now = hash_file(partial)
        _write_hashes(path, [*before, now])
    _write_hashes(path, [now])


def forget_memories(runs: Path, destination: str) -> None:
    """Remove the memory of a destination, to build it again."""
    for old in list_memories(runs, destination):
        old.unlink()
        _write_hashes(old, [])


def _read_hashes(path: Path) -> list[str]:
    """The hashes that a memory may have; none if nobody wrote one down."""
    file = path.with_name(_HASHES)
    if not file.is_file():
        return []
    try:
        found = read_json(file).get(path.stem, [])
    except P2cError:
        found = None
    if not isinstance(found, list):
        raise InvariantBroken("was altered. Restore this folder from a backup.", where=str(file))
    return [str(one) for one in found]


def _write_hashes(path: Path, hashes: Sequence[str]) -> None:
    file = path.with_name(_HASHES)
    known = read_json(file) if file.is_file() else {}
    write_json(file, {**known, path.stem: list(hashes)})


def refuse_rewritten(files: Sequence[Path]) -> None:
    """Refuse a memory that somebody else has written: rows would be sent twice, or never.

    One that an earlier version of p2c wrote has no hash, and is believed.

    Raises:
        InvariantBroken: a file is not as p2c wrote it.
    """
    for path in files:
        # A load may replace the file between the two looks.
        if not any(_is_as_written(path) for _ in range(2)):
            raise InvariantBroken(
                "the memory of loads is not as p2c wrote it. Restore this folder from a backup of "
                "the folder of runs, or the memory with `p2c memory import FILE --replace`.",
                where=str(path),
            )


def _is_as_written(path: Path) -> bool:
    found = hash_file(path)
    hashes = _read_hashes(path)
    return not hashes or found in hashes


@contextmanager
def blaming_memory(runs: Path, destination: str) -> Iterator[None]:
    """Say so where an engine fails because the memory of a destination was cut or altered.

    Raises:
        InvariantBroken: it was.
    """
    try:
        yield
    except (duckdb.Error, pl.exceptions.PolarsError, pa.ArrowException):
        refuse_unreadable(list_memories(runs, destination), whole=True)
        raise


def refuse_unreadable(files: Sequence[Path], *, whole: bool = False) -> None:
    """Refuse to go on with a memory that cannot be read: what was loaded would be loaded again.

    Args:
        files: the memory of a destination.
        whole: read every page of it, not its columns alone.

    Raises:
        InvariantBroken: a file was cut or altered.
    """
    for path in files:
        if not _is_readable(path, whole=whole):
            raise InvariantBroken(
                "the memory of loads was cut or altered. Restore this file from a backup of the "
                "folder of runs, or with `p2c memory import FILE --replace`.",
                where=str(path),
            )


def _is_readable(path: Path, *, whole: bool) -> bool:
    try:
        with pq.ParquetFile(path) as file:
            for _ in file.iter_batches() if whole else ():
                pass
            return set(file.schema_arrow.names) >= _NEEDED
    except (pa.ArrowException, OSError):
        return False


@contextmanager
def make_scratch(home: Path) -> Iterator[Path]:
    """A folder for a while, in the folder of a memory that the caller holds.

    What a killed process left there is removed first; the next plan removes it, too.
    """
    for left in home.glob(f"{SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=home) as path:
        yield Path(path)


def fold_key() -> pl.Expr:
    """``destination_key`` as it is compared: SCM takes legal entities in any case.

    The memory has them in lower case, unless an earlier version of p2c wrote it.
    """
    parts = pl.col("destination_key").str.splitn("/", 2)
    entity, rest = parts.struct.field("field_0"), parts.struct.field("field_1")
    folded = pl.concat_str([entity.str.to_lowercase(), rest], separator="/", ignore_nulls=True)
    return folded.alias("destination_key")


def name_memory(session: Session, path: Path) -> None:
    """Make the memory known to a session as ``loaded``, empty if nothing was loaded yet."""
    session.parquet("loaded", path, schema=LOADED)


def merge_rows(session: Session, path: Path, rows: Path) -> None:
    """Lay rows over the memory, atomically: the newer row of a key wins.

    The keys of rows without row_hash leave it.

    Args:
        session: where to do it.
        path: the memory of one task at one destination.
        rows: a Parquet file with ``LOADED``'s columns.

    Raises:
        Stopped: the disk failed; the memory is as it was.
    """
    name_memory(session, path)
    session.parquet("rows_loaded", rows, schema=LOADED)
    with replacing_memory(path) as partial:
        session.copy(query("run/remembered"), partial, compression="zstd")
