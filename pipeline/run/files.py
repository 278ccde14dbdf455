"""Files written whole or not at all, their hashes, and locks between processes.

Whoever writes a file or holds a lock does it with these, so that a full disk, a killed process and
a power cut leave the same everywhere: the file as it was, or the file as it should be.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Self

import filelock
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import Stopped, UsageError, during
from pipeline.run.private import (
    PRIVATE_FILE,
    close_to_others,
    create_file,
    make_folder,
    sync_folder,
)

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from pydantic import JsonValue

LOCK: Final = ".lock"
"""The file of a folder that its process holds."""

PARTIALS: Final = ".*.partial"
"""The files of a folder that are in the making, or were when a process was killed."""

_STAGED: Final = "next"
_COMPRESSION: Final = "zstd"
_LEVEL: Final = 1
_LENGTH_OF_IDS: Final = 32
_PAGE: Final = 8 << 20
"""Bytes: a column of a morsel is one page, and its compressor is made once."""
_SAMPLE: Final = 10_000


class Disk:
    """What whole files ask of the operating system."""

    def flush(self, path: Path) -> None:
        """Return when all that was written to a file is on the disk."""
        with path.open("r+b") as file:
            os.fsync(file.fileno())

    def replace(self, partial: Path, path: Path) -> None:
        """Give a file or a folder the name of another, which is gone then.

        When it returns, the name is on the disk: a power cut does not bring the old one back.
        """
        partial.replace(path)
        sync_folder(path.parent)


DISK: Final = Disk()


def flush_tree(folder: Path) -> None:
    """Return when all files of a folder, and its names, are on the disk; links lead elsewhere.

    Raises ``OSError``.
    """
    for path in folder.iterdir():
        if path.is_symlink():
            continue
        if path.is_dir():
            flush_tree(path)
        else:
            DISK.flush(path)
    sync_folder(folder)


@dataclass(frozen=True, slots=True)
class Partial:
    """A file in the making, next to the place that it takes when it is whole."""

    place: Path
    disk: Disk = DISK

    @property
    def path(self) -> Path:
        """Where it is written."""
        return self.place.with_name(f".{self.place.name}.partial")

    def begin(self) -> None:
        """Make the folder if it does not exist, and an empty file that is closed to others."""
        make_folder(self.place.parent)
        create_file(self.path)

    def finish(self) -> None:
        """Put it in its place, once it is on the disk."""
        close_to_others(self.path)  # Engines may have put a file of their own there.
        self.disk.flush(self.path)
        self.disk.replace(self.path, self.place)

    def drop(self) -> None:
        """Leave the place as it was."""
        self.path.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path, disk: Disk = DISK) -> Iterator[Path]:
    """Write a file whole or not at all; for writers that open files themselves.

    The path to write to. When the block ends, that file is on the disk and takes the place of
    ``path``; when it fails, ``path`` is as it was and nothing is left.

    Raises:
        Stopped: the disk failed.
    """
    partial = Partial(path, disk)
    with during(f"writing {path.name}"):
        partial.begin()
        try:
            yield partial.path
            partial.finish()
        except BaseException:
            partial.drop()
            raise


@contextmanager
def atomic(path: Path, disk: Disk = DISK) -> Iterator[BinaryIO]:
    """Write a file whole or not at all; its folder is made if needed.

    The file to write to. Raises ``Stopped`` as ``replacing`` does.
    """
    with replacing(path, disk) as partial, partial.open("wb") as file:
        yield file


@contextmanager
def locked(folder: Path, sentence: str, *, name: str = LOCK, wait: float = 0.0) -> Iterator[None]:
    """Hold a folder against other processes; it is made if needed.

    Args:
        folder: what is held.
        sentence: says that another process holds it.
        name: the lock's file in it.
        wait: for how many seconds others are waited for.

    Raises:
        Stopped: another process holds it; or the disk failed.
    """
    with try_lock(folder / name, wait) as is_ours:
        if not is_ours:
            raise Stopped(sentence, where=folder.name)
        yield


@contextmanager
def try_lock(path: Path, wait: float = 0.0) -> Iterator[bool]:
    """Hold a lock file until the block ends, if no other process holds it; whether it is ours.

    Its folder is made if needed. Who holds it is waited for so many seconds.

    Raises:
        Stopped: the disk failed.
    """
    lock = filelock.FileLock(path, timeout=wait, mode=PRIVATE_FILE)
    with during(f"locking {path.parent.name}"), suppress(filelock.Timeout):
        make_folder(path.parent)
        lock.acquire()
    try:
        yield lock.is_locked
    finally:
        lock.release()


def write_json(path: Path, content: object) -> None:
    """Write JSON whole or not at all."""
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
    replace_file(path, (text + "\n").encode())


def read_json(path: Path) -> dict[str, JsonValue]:
    """Read a JSON object of a run folder."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            f"{path.name} is missing: this is not a whole run folder.", where=str(path.parent)
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path.name} is not valid JSON.", where=str(path.parent)) from error
    if not isinstance(loaded, dict):
        raise UsageError(f"{path.name} is not a JSON object.", where=str(path.parent))
    return loaded


