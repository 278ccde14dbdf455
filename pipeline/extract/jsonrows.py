"""JSON pages as the Web API returns them, and JSON lines → chunks of text columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from pipeline.errors import SourceError, during
from pipeline.extract.records import Chunk, Pick, ReadOptions, UnreadableRow

_ROWS: Final = 50_000
_LOOKED_AT: Final = 1_000


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _parsed(text: str) -> Any:
    """Numbers stay exactly as written."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=_no_constant)


def read_pages(path: Path, name: str, pick: Pick, options: ReadOptions) -> Iterator[Chunk]:
    """Read one page: ``{"value": [...]}`` or an array. A page is whole or it is nothing.

    Raises:
        SourceError: it is no such page.
    """
    _ = options
    with during(f"reading {name}"):
        content = path.read_bytes()
    if not content.strip():
        raise SourceError("is empty.", where=name)
    try:
        page = _parsed(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SourceError("is not UTF-8.", where=name) from error
    except json.JSONDecodeError as error:
        raise SourceError(f"is no whole JSON page: line {error.lineno}, column {error.colno}.", where=name) from error
    except (ValueError, RecursionError) as error:
        raise SourceError("is no JSON page.", where=name) from error
    rows = page.get("value") if isinstance(page, dict) else page
    if not isinstance(rows, list):
        raise SourceError('is no page of rows: there is no array "value".', where=name)
    yield from _chunks(name, pick, [(number, row) for number, row in enumerate(rows, start=1)], rows)


def read_lines(path: Path, name: str, pick: Pick, options: ReadOptions) -> Iterator[Chunk]:
    """Read JSON lines; a malformed line is an unreadable row.

    Raises:
        SourceError: the file is not UTF-8, or lacks a column that is needed.
    """
    with during(f"reading {name}"), path.open("rb") as file:
        numbered = _objects(file, name, options)
        head = list(islice(numbered, _LOOKED_AT))
        if not head:
            raise SourceError("is empty.", where=name)
        seen = [row for _, row in head if isinstance(row, dict)]
        columns = _columns(seen, pick)
        batch = head + list(islice(numbered, _ROWS - len(head)))
        while batch:
            yield _chunk(name, columns, batch)
            batch = list(islice(numbered, _ROWS))


class _Bad(str):
    """Why a line is unreadable."""

    __slots__ = ()


def _objects(file: Any, name: str, options: ReadOptions) -> Iterator[tuple[int, Any]]:
    number = 0
    while line := file.readline(options.row_limit + 2):
        number += 1
        if len(line) > options.row_limit + 1:
            while line and not line.endswith(b"\n"):
                line = file.readline(options.row_limit + 2)
            yield number, _Bad(f"it is longer than {options.row_limit:,} bytes")
            continue
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise SourceError(f"line {number} is not UTF-8.", where=name) from error
        if not text.strip():
            continue
        try:
            yield number, _parsed(text)
        except (ValueError, RecursionError):
            yield number, _Bad("it is no JSON object")


def _columns(rows: Sequence[Mapping[str, Any]], pick: Pick) -> Mapping[str, str]:
    """The Web API may leave nulls out, so the columns are the keys of all rows."""
    keys = dict.fromkeys(key for row in rows for key in row)
    return pick(list(keys)) if keys else {}


def _chunks(name: str, pick: Pick, numbered: list[tuple[int, Any]], rows: list[Any]) -> Iterator[Chunk]:
    columns = _columns([row for row in rows if isinstance(row, dict)], pick)
    if not numbered:
        yield _chunk(name, columns, [])
    for start in range(0, len(numbered), _ROWS):
        yield _chunk(name, columns, numbered[start : start + _ROWS])


def _chunk(name: str, columns: Mapping[str, str], numbered: list[tuple[int, Any]]) -> Chunk:
    values: dict[str, list[str | None]] = {column: [] for column in columns}
    lines: list[int] = []
    bad: list[UnreadableRow] = []
    for number, row in numbered:
        detail = _detail(row, columns)
        if detail is not None:
            bad.append(UnreadableRow(source_file=name, source_line=number, detail=detail))
            continue
        lines.append(number)
        for column, key in columns.items():
            values[column].append(_text(row.get(key)))
    table = pa.table({column: pa.array(cells, pa.string()) for column, cells in values.items()})
    return Chunk(table=table.append_column("source_line", pa.array(lines, pa.int64())), unreadable=tuple(bad))


def _detail(row: Any, columns: Mapping[str, str]) -> str | None:
    """Why a row cannot be read, none if it can."""
    if isinstance(row, _Bad):
        return str(row)
    if not isinstance(row, dict):
        return "it is no JSON object"
    for column, key in columns.items():
        value = row.get(key)
        if isinstance(value, dict | list):
            return f"{column} holds an object or a list"
        if isinstance(value, str) and not _encodes(value):
            return f"{column} holds half a character"
    return None


def _encodes(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value or None
