"""CSV of any common dialect → chunks of text columns with the physical line of every record.

A line without quotes is a record; a line whose quotes close well is one too. Everything else goes to Python's strict ``csv``
reader, record by record, and what that refuses is an unreadable row: reading goes on at the next physical line, so a
quote that never closes loses one line and not the file. All records then go through Arrow's reader in bulk.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv as pc

from pipeline.errors import SourceError, during
from pipeline.extract.records import Chunk, Pick, ReadOptions, UnreadableRow

_LONGEST_FIELD: Final = 2**31 - 1
_DELIMITERS: Final = (",", ";", "\t")
_TOO_LONG: Final = b"\0too long"
_WORKBOOK: Final = b"PK\x03\x04"
_SEPARATOR_LINE: Final = re.compile(rb"^sep=(.)\r?$", re.IGNORECASE)


def read_delimited(
    path: Path, name: str, pick: Pick, options: ReadOptions, *, header: Sequence[str] | None = None
) -> Iterator[Chunk]:
    """Read a CSV file.

    Args:
        path: the file.
        name: what messages and findings call it.
        pick: headers → the columns that are wanted.
        options: limits.
        header: the columns of a file without header line; its delimiter is the comma.

    Yields:
        Chunks, at least one; the first has the columns even if there are no rows.

    Raises:
        SourceError: the file is empty, binary, in another encoding, or its header lacks what is needed.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    with during(f"reading {name}"):
        yield from _Reader(path, name, options).chunks(pick, header)


@dataclass(kw_only=True, slots=True)
class _Batch:
    """Records that wait for Arrow, as bytes that read the same in both readers."""

    records: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    unreadable: list[UnreadableRow] = field(default_factory=list)
    size: int = 0

    def add(self, record: bytes, line: int) -> None:
        self.records.append(record)
        self.lines.append(line)
        self.size += len(record)


