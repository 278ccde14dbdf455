"""What the readers of text forms yield: chunks of rows as text, and rows that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

from pipeline.extract.pages import SavedPage

_PAGE: Final = 5_000
"""Rows of a page of Dataverse: what broke off between two pages has a multiple of them."""
_LIMIT: Final = 100_000
"""Rows at which Sales ends an export to Excel."""
_SHEETS: Final = frozenset({30_000, 65_535, 150_000, 1_048_575})
"""Rows at which a visual of Power BI ends, and sheets of Excel below their header."""
_TOLD: Final = "export_limit"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadOptions:
    """Limits of reading: bytes of one record, bytes that are read at once.

    Of packed files the bytes that they may become, and how many times their size that may be.
    ``every_row``: rows of nothing but delimiters, and the header again, are rows, too.
    """

    row_limit: int = 1_048_576
    block: int = 4 * 1024 * 1024
    unpacked_limit: int = 8 * 1024**3
    unpacked_ratio: int = 200
    every_row: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadableRow:
    """A row that could not be read.

    File, physical line where it starts, and why, never with a value of it.
    """

    source_file: str
    source_line: int
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """Something about a table or the folder that its user should hear of.

    ``code`` is one of ``schemas/codes.toml``; ``detail`` and ``column`` fill its blanks, and
    ``source_file`` is the file that it is about, never with a value of a row.
    """

    code: str
    detail: str = ""
    column: str = ""
    source_file: str | None = None


def note_row_count(table: str, rows: int, notes: Iterable[Note]) -> Note | None:
    """What to say of a table with as many rows as an export has that stopped too early.

    Args:
        table: its name.
        rows: its rows, with those that cannot be read.
        notes: what is said of it already.
    """
    is_limit = rows in _SHEETS or (rows % _PAGE == 0 and 0 < rows <= _LIMIT)
    if not is_limit or any(one.code == _TOLD for one in notes):
        return None
    return Note(code="row_count_suspicious", detail=f"{table} has exactly {rows:,}")


def note_export_limit(file: str, rows: int) -> Note | None:
    """What to say of a workbook that ends at the row at which exports to Excel end."""
    return Note(code=_TOLD, detail=f"{rows:,}", source_file=file) if rows == _LIMIT else None


@dataclass(frozen=True, kw_only=True, slots=True)
class TableVersion:
    """The version of a table that was read.

    ``committed_at`` is when it was written, null where nothing says it; ``folder`` is the table's.
    """

    number: int
    committed_at: datetime | None
    folder: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """By what a file is known without reading it.

    On this machine size, time (nanoseconds since 1970) and number; in a store size, ETag and
    version.
    """

    size: int
    changed: int = 0
    number: int = 0
    etag: str = ""
    version: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Some rows of a file: ``source_line``, and canonical columns as text exactly as written.

    Empty text is null. ``headers`` are all columns that a chunk of JSON has, known or not;
    the last chunk of a ``page`` says so. ``notes`` are to be said of the file. ``blank``: lines of
    objects without any value, which are no rows of the table.
    """

    table: pa.Table
    unreadable: tuple[UnreadableRow, ...] = ()
    notes: tuple[Note, ...] = ()
    headers: tuple[str, ...] = ()
    page: SavedPage | None = None
    blank: frozenset[int] = frozenset()

    @property
    def columns(self) -> list[str]:
        """The canonical columns that are there."""
        return [name for name in self.table.column_names if name != "source_line"]


def render_too_long(limit: int) -> str:
    """Why a record over the limit cannot be read."""
    return f"it is longer than {limit:,} bytes"
