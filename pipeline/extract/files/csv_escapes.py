r"""CSV whose quotes are escaped by backslashes, as Data Factory and Spark write it.

``\"`` is a quote and ``\\`` a backslash inside quoted fields. Whether a file is written so is
proved by its rows: one that can be read only so, and none whose quotes are doubled. Such a file is
turned into the usual dialect on the way, line for line.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, cast

import pyarrow.compute as pc

from pipeline.extract.files.csv_bounds import Dialect
from pipeline.extract.files.csv_copy import (
    BREAK,
    convert_copy,
    has_escape,
    has_null_field,
    is_copy,
)
from pipeline.extract.files.csv_strict import read_strict
from pipeline.extract.files.csv_text import CsvText, has_pair, mend_blocks
from pipeline.extract.files.encoding import read_text_blocks
from pipeline.extract.files.packed import Content, open_content
from pipeline.extract.records import ReadOptions
from pipeline.extract.spellings import Cells

_ESCAPED: Final = re.compile(rb"\\([\\\"])")
_SCANNED: Final = 1024 * 1024
"""Bytes that are looked through at once."""
_PAIR: Final = 4
"""Bytes of a backslash and a quote at the most, in UTF-16."""
_MOST: Final = 1_000
"""Rows of a kind that are looked at."""
_LONGEST: Final = 64 * 1024
"""Bytes of a row that is looked at."""
_AROUND: Final = 8
"""Lines before and after one, in which its record is looked for."""


@dataclass(frozen=True, kw_only=True)
class Backslashes:
    """What a file of some dialect and ``width`` fields would be if backslashes escaped quotes."""

    dialect: Dialect
    width: int
    limit: int

    @cached_property
    def _record(self) -> re.Pattern[bytes]:
        """A whole record with its line end."""
        return re.compile(self._fields + rb"\r?" + self.dialect.line_end)

    @cached_property
    def _begun(self) -> re.Pattern[bytes]:
        """A record that continues after what is at hand."""
        inside = rb'"(?:[^"\\]++|\\[\s\S])*+\\?'
        return re.compile(
            self._fields + rb"(?:\r?|" + self._mark + inside + rb"|" + inside + rb")\Z"
        )

    @cached_property
    def _mark(self) -> bytes:
        return re.escape(self.dialect.delimiter.encode())

    @cached_property
    def _fields(self) -> bytes:
        mark = self._mark
        field = rb'(?:"(?:[^"\\]++|\\[\s\S])*+"|(?!")[^' + mark + rb"\r\n]++|(?!\"))"
        return rb"(?:" + field + rb"(?:" + mark + field + rb")*+)"

    @cached_property
    def _doubled(self) -> re.Pattern[bytes]:
        """Doubled quotes in the middle of a text."""
        return re.compile(rb'[^"\\\r\n' + self._mark + rb']""[^"\r\n' + self._mark + rb"]")

    def prove(self, blocks: Iterator[bytes]) -> bool:
        """Whether the rows of a file show that it is written so; ``blocks`` are the whole file."""
        found, doubled = 0, list[bytes]()
        for lines in self._read_lines(blocks):
            for place, line in enumerate(lines):
                if len(line) > _LONGEST:
                    continue
                if found < _MOST and b'\\"' in line:
                    found += self._needs_backslashes(lines, place)
                elif len(doubled) < _MOST and b'""' in line and self._doubled.search(line):
                    doubled.append(line)
        return found > 0 and not any(
            self._fits(line) and not self._record.fullmatch(line) for line in doubled
        )

    def _read_lines(self, blocks: Iterator[bytes]) -> Iterator[list[bytes]]:
        """Physical lines of blocks that have what could tell."""
        rest = b""
        for block in blocks:
            whole, mark, tail = (rest + block).rpartition(self.dialect.line_end)
            rest = tail[-_LONGEST:]
            if b'\\"' in whole or b'""' in whole:
                yield [line + mark for line in whole.split(mark)]
        if rest:
            yield [rest + self.dialect.line_end]

    def _needs_backslashes(self, lines: Sequence[bytes], place: int) -> bool:
        """Whether a line is, or belongs to, a record that can be read only with backslashes."""
        for start in range(place, max(place - _AROUND, 0) - 1, -1):
            record = self._record.match(b"".join(lines[start : place + _AROUND]))
            if record is None or record.end() <= sum(map(len, lines[start:place])):
                continue
            plain = record.group()
            if self._fits(self._double(plain)):
                return not self._fits(plain)
        return False

    def _fits(self, text: bytes) -> bool:
        """Whether a text is one record of the usual dialect and the right width."""
        read = read_strict(text, self.dialect, self.limit, is_last=True)
        return len(read.records) == 1 and len(read.records[0].fields) == self.width

    def convert(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """The same lines in the usual dialect.

        A line that is no record of this one stays as it is.
        """
        rest = b""
        for block in blocks:
            done, rest = self._convert(rest + block, is_last=False)
            yield done
        yield self._convert(rest, is_last=True)[0]

    def _convert(self, text: bytes, *, is_last: bool) -> tuple[bytes, bytes]:
        """What can be converted, and what must wait for more."""
        found, place = [], 0
        mark = self.dialect.line_end
        while place < len(text):
            record = self._record.match(text, place)
            if record is None:
                waits = len(text) - place <= self.limit and self._begun.match(text, place)
                if waits and not is_last:
                    break
                end = text.find(mark, place) + 1 or len(text)
                whole = self._record.fullmatch(text[place:end] + mark) if is_last else None
            else:
                end, whole = record.end(), record
            line = text[place:end]
            found.append(self._double(line) if whole is not None and b"\\" in line else line)
            place = end
        return b"".join(found), text[place:]

    def _double(self, record: bytes) -> bytes:
        """A record whose quotes are doubled instead."""
        return self._quoted.sub(_double_quotes, record)

    @cached_property
    def _quoted(self) -> re.Pattern[bytes]:
        """A quoted field."""
        return re.compile(rb"(?<![^\r\n" + self._mark + rb'])"(?:[^"\\]++|\\[\s\S])*+"')


def _double_quotes(field: re.Match[bytes]) -> bytes:
    inner = _ESCAPED.sub(lambda one: b'""' if one.group(1) == b'"' else b"\\", field.group()[1:-1])
    return b'"' + inner + b'"'


class EscapeProof:
    r"""Decides, when the first backslash appears that could escape, how a file is written.

    ``is_open``: a file has ``\N`` for null, as databases write it, and backslashes that they may
    have written for something else, but nothing proves it.
    """

    def __init__(
        self, text: CsvText, backslashes: Backslashes, content: Content, options: ReadOptions
    ) -> None:
        self._text, self._backslashes = text, backslashes
        self._content, self._options = content, options
        self._is_decided = self._is_looked_through = False
        self._is_copy = self._has_null = self._has_escape = False

    @property
    def is_open(self) -> bool:
        """Whether it is not known what backslashes mean."""
        return self._has_null and self._has_escape and not self._is_copy

    def look(self) -> None:
        """Look at what is at hand; from here on the text is in the usual dialect."""
        text = self._text
        if b"\\" in text.rest:
            self._look_for_copy()
        if self._is_copy or self._is_decided or not _could_escape(text.rest):
            return
        self._is_decided = True
        name, options = text.name, self._options
        if _has_escaped_quote(self._content, name, options) and self._backslashes.prove(
            mend_blocks(read_text_blocks(self._content, name, options), options.row_limit)
        ):
            text.replace(self._backslashes.convert(text.drain()))
            text.read_more()

    def _look_for_copy(self) -> None:
        text, dialect = self._text, self._backslashes.dialect
        if not self._is_looked_through:
            self._is_looked_through = True
            blocks = read_text_blocks(self._content, text.name, self._options)
            self._is_copy = is_copy(dialect, mend_blocks(blocks, self._options.row_limit))
            if self._is_copy:
                text.replace(convert_copy(text.drain()))
                text.read_more()
        if not (self._is_copy or self.is_open):
            self._has_null = self._has_null or has_null_field(text.rest)
            self._has_escape = self._has_escape or (self._has_null and has_escape(text.rest))

    def finish(self, cells: Cells) -> Cells:
        """Values of the text as they are meant."""
        return pc.replace_substring(cells, BREAK, "\n") if self._is_copy else cells


def _could_escape(block: bytes) -> bool:
    return has_pair(block, b"\\", b'\\"')


def _has_escaped_quote(content: Content, name: str, options: ReadOptions) -> bool:
    """Whether a backslash comes before a quote anywhere in a file, whatever its encoding."""
    buffer = bytearray(_SCANNED)
    kept = 0
    with open_content(content, name, options) as file:
        while read := cast("io.RawIOBase", file).readinto(memoryview(buffer)[kept:]):
            end = kept + read
            if _find_escaped_quote(buffer, end):
                return True
            kept = min(_PAIR, end)
            buffer[:kept] = buffer[end - kept : end]
    return False


def _find_escaped_quote(buffer: bytearray, end: int) -> bool:
    place = buffer.find(b"\\", 0, end)
    while place >= 0:
        if buffer[place + 1 : min(place + _PAIR, end)].lstrip(b"\0").startswith(b'"'):
            return True
        place = buffer.find(b"\\", place + 1, end)
    return False