def replace_file(path: Path, content: bytes) -> None:
    """Put ``content`` in place of a file, atomically; its folder is made if needed."""
    with atomic(path) as file:
        file.write(content)


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Write a small table, atomically."""
    with TableWriter(path, frame.schema) as writer:
        writer.write(frame)


def find_staged(path: Path) -> Path:
    """Where a table is written whole before the journal names it, next to the one it replaces."""
    return path.with_name(f"{path.stem}-{_STAGED}{path.suffix}")


def put_staged(path: Path) -> None:
    """Put a staged table in its place; done again it does no harm."""
    with during(f"writing {path.name}"):
        if find_staged(path).is_file():
            DISK.replace(find_staged(path), path)


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


def _list_fixed_length_columns(frame: pl.DataFrame) -> list[str]:
    """The columns of ids and hashes."""
    lengths = frame.select(pl.col(pl.String).str.len_bytes())
    return [one.name for one in lengths if one.n_unique() == 1 and (one[0] or 0) >= _LENGTH_OF_IDS]


class TableWriter:
    """A Parquet file that grows morsel by morsel and gets its name when it is whole."""

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self.path = path
        self._partial = Partial(path)
        self._schema = schema
        self._writer: pq.ParquetWriter | None = None
        with during(f"writing {path.name}"):
            self._partial.begin()
            self._file = _Hashed(self._partial.path)

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was written; of the whole file once it is closed."""
        return self._file.digest.hexdigest()

    def write(self, frame: pl.DataFrame) -> None:
        """Append rows of the writer's schema."""
        if frame.is_empty():
            return
        with during(f"writing {self.path.name}"):
            self._open(frame).write_table(pa.table(frame), row_group_size=frame.height)

    def _open(self, first: pl.DataFrame) -> pq.ParquetWriter:
        """The writer.

        Dictionaries serve columns that repeat themselves; of ids, neither they nor statistics serve
        anyone. Ids and hashes are of one length; apart from their lengths they compress in half the
        time, and better.
        """
        if self._writer is None:
            sample = first.head(_SAMPLE)
            repeating = [
                name for name in sample.columns if sample[name].n_unique() <= sample.height // 4
            ]
            self._writer = pq.ParquetWriter(
                self._file,
                pa.table(self._schema.to_frame()).schema,
                store_schema=False,
                compression=_COMPRESSION,
                compression_level=_LEVEL,
                use_dictionary=repeating,
                column_encoding={
                    name: "DELTA_LENGTH_BYTE_ARRAY"
                    for name in _list_fixed_length_columns(sample)
                    if name not in repeating
                },
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
                self._open(self._schema.to_frame()).close()
                self._file.close()
                self._partial.finish()
            except BaseException:
                self._abandon()
                raise

    def _abandon(self) -> None:
        with suppress(OSError, pa.ArrowException):
            if self._writer is not None:
                self._writer.close()
            self._file.close()
        self._partial.drop()


def hash_file(path: Path) -> str:
    """The SHA-256 of a file."""
    with during(f"reading {path.name}"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
