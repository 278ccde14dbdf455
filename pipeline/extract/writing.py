"""A landed table's Parquet file. While one row group is written, the next one is read."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.run.files import Partial
from schemas.damage import DAMAGED, SIGNS_OF_DAMAGE, count_damaged
from schemas.sales import DIGITS
from schemas.text import WHITE_SPACE
from schemas.values import (
    FRACTION,
    LONGEST_WORD,
    NULL_WORDS,
    SHORTENED,
    SHORTENED_NUMBER,
)

_COMPRESSION: Final = "zstd"
_LEVEL: Final = 1
_GROUP_ROWS: Final = 122_880
"""As DuckDB likes its row groups."""
_GROUP_BYTES: Final = 128 * 1024 * 1024
_DICTIONARY_BYTES: Final = 65_536
"""Columns that turn out to have more different values give up their dictionary early; that and no
statistics, which nothing reads, halve the time of writing."""

_SAMPLE: Final = 10_000
"""Rows by which it is judged whether a column repeats itself."""

_PLACE: Final = (pa.field("source_file", pa.string()), pa.field("source_line", pa.int64()))

_SHORTEST: Final = min(map(len, NULL_WORDS))
_SHORT, _LONG = len("4E+11"), len("-1.23457E+11")
"""Bytes of a number that a spreadsheet wrote short."""
_FIRST: Final = np.isin(np.arange(256), [ord(word[0]) for word in NULL_WORDS])
"""Byte → whether a word begins with it."""

_SMALL: Final = 0x20
"""The bit that makes a letter small."""
_WORDS: Final = pa.array(NULL_WORDS, pa.string())
_SPACE: Final = ord(" ")
_SIGNS: Final = tuple(one.encode() for one in SIGNS_OF_DAMAGE)
_FEW: Final = 64
"""Cells that show whether a column is padded."""


def count_words(cells: pa.ChunkedArray) -> Counter[str]:
    """How many cells are nothing but one of ``NULL_WORDS``, word by word.

    Nearly no cell is as short as these words and begins like one of them; only those are compared.
    Where the first cells are padded with spaces, as SQL clients write fixed widths, all are trimmed
    before. Numbers that a spreadsheet wrote short count as ``SHORTENED``, texts that were damaged
    as ``DAMAGED``.
    """
    found = Counter[str]()
    for chunk in cells.chunks if cells.type == pa.string() else []:
        if chunk.null_count == len(chunk):
            continue
        texts = _Texts.lay_out(chunk)
        if texts.are_padded():
            texts = _Texts.lay_out(pc.utf8_trim(chunk, WHITE_SPACE))
        found.update(texts.count_words())
        found[SHORTENED] += texts.count_shortened()
        found[DAMAGED] += texts.count_damaged()
    return +found


@dataclass(frozen=True, kw_only=True, slots=True)
class _Texts:
    """Cells as Arrow lays them out: the bytes of all, and where each one begins and ends."""

    cells: pa.StringArray
    content: NDArray[np.uint8]
    bounds: NDArray[np.int32]
    lengths: NDArray[np.int32]

    @classmethod
    def lay_out(cls, cells: pa.StringArray) -> _Texts:
        _, ends, content = cells.buffers()
        bounds = np.frombuffer(ends, np.int32, len(cells) + 1, cells.offset * 4)
        return cls(
            cells=cells,
            content=np.frombuffer(content or b"", np.uint8),
            bounds=bounds,
            lengths=np.diff(bounds),
        )

    def are_padded(self) -> bool:
        """Whether one of the first cells begins or ends with a space."""
        some = np.flatnonzero(self.lengths[:_FEW])
        ends = np.concatenate((self.bounds[some], self.bounds[some + 1] - 1))
        return bool(np.any(self.content[ends] == _SPACE))

    def count_words(self) -> dict[str, int]:
        """Only cells that may be a word, by their length and first byte, are looked at."""
        short = self._find_long(_SHORTEST, LONGEST_WORD)
        some = short[_FIRST[self.content[self.bounds[short]]]]
        if not len(some):
            return {}
        few = self.cells.take(pa.array(some))
        counted = pc.value_counts(few.filter(pc.is_in(few, _WORDS))).to_pylist()
        return {one["values"]: one["counts"] for one in counted}

    def count_shortened(self) -> int:
        """How many cells are numbers as a spreadsheet writes them short: few end as these do."""
        some = self._find_long(_SHORT, _LONG)
        ends = self.bounds[some + 1]
        signs = [self.content[ends - len(end)] | _SMALL for end in ("E+11", "E11")]
        some = some[(signs[0] == ord("e")) | (signs[1] == ord("e"))]
        if not len(some):
            return 0
        written = self.cells.take(pa.array(some))
        return pc.sum(pc.match_substring_regex(written, f"^(?:{SHORTENED_NUMBER})$")).as_py() or 0

    def count_damaged(self) -> int:
        """How many cells were damaged before they came; most columns show that none is."""
        written = self.content[self.bounds[0] : self.bounds[-1]].tobytes()
        if written.isascii() and not any(one in written for one in _SIGNS):
            return 0
        return count_damaged(pl.Series(self.cells))

    def _find_long(self, least: int, most: int) -> NDArray[np.intp]:
        """Places of cells of so many bytes."""
        return np.flatnonzero((self.lengths - least).view(np.uint32) <= most - least)


def _are_fractions(cells: pa.ChunkedArray) -> bool:
    """Whether all cells are whole numbers with ``.0``; nearly always the first one says no."""
    if cells.type != pa.string() or not re.fullmatch(FRACTION, cells[0].as_py()):
        return False
    return bool(pc.all(pc.match_substring_regex(cells, f"^(?:{FRACTION})$")).as_py())


class LandedFile:
    """Grows chunk by chunk and gets its name when it is whole.

    Every row has the columns of ``columns`` (null where a chunk lacks them), ``source_file`` and
    ``source_line``. With ``only_first`` it has no others than the first chunk, even if that one is
    empty.
    """

    def __init__(self, path: Path, columns: pa.Schema, *, only_first: bool = False) -> None:
        self._partial = Partial(path)
        self._schema = pa.schema([*columns, *_PLACE])
        self._waits = only_first
        self.words = Counter[tuple[str, str]]()
        """How many cells of a column are nothing but a word that databases write for null; whole
        when the file is."""
        self._fractions: dict[str, bool] = {}
        self._kept: list[pa.Table] = []
        self._rows = self._bytes = 0
        self._pool = ThreadPoolExecutor(1)
        self._pending: Future[None] | None = None
        self._writer: pq.ParquetWriter | None = None
        self._partial.begin()

    def add(self, rows: pa.Table, source: str) -> None:
        """Append rows of the file that findings call ``source``.

        They have a column ``source_line``.
        """
        if self._waits:
            there = {*rows.column_names, *(one.name for one in _PLACE)}
            self._schema = pa.schema([one for one in self._schema if one.name in there])
            self._waits = False
        if not rows.num_rows:
            return
        self._kept.append(self._fill(rows, source))
        self._rows += rows.num_rows
        self._bytes += rows.nbytes
        if self._rows >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._flush()

    def _fill(self, rows: pa.Table, source: str) -> pa.Table:
        there = {
            **dict(zip(rows.column_names, rows.columns, strict=True)),
            "source_file": pa.repeat(source, len(rows)),
        }
        columns = [
            there[field.name] if field.name in there else pa.nulls(len(rows), field.type)
            for field in self._schema
        ]
        return pa.Table.from_arrays(columns, schema=self._schema)

    @property
    def fractions(self) -> frozenset[str]:
        """Columns of ``DIGITS`` of which every filled cell is a whole number with ``.0``."""
        return frozenset(name for name, is_so in self._fractions.items() if is_so)

    def _flush(self) -> None:
        self._wait()
        table, self._kept, self._rows, self._bytes = pa.concat_tables(self._kept), [], 0, 0
        self._pending = self._pool.submit(self._write, table)

    def _write(self, table: pa.Table) -> None:
        for name in table.column_names[: -len(_PLACE)]:
            for word, count in count_words(table[name]).items():
                self.words[name, word] += count
            if name in DIGITS and self._fractions.get(name, True):
                filled = table[name].drop_null()
                if len(filled):
                    self._fractions[name] = _are_fractions(filled)
        self._open(table.slice(0, _SAMPLE)).write_table(table, row_group_size=len(table))

    def _open(self, sample: pa.Table) -> pq.ParquetWriter:
        """The writer.

        Texts that do not repeat themselves get no dictionary and are written apart from their
        lengths.
        """
        if self._writer is None:
            texts = [one.name for one in self._schema if one.type == pa.string()]
            apart = [
                name for name in texts if pc.count_distinct(sample[name]).as_py() > len(sample) // 4
            ]
            self._writer = pq.ParquetWriter(
                self._partial.path,
                self._schema,
                compression=_COMPRESSION,
                compression_level=_LEVEL,
                use_dictionary=[name for name in self._schema.names if name not in apart],
                column_encoding=dict.fromkeys(apart, "DELTA_LENGTH_BYTE_ARRAY"),
                dictionary_pagesize_limit=_DICTIONARY_BYTES,
                write_statistics=False,
            )
        return self._writer

    def _wait(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with self._pool:
            if kind is not None:
                self._abandon()
                return
            try:
                if self._kept:
                    self._flush()
                self._wait()
                self._open(self._schema.empty_table()).close()
                self._partial.finish()
            except BaseException:
                self._abandon()
                raise

    def _abandon(self) -> None:
        with contextlib.suppress(OSError, pa.ArrowException):
            self._wait()
        with contextlib.suppress(OSError, pa.ArrowException):
            if self._writer is not None:
                self._writer.close()
        self._partial.drop()
