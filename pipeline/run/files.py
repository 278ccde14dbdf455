"""Files written whole or not at all, and their hashes."""

from __future__ import annotations

import hashlib
import io
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UsageError, during

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from pydantic import JsonValue

_COMPRESSION: Final = "zstd"
_LEVEL: Final = 1
_LENGTH_OF_IDS: Final = 32
_PAGE: Final = 8 << 20
"""Bytes: a column of a morsel is one page, and its compressor is made once."""
_SAMPLE: Final = 10_000


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
            f"{path.name} is missing: this is no whole run folder.", where=str(path.parent)
        ) from error
    except ValueError as error:
        raise UsageError(f"{path.name} is not valid JSON.", where=str(path.parent)) from error
    if not isinstance(loaded, dict):
        raise UsageError(f"{path.name} holds no JSON object.", where=str(path.parent))
    return loaded


def replace_file(path: Path, content: bytes) -> None:
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
                    for name in _of_one_length(sample)
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
