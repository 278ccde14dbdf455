"""The run folder: ids, names, and how its files are written whole or not at all. Its layout is an interface (DESIGN 4)."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NewType, Self

import filelock
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UsageError, during

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

RunId = NewType("RunId", str)
Clock = Callable[[], datetime]

_ID: Final = re.compile(r"^\d{8}T\d{6}Z-[0-9a-f]{4}$")
_LOCK: Final = ".lock"
"""Beside a run folder in the making, and held by its process."""

_COMPRESSION: Final = "zstd"
EXTRACTING: Final = "extracting"
"""Below the folder of runs: what an extraction has so far, by Sales. It outlives a run that stops."""

LATEST: Final = "latest"
"""Instead of an id: the newest run."""

_LEVEL: Final = 1
_LENGTH_OF_IDS: Final = 32
_PAGE: Final = 8 << 20
"""Bytes: a column of a morsel is one page, and its compressor is made once."""
_SAMPLE: Final = 10_000


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder and the names of what is in it."""

    path: Path

    @property
    def run(self) -> RunId:
        """The run's id, which is the folder's name."""
        return RunId(self.path.name)

    @property
    def run_json(self) -> Path:
        """What was known at the start."""
        return self.path / "run.json"

    @property
    def summary(self) -> Path:
        """The facts."""
        return self.path / "summary.json"

    @property
    def journal(self) -> Path:
        """What was done, line by line."""
        return self.path / "journal.jsonl"

    @property
    def source(self) -> Path:
        """Landed tables."""
        return self.path / "source"

    @property
    def decisions(self) -> Path:
        """One row per contact."""
        return self.path / "decisions.parquet"

    @property
    def findings(self) -> Path:
        """One row per problem."""
        return self.path / "findings.parquet"

    @property
    def batches(self) -> Path:
        """One row per batch."""
        return self.path / "batches.parquet"

    @property
    def outcomes(self) -> Path:
        """One row per planned row that has an outcome."""
        return self.path / "outcomes.parquet"

    @property
    def packages(self) -> Path:
        """Packages, by task."""
        return self.path / "packages"

    def rows(self, task: str) -> Path:
        """Planned rows of a task: a folder of Parquet files."""
        return self.path / "rows" / task

    def rows_files(self, task: str) -> list[Path]:
        """The Parquet files of a task's planned rows, in source order."""
        return sorted(self.rows(task).glob("*.parquet"))

    def plan_files(self) -> list[Path]:
        """The files that are the plan, with the tables that were landed and the keys that SCM had; results are left out."""
        fixed = [self.run_json, self.decisions, self.findings]
        rows = sorted((self.path / "rows").glob("*/*.parquet"))
        landed = sorted(self.source.glob("*.parquet"))
        seen = sorted((self.path / "scm").glob("*.parquet"))
        return [path for path in [*fixed, *rows, *landed, *seen] if path.exists()]

    def facts(self) -> dict[str, Any]:
        """``run.json``."""
        return read_json(self.run_json)


def new_run(clock: Clock) -> RunId:
    """An id that sorts by time."""
    return RunId(f"{clock().astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}")


@contextmanager
def building(runs: Path, run: RunId) -> Iterator[RunFolder]:
    """A run folder that appears under its name only when it is whole. What a killed process left is cleared away first.

    Raises:
        UsageError: ``runs`` is no folder.
        Stopped: the disk failed; nothing is left behind.
    """
    if runs.exists() and not runs.is_dir():
        raise UsageError("is no folder; --runs names the folder of all runs.", where=str(runs))
    partial = runs / f".{run}.partial"
    with during("creating the run folder"):
        _clear(runs)
        runs.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(partial.with_suffix(_LOCK))
        lock.acquire()
        partial.mkdir()
    try:
        yield RunFolder(partial)
        with during("finishing the run folder"):
            partial.rename(runs / run)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    finally:
        lock.release()
        partial.with_suffix(_LOCK).unlink(missing_ok=True)


def _clear(runs: Path) -> None:
    """Remove folders whose process is gone: the system freed their locks. They hold personal data, and room."""
    for path in runs.glob(".*.partial"):
        lock = path.with_suffix(_LOCK)
        if path.is_dir() and lock.is_file():
            with suppress(filelock.Timeout), filelock.FileLock(lock, timeout=0):
                shutil.rmtree(path, ignore_errors=True)
                lock.unlink(missing_ok=True)


