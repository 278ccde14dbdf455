"""JSON pages and JSON lines → chunks of text columns.

The Web API may leave nulls out, so a row need not have all columns; what is needed must be
somewhere in the table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress, islice
from operator import itemgetter
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import SourceError
from pipeline.extract.files.encoding import read_text_blocks
from pipeline.extract.files.json_changes import CHANGES, read_deletions
from pipeline.extract.files.json_page import DECODER, TOO_LONG, TWICE, PageParser, has_key_twice
from pipeline.extract.files.json_rows import (
    WRAPPED,
    Expansions,
    Unreadable,
    looks_like_row,
    unwrap_rows,
)
from pipeline.extract.files.packed import Content
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.pages import SavedPage
from pipeline.extract.records import Chunk, ReadOptions, UnreadableRow, render_too_long

_ROWS: Final = 2_000
"""Rows made into columns at once; many more would no longer be near the processor."""
_NO_OBJECT: Final = "it is not a JSON object"
_TWICE: Final = "it has a key twice"
_TOO_DEEP: Final = "objects or lists lie in one another too deep"
_ARRAY_OF_ROWS: Final = re.compile(rb"\s*\[\s*\{")
_PAGE: Final = re.compile(
    rb'\s*\{\s*(?:"[^"\\]*"\s*:\s*(?:"(?:[^"\\]|\\.)*+"|[\w.+-]++)\s*,\s*)*+"value"\s*:\s*\['
)


def read_pages(
    content: Content, name: str, selection: ColumnSelection, options: ReadOptions
) -> Iterator[Chunk]:
    """Read pages: ``{"value": [...]}`` or an array; rows are numbered from 1.

    The last chunk of a page knows of a next one. A file whose lines are rows is read by lines.

    Raises:
        SourceError: it is not such a page, or not a whole one.
    """
    first, blocks = _look(read_text_blocks(content, name, options))
    if _has_lines(first, selection):
        yield from _read_lines(blocks, name, selection, options)
    else:
        yield from _read_pages(blocks, name, selection, options)


def read_lines(
    content: Content, name: str, selection: ColumnSelection, options: ReadOptions
) -> Iterator[Chunk]:
    """Read JSON lines; a malformed line is an unreadable row.

    A file that is a page is read so.

    Raises:
        SourceError: the file is empty or not UTF-8, or no line is an object.
    """
    first, blocks = _look(read_text_blocks(content, name, options))
    if _ARRAY_OF_ROWS.match(first) or _PAGE.match(first):
        yield from _read_pages(blocks, name, selection, options)
    else:
        yield from _read_lines(blocks, name, selection, options)


def _look(blocks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first block, and all blocks."""
    first = next(blocks, b"")
    return first, chain((first,), blocks)


def _has_lines(first: bytes, selection: ColumnSelection) -> bool:
    """Whether the text begins with a row in a line of its own."""
    line, _, rest = first.lstrip().partition(b"\n")
    return (
        line.startswith(b"{")
        and rest.lstrip()[:1] in {b"", b"{"}
        and looks_like_row(line, selection)
    )


def _read_pages(
    blocks: Iterator[bytes], name: str, selection: ColumnSelection, options: ReadOptions
) -> Iterator[Chunk]:
    table = selection.table
    page = PageParser(blocks, name, options.row_limit, {table.name, table.singular})
    troubles = {
        id(TOO_LONG): Unreadable(render_too_long(options.row_limit)),
        id(TWICE): Unreadable(_TWICE),
    }
    shape = _Shape(name=name, selection=selection, expansions=Expansions(selection=selection))
    done = 0
    for found in page.read_pages():
        rows = enumerate((troubles.get(id(row), row) for row in found), start=done + 1)
        ends: list[str | None] = []
        before = done
        while batch := list(islice(rows, _ROWS)):
            done = batch[-1][0]
            chunk = shape.make_chunk(batch)
            ends += _find_ends(chunk, table.key)
            yield chunk
        saved = SavedPage(
            file=name,
            rows=done - before,
            ends=(ends[0], ends[-1]) if ends else (None, None),
            next_link=page.next_link,
            next_name=page.next_name,
            total=page.total,
            total_name=page.total_name,
        )
        yield shape.make_chunk([], page=saved)


def _find_ends(chunk: Chunk, key: str) -> list[str | None]:
    """The ids of the first row and the last one."""
    if key not in chunk.columns or not chunk.table.num_rows:
        return []
    cells = chunk.table[key]
    return [cells[0].as_py(), cells[-1].as_py()]


def _read_lines(
    blocks: Iterator[bytes], name: str, selection: ColumnSelection, options: ReadOptions
) -> Iterator[Chunk]:
    limit = options.row_limit
    lines = enumerate(_split_lines(blocks, limit), start=1)
    rows = ((number, _parse(line, limit)) for number, line in lines if line is None or line.strip())
    shape = _Shape(name=name, selection=selection, expansions=Expansions(selection=selection))
    is_empty, is_hopeless = True, True
    while batch := list(islice(rows, _ROWS)):
        chunk = shape.make_chunk(batch)
        is_empty = False
        is_hopeless = is_hopeless and all(_is_other(row) for _, row in batch)
        yield chunk
    if is_empty:
        raise SourceError("is empty. Export it again, or remove the file.", where=name)
    if is_hopeless:
        raise SourceError(
            "no line is a JSON object. If the file is one page of rows, let its name end in .json.",
            where=name,
        )


