"""JSON pages and JSON lines → chunks of text columns.

The Web API may leave nulls out, so a row need not have all columns; what is needed must be
somewhere in the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, compress, islice
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import SourceError
from pipeline.extract.files.encoding import read_text_blocks
from pipeline.extract.files.json_changes import read_deletions
from pipeline.extract.files.json_page import DECODER, TOO_LONG, PageParser
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.records import Chunk, ReadOptions, UnreadableRow, render_too_long

_ROWS: Final = 2_000
"""Rows made into columns at once; many more would no longer be near the processor."""
_NO_OBJECT: Final = "it is not a JSON object"


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Why a row cannot be read; ``is_other`` for a line that is not an object at all."""

    reason: str
    is_other: bool = False


def read_pages(
    path: Path, name: str, selection: ColumnSelection, options: ReadOptions
) -> Iterator[Chunk]:
    """Read one page: ``{"value": [...]}`` or an array; rows are numbered from 1.

    The last chunk knows of a next page.

    Raises:
        SourceError: it is not such a page, or not a whole one.
    """
    page = PageParser(read_text_blocks(path, name, options.block), name, options.row_limit)
    trouble = _Unreadable(render_too_long(options.row_limit))
    rows = enumerate((trouble if row is TOO_LONG else row for row in page.read_rows()), start=1)
    while batch := list(islice(rows, _ROWS)):
        yield _make_chunk(name, selection, batch)
    yield _make_chunk(name, selection, [], has_next=page.has_next)


def read_lines(
    path: Path, name: str, selection: ColumnSelection, options: ReadOptions
) -> Iterator[Chunk]:
    """Read JSON lines; a malformed line is an unreadable row.

    Raises:
        SourceError: the file is empty or not UTF-8, or no line is an object.
    """
    limit = options.row_limit
    lines = enumerate(_split_lines(read_text_blocks(path, name, options.block), limit), start=1)
    rows = ((number, _parse(line, limit)) for number, line in lines if line is None or line.strip())
    is_empty, is_hopeless = True, True
    while batch := list(islice(rows, _ROWS)):
        chunk = _make_chunk(name, selection, batch)
        is_empty = False
        is_hopeless = is_hopeless and all(_is_other(row) for _, row in batch)
        yield chunk
    if is_empty:
        raise SourceError("is empty.", where=name)
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
        return _Unreadable(render_too_long(limit))
    try:
        return DECODER.decode(line.decode())
    except (ValueError, RecursionError):
        return _Unreadable(_NO_OBJECT, is_other=True)


def _make_chunk(
    name: str,
    selection: ColumnSelection,
    numbered: Sequence[tuple[int, object]],
    *,
    has_next: bool = False,
) -> Chunk:
    unreadable = {number: _explain(row) for number, row in numbered if type(row) is not dict}
    lines = [number for number, row in numbered if type(row) is dict]
    rows = read_deletions([row for _, row in numbered if type(row) is dict], selection.table.key)
    headers = tuple(dict.fromkeys(chain.from_iterable(rows)))
    picked = selection.match(headers, name)
    used = [key for spellings in picked.values() for key in spellings]
    cells = {key: [row.get(key) for row in rows] for key in used}
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
        column: selection.merge(column, [texts[key] for key in spellings])
        for column, spellings in picked.items()
    }
    return Chunk(
        table=pa.table({**merged, "source_line": pa.array(lines, pa.int64())}),
        unreadable=tuple(
            UnreadableRow(source_file=name, source_line=number, detail=unreadable[number])
            for number in sorted(unreadable)
        ),
        headers=headers,
        has_next=has_next,
    )


def _explain(row: object) -> str:
    return row.reason if isinstance(row, _Unreadable) else _NO_OBJECT


def _is_other(row: object) -> bool:
    """Whether a line is not an object, or not JSON at all."""
    return row.is_other if isinstance(row, _Unreadable) else type(row) is not dict


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