def all_runs(runs: Path) -> list[RunFolder]:
    """All runs, oldest first."""
    if not runs.is_dir():
        return []
    return [RunFolder(path) for path in sorted(runs.iterdir()) if path.is_dir() and _ID.match(path.name)]


def find_run(runs: Path, name: str) -> RunFolder:
    """The run that an id, a unique prefix or ``latest`` means.

    Raises:
        UsageError: none or several match.
    """
    known = all_runs(runs)
    if name == LATEST:
        if not known:
            raise UsageError(f"there are no runs in {runs}.")
        return known[-1]
    matching = [one for one in known if one.run.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    what = "no run has" if not matching else f"{len(matching)} runs have"
    raise UsageError(f"{what} an id that begins with '{name}'. `p2c runs` lists them.")


def write_json(path: Path, content: object) -> None:
    """Write JSON whole or not at all."""
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
    replace(path, (text + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of a run folder."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"{path.name} is missing: this is no whole run folder.", where=str(path.parent)) from error
    except ValueError as error:
        raise UsageError(f"{path.name} is not valid JSON.", where=str(path.parent)) from error
    if not isinstance(loaded, dict):
        raise UsageError(f"{path.name} holds no JSON object.", where=str(path.parent))
    return loaded


def facts_digest(facts: Mapping[str, Any]) -> str:
    """The SHA-256 of ``summary.json``'s facts, but for the journal's hash in it: the journal vouches for it."""
    told = json.loads(json.dumps({name: value for name, value in facts.items() if name != "journal"}, default=str))
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` in place of a file, atomically; its folder is made if there is none."""
    partial = path.with_name(f".{path.name}.partial")
    with during(f"writing {path.name}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Write a small table, atomically."""
    with TableWriter(path, frame.schema) as writer:
        writer.write(frame)


class _Hashed(io.FileIO):
    """A file that is written from front to end, with the SHA-256 of what went in."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "wb")
        self.digest = hashlib.sha256()

    def write(self, content: ReadableBuffer, /) -> int:
        """Write all of it: a file of the operating system may take less at a time."""
        view = memoryview(content).cast("B")
        self.digest.update(view)
        written = 0
        while written < len(view):
            written += super().write(view[written:]) or 0
        return written


def _of_one_length(frame: pl.DataFrame) -> list[str]:
    """The columns of ids and hashes."""
    lengths = frame.select(pl.col(pl.String).str.len_bytes())
    return [one.name for one in lengths if one.n_unique() == 1 and (one[0] or 0) >= _LENGTH_OF_IDS]


class TableWriter:
    """A Parquet file that grows morsel by morsel and gets its name when it is whole."""

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self.path = path
        self._partial = path.with_name(f".{path.name}.partial")
        self._schema = schema
        self._writer: pq.ParquetWriter | None = None
        with during(f"writing {path.name}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _Hashed(self._partial)

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was written; of the whole file once it is closed."""
        return self._file.digest.hexdigest()

    def write(self, frame: pl.DataFrame) -> None:
        """Append rows of the writer's schema."""
        if frame.is_empty():
            return
        with during(f"writing {self.path.name}"):
            self._opened(frame).write_table(pa.table(frame), row_group_size=frame.height)

    def _opened(self, first: pl.DataFrame) -> pq.ParquetWriter:
        """The writer. Dictionaries serve columns that repeat themselves; of ids, neither they nor statistics serve anyone.

        Ids and hashes are of one length; apart from their lengths they compress in half the time, and better.
        """
        if self._writer is None:
            sample = first.head(_SAMPLE)
            repeating = [name for name in sample.columns if sample[name].n_unique() <= sample.height // 4]
            self._writer = pq.ParquetWriter(
                self._file,
                pa.table(self._schema.to_frame()).schema,
                store_schema=False,
                compression=_COMPRESSION,
                compression_level=_LEVEL,
                use_dictionary=repeating,
                column_encoding={name: "DELTA_LENGTH_BYTE_ARRAY" for name in _of_one_length(sample) if name not in repeating},
                write_statistics=False,
                data_page_size=_PAGE,
            )
        return self._writer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._abandon()
            return
        with during(f"writing {self.path.name}"):
            try:
                self._opened(self._schema.to_frame()).close()
                self._file.close()
                self._partial.replace(self.path)
            except BaseException:
                self._abandon()
                raise

    def _abandon(self) -> None:
        with suppress(OSError, pa.ArrowException):
            if self._writer is not None:
                self._writer.close()
            self._file.close()
        self._partial.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with during(f"reading {path.name}"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
