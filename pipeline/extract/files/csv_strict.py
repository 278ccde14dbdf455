"""Records one by one, for blocks of CSV in which something is out of its place.

A record is what Python's strict ``csv`` reader makes of the physical lines from its first one on.
What that refuses is an unreadable row of one line, and reading continues at the next line: a
quote that never closes costs one line, not the file.
"""

from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.extract.files.csv_bounds import Dialect
from pipeline.extract.records import render_too_long
from schemas.text import GUID

_NO_LIMIT: Final = 2**31 - 1
"""Of Python's reader: the row limit is ours."""

_REASONS: Final = {
    "unexpected end": "a quote does not close before the end of the file",
    "expected after": "there is text after a closing quote",
    "new-line": "a line break of another kind stands outside quotes",
}
_SWALLOWS: Final = "a quote does not close before the next row begins"
_BACKSLASH: Final = (
    '; a quote behind a backslash (\\") counts as closing, because not every row of the file '
    "escapes its quotes so"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One record: its first physical line, from 0, and its fields, or why it cannot be read."""

    line: int
    fields: Sequence[str] = ()
    trouble: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StrictRecords:
    """The records that were read, and the bytes and physical lines that they took.

    ``continues``: the last line continues after the block, and the rest of it is to be skipped.
    """

    records: list[Record]
    end: int
    breaks: int
    continues: bool = False


class _NeedMoreError(Exception):
    """The record continues after the block."""


class _TooLongError(Exception):
    """The record is longer than it may be."""


def read_strict(
    block: bytes, dialect: Dialect, limit: int, *, is_last: bool, most: int | None = None
) -> StrictRecords:
    """The records of a block that begins with a record.

    Args:
        block: valid UTF-8.
        dialect: of the file.
        limit: bytes that a record may have.
        is_last: nothing comes after the block. Otherwise a record that is not whole is left for
            the next call.
        most: read no more records than this.
    """
    csv.field_size_limit(_NO_LIMIT)
    lines = block.split(dialect.line_end)
    tail = lines.pop()
    if is_last and tail:
        lines.append(tail)
        tail = b""
    source = _Lines(lines=lines, tail=tail, dialect=dialect, limit=limit, is_last=is_last)
    records, done = source.read_records(most)
    end = min(sum(map(len, lines[:done])) + done, len(block))
    if done == len(lines) and len(tail) > limit and len(records) != most:
        records.append(Record(line=done, trouble=render_too_long(limit)))
        return StrictRecords(records=records, end=len(block), breaks=done, continues=True)
    return StrictRecords(records=records, end=end, breaks=done)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lines:
    """Whole physical lines of a block, and the beginning of one more."""

    lines: list[bytes]
    tail: bytes
    dialect: Dialect
    limit: int
    is_last: bool

    def read_records(self, most: int | None) -> tuple[list[Record], int]:
        """Whole records, and how many lines they took."""
        found: list[Record] = []
        place = 0
        while place < len(self.lines) and len(found) != most:
            if self.lines[place] in {b"", b"\r"}:
                place += 1
                continue
            try:
                record, taken = self._read_record(place)
            except _NeedMoreError:
                break
            found.append(record)
            place += taken
        return found, place

    def _read_record(self, place: int) -> tuple[Record, int]:
        reader = csv.reader(self._walk_lines(place), delimiter=self.dialect.delimiter, strict=True)
        try:
            fields = next(reader)
            if self._has_row_inside(range(place + 1, place + reader.line_num), len(fields)):
                return Record(line=place, trouble=_SWALLOWS), 1
            return Record(line=place, fields=fields), reader.line_num
        except _TooLongError:
            alone = len(self.lines[place]) > self.limit
            trouble = (
                render_too_long(self.limit)
                if alone
                else f"a quote does not close within {self.limit:,} bytes"
            )
        except csv.Error as error:
            trouble = _explain(str(error))
            if b'\\"' in self.lines[place]:
                trouble += _BACKSLASH
        return Record(line=place, trouble=trouble), 1

    def _has_row_inside(self, places: Iterable[int], width: int) -> bool:
        """Whether a further line of a record is a whole row by itself, which begins with an id."""
        begins = re.compile(GUID.encode() + re.escape(self.dialect.delimiter.encode()))
        for line in (self.lines[place] for place in places if begins.match(self.lines[place])):
            alone = csv.reader([line.decode()], delimiter=self.dialect.delimiter, strict=True)
            with contextlib.suppress(csv.Error):
                if len(next(alone)) == width:
                    return True
        return False

    def _walk_lines(self, place: int) -> Iterator[str]:
        """Physical lines from here on, for one record."""
        line_end, size = self.dialect.line_end.decode(), -1
        for number in range(place, len(self.lines)):
            line = self.lines[number]
            size += len(line) + 1
            if size > self.limit:
                raise _TooLongError
            yield line.decode() + line_end
        if size + len(self.tail) + 1 > self.limit:
            raise _TooLongError
        if not self.is_last:
            raise _NeedMoreError


def _explain(error: str) -> str:
    return next(
        (reason for sign, reason in _REASONS.items() if sign in error), "its quotes are malformed"
    )
