"""Columns of a landed table that mapping takes as they are, straight from its Parquet files.

They come as slices of rows, and no engine reads them before.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import Enum, auto
from itertools import accumulate
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from polars import selectors

from pipeline.errors import SourceError
from pipeline.extract.landing import LandedTable
from schemas.damage import DAMAGED, DAMAGED_SIGNS, find_damaged, have_more
from schemas.sales import DIGITS
from schemas.text import trimmed
from schemas.values import EXPONENT, NULL_WORDS, SHORTENED, SHORTENED_NUMBER


def refuse_damaged(landed: LandedTable) -> None:
    """Find the user's own file that an engine failed on, or text of it that was copied.

    Raises:
        SourceError: a file that opened as Parquet cannot be read through, or holds text that is
            none.
    """
    if not landed.in_place:
        for path in landed.files:
            _refuse_copied_text(path)
        return
    for path, source in zip(landed.files, landed.sources, strict=True):
        try:
            with pq.ParquetFile(path) as file:
                start = 0
                for batch in file.iter_batches(columns=list(landed.columns.values())):
                    if (found := _find_broken_text(batch)) is not None:
                        raise _make_text_error(found[0], start + found[1] + 1, source.name)
                    start += batch.num_rows
        except (OSError, pa.ArrowException) as error:
            raise SourceError(
                "its data are damaged, though it opens as Parquet: write it again.",
                where=source.name,
            ) from error


def _refuse_copied_text(path: Path) -> None:
    """Look through a table that was landed, which has the place of each row."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            if (found := _find_broken_text(batch)) is not None:
                column, row = found
                line = batch["source_line"][row].as_py()
                raise _make_text_error(column, line, batch["source_file"][row].as_py())


def _make_text_error(column: str, row: int, name: str) -> SourceError:
    return SourceError(
        f"column {column}, row {row}: its text is not UTF-8. Write the file again.", where=name
    )


def _find_broken_text(batch: pa.RecordBatch) -> tuple[str, int] | None:
    """Column and row, from 0, of the first text that is not UTF-8.

    Parquet says that all strings are, but a writer may break that rule.
    """
    for column, cells in zip(batch.schema.names, batch.columns, strict=True):
        if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
            continue
        try:
            cells.validate(full=True)
        except pa.ArrowInvalid:
            texts = enumerate(cells.cast(pa.binary()))
            return column, next((n for n, cell in texts if not _is_text(cell.as_py())), 0)
    return None


