"""What the readers of text forms hand on: chunks of rows as text, and rows that could not be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadOptions:
    """Limits of reading: bytes of one record, bytes that are read at once."""

    row_limit: int = 1_048_576
    block: int = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadableRow:
    """A row that could not be read: file, physical line where it starts, and why, never with a value of it."""

    source_file: str
    source_line: int
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Some rows of a file: canonical columns as text exactly as written (empty is null), and ``source_line``."""

    table: pa.Table
    unreadable: tuple[UnreadableRow, ...]


Pick = Callable[[Sequence[str]], Mapping[str, str]]
"""Headers → {canonical column: header as written}; raises ``SourceError``."""