class _Reader:
    def __init__(self, path: Path, name: str, options: ReadOptions) -> None:
        self._path, self._name, self._options = path, name, options
        self._lines: deque[bytes] = deque()
        self._number = 1
        self._source = self._physical_lines()

    def chunks(self, pick: Pick, header: Sequence[str] | None) -> Iterator[Chunk]:
        delimiter, names = (",", list(header)) if header is not None else self._header()
        columns = _placed(names, pick(names))
        regular = _regular(delimiter)
        batch = _Batch()
        first = True
        while self._fill(1):
            line = self._lines[0]
            plain = line[:-1] if line.endswith(b"\r") else line
            if not plain:
                self._take(1)
                continue
            if line is not _TOO_LONG and b"\r" not in plain and (b'"' not in plain or regular.fullmatch(plain)):
                batch.add(plain, self._take(1))
            else:
                self._slow(batch, delimiter)
            if batch.size >= self._options.block or len(batch.unreadable) > 10_000:  # noqa: PLR2004
                yield self._chunk(batch, names, columns, delimiter)
                batch, first = _Batch(), False
        if first or batch.records or batch.unreadable:
            yield self._chunk(batch, names, columns, delimiter)

    def _header(self) -> tuple[str, list[str]]:
        while self._fill(1) and not self._lines[0].strip():
            self._take(1)
        if not self._fill(1):
            raise SourceError("is empty.", where=self._name)
        separator = _SEPARATOR_LINE.match(self._lines[0])
        given = separator.group(1).decode() if separator else None
        if given is not None:
            self._take(1)
            if not self._fill(1):
                raise SourceError("has no header line.", where=self._name)
        if self._lines[0] is _TOO_LONG:
            raise SourceError("has no header line: the first line is longer than any record may be.", where=self._name)
        delimiter = given or _delimiter(self._lines[0].decode("utf-8"))
        try:
            reader = csv.reader(self._following(0), delimiter=delimiter, strict=True)
            names = next(reader)
        except (csv.Error, _LimitError) as error:
            raise SourceError(f"the header line cannot be read: {error}.", where=self._name) from error
        self._take(reader.line_num)
        return delimiter, names

    def _slow(self, batch: _Batch, delimiter: str) -> None:
        """One record by Python's strict reader; what it refuses costs one physical line."""
        start = self._number
        if self._lines[0] is _TOO_LONG:
            batch.unreadable.append(self._bad(start, f"it is longer than {self._options.row_limit:,} bytes"))
            self._take(1)
            return
        reader = csv.reader(self._following(0), delimiter=delimiter, strict=True)
        try:
            fields = next(reader)
        except _LimitError:
            limit = f"a quote does not close within {self._options.row_limit:,} bytes"
            batch.unreadable.append(self._bad(start, limit))
            self._take(1)
            return
        except csv.Error as error:
            batch.unreadable.append(self._bad(start, _reason(str(error))))
            self._take(1)
            return
        self._take(reader.line_num)
        batch.add(_quoted(fields, delimiter), start)

    def _following(self, place: int) -> Iterator[str]:
        """Physical lines from here on, for one record."""
        size = 0
        while self._fill(place + 1):
            line = self._lines[place]
            size += len(line)
            if line is _TOO_LONG or size > self._options.row_limit:
                raise _LimitError(f"it is longer than {self._options.row_limit:,} bytes")
            yield line.decode("utf-8") + "\n"
            place += 1

    def _bad(self, line: int, detail: str) -> UnreadableRow:
        return UnreadableRow(source_file=self._name, source_line=line, detail=detail)

    def _chunk(self, batch: _Batch, names: list[str], columns: Mapping[str, int], delimiter: str) -> Chunk:
        self._refuse_long(batch)
        table = _bulk(batch, len(names), columns, delimiter)
        if table is None:
            table = self._one_by_one(batch, len(names), columns, delimiter)
        lines = pa.array(batch.lines, pa.int64())
        return Chunk(table=table.append_column("source_line", lines), unreadable=tuple(batch.unreadable))

    def _refuse_long(self, batch: _Batch) -> None:
        limit = self._options.row_limit
        if batch.size <= limit or all(len(record) <= limit for record in batch.records):
            return
        kept = [(record, line) for record, line in zip(batch.records, batch.lines, strict=True) if len(record) <= limit]
        gone = [line for record, line in zip(batch.records, batch.lines, strict=True) if len(record) > limit]
        batch.unreadable += [self._bad(line, f"it is longer than {limit:,} bytes") for line in gone]
        batch.records, batch.lines = [one[0] for one in kept], [one[1] for one in kept]

    def _one_by_one(self, batch: _Batch, width: int, columns: Mapping[str, int], delimiter: str) -> pa.Table:
        """Find the records with a wrong number of fields."""
        values: dict[str, list[str | None]] = {name: [] for name in columns}
        lines = []
        for record, line in zip(batch.records, batch.lines, strict=True):
            fields = next(csv.reader(io.StringIO(record.decode("utf-8"), newline=""), delimiter=delimiter, strict=True))
            if len(fields) != width:
                noun = "field" if len(fields) == 1 else "fields"
                batch.unreadable.append(self._bad(line, f"it has {len(fields)} {noun} where the header has {width}"))
                continue
            lines.append(line)
            for name, place in columns.items():
                values[name].append(fields[place] or None)
        batch.lines = lines
        batch.unreadable.sort(key=lambda row: row.source_line)
        return pa.table({name: pa.array(column, pa.string()) for name, column in values.items()})

    def _fill(self, count: int) -> bool:
        """Have at least ``count`` physical lines at hand; false at the end of the file."""
        while len(self._lines) < count:
            more = next(self._source, None)
            if more is None:
                return False
            self._lines.extend(more)
        return True

    def _take(self, count: int) -> int:
        """Drop physical lines; gives the number of the first one."""
        start = self._number
        for _ in range(count):
            self._lines.popleft()
        self._number += count
        return start

    def _physical_lines(self) -> Iterator[list[bytes]]:
        """Lines of the file as UTF-8, block by block, without LF; a line over the limit is a mark."""
        rest, counted, oversize = b"", 0, False
        for block in self._utf8():
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            if oversize and lines:
                lines[0], oversize = _TOO_LONG, False
            self._check_text(lines, counted)
            counted += len(lines)
            if len(rest) > self._options.row_limit:
                rest, oversize = b"", True
            if lines:
                limit = self._options.row_limit
                yield [line if len(line) <= limit else _TOO_LONG for line in lines]
        if oversize:
            yield [_TOO_LONG]
        elif rest:
            self._check_text([rest], counted)
            yield [rest]

    def _check_text(self, lines: list[bytes], before: int) -> None:
        text = b"\n".join(line for line in lines if line is not _TOO_LONG)
        if b"\0" in text:
            raise SourceError("holds NUL bytes: this is no text file.", where=self._name)
        try:
            text.decode("utf-8")
        except UnicodeDecodeError as error:
            line = before + text.count(b"\n", 0, error.start) + 1
            raise SourceError(
                f"line {line} is not UTF-8. Save the file as 'CSV UTF-8 (comma delimited)'.", where=self._name
            ) from error

    def _utf8(self) -> Iterator[bytes]:
        """The file's bytes as UTF-8 without byte order mark."""
        with self._path.open("rb") as file:
            head = file.read(4096)
            if head.startswith(_WORKBOOK):
                raise SourceError(
                    "looks like an Excel workbook or a zip: save it as 'CSV UTF-8 (comma delimited)'.", where=self._name
                )
            encoding = _encoding(head)
            if encoding == "utf-8":
                start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
                self._refuse_lone_returns(head)
                yield head[start:]
                while block := file.read(self._options.block):
                    yield block
                return
            decoder = codecs.getincrementaldecoder(encoding)()
            try:
                text = decoder.decode(head).removeprefix("\ufeff")
                while True:
                    yield text.encode("utf-8")
                    block = file.read(self._options.block)
                    if not block:
                        break
                    text = decoder.decode(block)
                decoder.decode(b"", final=True)
            except (UnicodeDecodeError, UnicodeEncodeError) as error:
                raise SourceError(f"is not whole UTF-16 text ({encoding}).", where=self._name) from error

    def _refuse_lone_returns(self, head: bytes) -> None:
        if b"\r" in head and b"\n" not in head and len(head) < 4096:  # noqa: PLR2004
            raise SourceError("has lines that end in CR alone; save it with CRLF or LF.", where=self._name)