def _is_text(cell: bytes | None) -> bool:
    try:
        (cell or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


_WORDS: Final = pl.lit(pl.Series([list(NULL_WORDS)]))
"""Made without a query: importing a module starts no thread."""
_NONE: Final = pl.Series(dtype=pl.String)
_FEW: Final = 64
"""Rows that show whether a column is padded with spaces."""
_MANY: Final = 10_000
"""Rows that show whether a tool wrote question marks for letters."""

_OTHER_TEXT = ~(selectors.string() | selectors.integer() | selectors.boolean())
"""Text that Polars reads as categories."""


def _select(landed: LandedTable, name: str) -> pl.Expr:
    column = pl.col(landed.columns[name])
    return column.str.replace(r"\.0$", "") if name in landed.fractions else column


class _Odd(Enum):
    """What a column may have that is looked at further."""

    PADDED = auto()
    WORD = auto()
    MORE = auto()
    """More than ASCII."""
    SHORT = auto()


def _list_marks(text: pl.Expr, *, is_digits: bool) -> dict[_Odd, pl.Expr]:
    first = text.head(_FEW).str
    marks = {
        _Odd.PADDED: first.starts_with(" ") | first.ends_with(" "),
        _Odd.WORD: text.is_in(_WORDS),
        _Odd.MORE: have_more(text),
    }
    return marks | {_Odd.SHORT: text.str.contains(EXPONENT)} if is_digits else marks


class TextColumns:
    """The columns that mapping takes as they are."""

    def __init__(
        self,
        landed: LandedTable,
        columns: Mapping[str, str],
        blank: Sequence[str] = (),
        *,
        ahead: int = 1,
    ) -> None:
        """``columns``: wanted name → canonical name of a landed column.

        It holds text, whole numbers or booleans. Texts that are nothing but a word of ``blank`` are
        null. So many times the rows that are asked for are read at once (``ahead``), where they are
        asked for in their order: a file is opened for each time, and unpacked from the last row on
        that begins a page.
        """
        self.words = Counter[tuple[str, str]]()
        """How many cells of a column were nothing but a word that databases write for null, or
        are ``DAMAGED`` or ``SHORTENED``, of a table that was not landed."""
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._ahead = ahead
        self._held = (0, pl.DataFrame())
        self._marks: dict[tuple[str, ...], Mapping[tuple[str, _Odd], pl.Expr]] = {}
        self._blank = list(blank)
        self._names = {wanted: name for name, wanted in {n: w for w, n in columns.items()}.items()}
        self._landed = landed
        self._wanted = [_select(landed, name).alias(wanted) for wanted, name in columns.items()]
        self._heights = [one.rows for one in landed.sources] if landed.in_place else [landed.rows]
        self._starts = list(accumulate(self._heights, initial=0))[:-1]

    def rows(self, start: int, count: int) -> pl.DataFrame:
        """``count`` rows from ``start``: the wanted columns, and where each row stands."""
        found = self._take(start, count)
        if self._blank:
            cells = (selectors.string() - selectors.by_name("source_file")).as_expr()
            found = found.with_columns_seq(pl.when(~trimmed(cells).is_in(self._blank)).then(cells))
        if self._landed.words is None:
            texts = found.select(selectors.by_name(*self._names) & selectors.string())
            if texts.width:
                self._look_through(texts, is_first=start == 0)
        return found

    def _look_through(self, texts: pl.DataFrame, *, is_first: bool) -> None:
        """Count what databases, spreadsheets and other tools wrote for a text.

        One look says which columns may have any; most have none.
        """
        marks = self._mark(tuple(texts.columns))
        odd: dict[_Odd, list[str]] = {kind: [] for kind in _Odd}
        for (name, kind), hit in zip(marks, texts.select_seq(marks.values()).row(0), strict=True):
            odd[kind] += [name] if hit else []
        if not self._blank:
            self._count_words(texts, odd[_Odd.WORD], odd[_Odd.PADDED])
        self._count_damaged(texts, odd[_Odd.MORE], is_first=is_first)
        for name in odd[_Odd.SHORT]:
            numbers = texts[name].str.contains(f"^(?:{SHORTENED_NUMBER})$")
            self._add(name, SHORTENED, int(numbers.sum()))

    def _mark(self, columns: tuple[str, ...]) -> Mapping[tuple[str, _Odd], pl.Expr]:
        """What is odd in these columns, each by one boolean."""
        if columns not in self._marks:
            self._marks[columns] = {
                (name, kind): mark.any().alias(f"{place}:{name}")
                for name in columns
                for place, (kind, mark) in enumerate(
                    _list_marks(pl.col(name), is_digits=self._names[name] in DIGITS).items()
                )
            }
        return self._marks[columns]

    def _count_damaged(self, texts: pl.DataFrame, some: Collection[str], *, is_first: bool) -> None:
        """Columns of ASCII only, as most are, are looked at no further than in the first rows.

        The texts of all others are looked at together, each once: a pattern that knows so many
        mistakes takes a while to begin.
        """
        more = {name: texts[name].filter(have_more(texts[name])) for name in some}
        damaged = (
            find_damaged(pl.concat([one.alias("") for one in more.values()])) if more else _NONE
        )
        for wanted in texts.columns if is_first else some:
            hits = wanted in more and damaged.len() and more[wanted].is_in(damaged.implode()).sum()
            if is_first and not hits:
                hits = texts[wanted].head(_MANY).str.contains(DAMAGED_SIGNS).sum()
            self._add(wanted, DAMAGED, int(hits or 0))

    def _count_words(
        self, texts: pl.DataFrame, some: Collection[str], padded: Collection[str]
    ) -> None:
        for wanted in dict.fromkeys((*some, *padded)):
            text = trimmed(pl.col(wanted)) if wanted in padded else pl.col(wanted)
            words = texts.lazy().select(text).filter(pl.col(wanted).is_in(_WORDS)).collect()
            for word, cells in words[wanted].value_counts().iter_rows():
                self._add(wanted, word, cells)

    def _add(self, wanted: str, word: str, cells: int) -> None:
        if cells:
            with self._lock:
                self.words[self._names[wanted], word] += cells

    def _take(self, start: int, count: int) -> pl.DataFrame:
        """Rows as they are read, out of those that were read ahead."""
        with self._reading:
            first, held = self._held
            if not first <= start <= start + count <= first + held.height or not held.width:
                first, held = start, pl.concat(self._read_parts(start, count * self._ahead))
                self._held = first, held
            return held.slice(start - first, count)

    def _read_parts(self, start: int, count: int) -> Iterator[pl.DataFrame]:
        for file, first, height in zip(
            range(len(self._starts)), self._starts, self._heights, strict=True
        ):
            begin, end = max(start, first) - first, min(start + count, first + height) - first
            if begin < end or (count == 0 and file == 0):
                yield self._read(file, begin if count else 0, end - begin if count else 0)

    def _read(self, file: int, begin: int, count: int) -> pl.DataFrame:
        try:
            return self._read_rows(file, begin, count)
        except pl.exceptions.PolarsError:
            refuse_damaged(self._landed)
            raise

    def _read_rows(self, file: int, begin: int, count: int) -> pl.DataFrame:
        scan = pl.scan_parquet(self._landed.files[file], glob=False, hive_partitioning=False).slice(
            begin, count
        )
        if not self._landed.in_place:
            return (
                scan.select(*self._wanted, "source_file", "source_line")
                .with_columns(_OTHER_TEXT.cast(pl.String))
                .collect()
            )
        return (
            scan.select(*self._wanted)
            .with_columns(
                _OTHER_TEXT.cast(pl.String),
                source_file=pl.lit(self._landed.sources[file].name),
                source_line=pl.int_range(begin + 1, begin + 1 + pl.len(), dtype=pl.Int64),
            )
            .collect()
        )