def _split_lines(blocks: Iterator[bytes], limit: int) -> Iterator[bytes | None]:
    """Physical lines; null stands for one over the limit."""
    rest, is_long = b"", False
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield None if is_long or len(line) > limit else line
            is_long = False
        if len(rest) > limit:
            rest, is_long = b"", True
    if rest or is_long:
        yield None if is_long else rest


def _parse(line: bytes | None, limit: int) -> object:
    if line is None:
        return Unreadable(render_too_long(limit))
    try:
        text = line.decode()
        row = DECODER.decode(text)
    except RecursionError:
        return Unreadable(_TOO_DEEP)
    except json.JSONDecodeError:
        return Unreadable(_NO_OBJECT, is_other=True)
    except ValueError as error:
        return Unreadable(f"{_NO_OBJECT}: {error}", is_other=True)
    return Unreadable(_TWICE) if has_key_twice(row, text) else row


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shape:
    """Rows of a file → columns."""

    name: str
    selection: ColumnSelection
    expansions: Expansions

    def make_chunk(
        self, numbered: Sequence[tuple[int, object]], *, page: SavedPage | None = None
    ) -> Chunk:
        """A chunk of rows, each with its number."""
        blank = frozenset(number for number, row in numbered if _is_blank(row))
        headers = _list_headers(numbered)
        if not WRAPPED.isdisjoint(headers):
            numbered = list(unwrap_rows(numbered, self.selection))
            headers = _list_headers(numbered)
        if not self.expansions.keys.keys().isdisjoint(headers):
            numbered = self.expansions.flatten_rows(numbered)
            headers = _list_headers(numbered)
        unreadable = {number: _explain(row) for number, row in numbered if type(row) is not dict}
        lines = [number for number, row in numbered if type(row) is dict]
        rows = [row for _, row in numbered if type(row) is dict]
        if not CHANGES.isdisjoint(headers):
            rows = read_deletions(rows, self.selection.table.key)
            headers = tuple(dict.fromkeys(chain.from_iterable(rows)))
        picked = self.selection.match(headers, self.name)
        used = [key for spellings in picked.values() for key in spellings]
        cells = _gather_cells(rows, used)
        try:
            texts = {key: _to_texts(values) for key, values in cells.items()}
        except (pa.ArrowException, UnicodeEncodeError):
            troubles = {
                place: why
                for key, values in cells.items()
                for place, why in _find_troubles(key, values)
            }
            unreadable |= {lines[place]: why for place, why in troubles.items()}
            whole = [place not in troubles for place in range(len(rows))]
            lines = list(compress(lines, whole))
            texts = {key: _to_texts(list(compress(values, whole))) for key, values in cells.items()}
        merged = {
            column: self.selection.merge(column, [texts[key] for key in spellings])
            for column, spellings in picked.items()
        }
        return Chunk(
            table=pa.table({**merged, "source_line": pa.array(lines, pa.int64())}),
            unreadable=tuple(
                UnreadableRow(source_file=self.name, source_line=number, detail=unreadable[number])
                for number in sorted(unreadable)
            ),
            headers=headers,
            page=page,
            blank=blank,
        )


def _is_blank(row: object) -> bool:
    """Whether a row is an object that has no value, as blank lines of a CSV have none."""
    return isinstance(row, dict) and all(cell is None or cell == "" for cell in row.values())


def _gather_cells(
    rows: Sequence[Mapping[str, object]], keys: Sequence[str]
) -> dict[str, list[object]]:
    """Rows → columns; a row may lack a key."""
    if rows and len(keys) > 1:
        try:  # Rows that all have all keys are the rule, and three times as fast.
            columns = zip(*map(itemgetter(*keys), rows), strict=True)
            return {key: list(column) for key, column in zip(keys, columns, strict=True)}
        except KeyError:
            pass
    return {key: [row.get(key) for row in rows] for key in keys}


def _list_headers(numbered: Sequence[tuple[int, object]]) -> tuple[str, ...]:
    """All keys of the rows, in order."""
    return tuple(
        dict.fromkeys(chain.from_iterable(row for _, row in numbered if type(row) is dict))
    )


def _explain(row: object) -> str:
    return row.reason if isinstance(row, Unreadable) else _NO_OBJECT


def _is_other(row: object) -> bool:
    """Whether a line is not an object, or not JSON at all."""
    return row.is_other if isinstance(row, Unreadable) else type(row) is not dict


def _find_troubles(column: str, cells: Sequence[object]) -> Iterator[tuple[int, str]]:
    """Places of cells that cannot be read, and why."""
    for place, cell in enumerate(cells):
        if isinstance(cell, dict | list):
            yield place, f"{column} holds an object or a list"
        elif isinstance(cell, str) and not _can_encode(cell):
            yield place, f"{column} holds half a character"


def _can_encode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _to_texts(cells: list[object]) -> pa.Array:
    """Cells as text; empty is null."""
    if bool in set(map(type, cells)):
        cells = [
            ("true" if cell else "false") if isinstance(cell, bool) else cell for cell in cells
        ]
    texts = pa.array(cells, pa.string())
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