class _LimitError(Exception):
    """A record grew over the limit."""


def _encoding(head: bytes) -> str:
    """UTF-16 by its byte order mark, or by the zero bytes of Latin letters; else UTF-8."""
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    sample = head[:64]
    if len(sample) >= 4 and not any(sample[1::2]) and all(sample[0::2]):  # noqa: PLR2004
        return "utf-16-le"
    if len(sample) >= 4 and not any(sample[0::2]) and all(sample[1::2]):  # noqa: PLR2004
        return "utf-16-be"
    return "utf-8"


def _delimiter(header: str) -> str:
    """The delimiter that the header line uses most, outside quotes."""
    bare = re.sub(r'"(?:[^"]|"")*"', "", header)
    return max(_DELIMITERS, key=lambda one: (bare.count(one), -_DELIMITERS.index(one)))


def _regular(delimiter: str) -> re.Pattern[bytes]:
    """A line whose quotes all open a field, close it, or stand doubled inside."""
    mark = re.escape(delimiter).encode()
    cell = rb'(?:"(?:[^"]|"")*"|[^"' + mark + rb"]*)"
    return re.compile(cell + rb"(?:" + mark + cell + rb")*", re.DOTALL)


def _quoted(fields: Sequence[str], delimiter: str) -> bytes:
    """A record in the plainest form: every field quoted."""
    return delimiter.join('"' + one.replace('"', '""') + '"' for one in fields).encode("utf-8")


def _placed(names: Sequence[str], picked: Mapping[str, str]) -> dict[str, int]:
    return {column: list(names).index(header) for column, header in picked.items()}


def _bulk(batch: _Batch, width: int, columns: Mapping[str, int], delimiter: str) -> pa.Table | None:
    """All records at once; none if one has a wrong number of fields."""
    if not batch.records:
        return pa.table({name: pa.array([], pa.string()) for name in columns})
    keys = [str(place) for place in range(width)]
    wanted = [str(place) for place in columns.values()]
    try:
        table = pc.read_csv(
            pa.py_buffer(b"\n".join(batch.records) + b"\n"),
            read_options=pc.ReadOptions(column_names=keys, use_threads=True, block_size=1 << 24),
            parse_options=pc.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pc.ConvertOptions(
                column_types=dict.fromkeys(keys, pa.string()),
                include_columns=list(dict.fromkeys(wanted)),
                strings_can_be_null=True,
                null_values=[""],
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(batch.records):
        return None
    return pa.table({name: table[str(place)] for name, place in columns.items()})


def _reason(error: str) -> str:
    if "unexpected end" in error:
        return "a quote does not close before the end of the file"
    if "expected after" in error:
        return "there is text after a closing quote"
    if "new-line" in error:
        return "a carriage return stands outside quotes"
    return "its quotes are malformed"
