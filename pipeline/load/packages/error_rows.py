"""Error rows: which rows of a package SCM means in its messages and in its two error files.

SCM names rows by the values of their keys and does not say how it joins them. Every usual mark
between them is tried, and in the end no mark at all. A name that fits two rows fits none.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Final

import polars as pl

from pipeline.load.packages.error_list import RowMessage
from pipeline.load.packages.manifest import format_field_name
from pipeline.run.ledger import REFUSED
from pipeline.scm.messages import OTHER, explain_messages
from schemas.catalogue import Entity

STAGING: Final = "staging_failed"
_BETWEEN: Final = (",", ", ", "/", "|", ";", " ", "+", "-", "_", ":")
_DELIMITERS: Final = ",;\t|"
_LONGEST_CELL: Final = 64 << 20
_NOISE: Final = re.compile(r"[\W_]+")
_QUOTED: Final = re.compile(r"'([^']+)'|\"([^\"]+)\"")
_MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportMessages:
    """All that SCM said about one import.

    Its messages, the file of rows that were not staged, and the file of refused keys.
    """

    messages: Sequence[RowMessage] = ()
    staging_file: bytes = b""
    keys_file: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchedErrors:
    """The rows that SCM refused, and what could not be placed.

    ``refused`` is ``REFUSED``. ``unplaced`` are messages, and lines of files, that name no row.
    """

    refused: pl.DataFrame
    unplaced: tuple[str, ...]


@dataclass(kw_only=True, slots=True)
class _Row:
    texts: list[str] = field(default_factory=list)
    staged: bool = True


def place_messages(rows: pl.DataFrame, entity: Entity, said: ImportMessages) -> MatchedErrors:
    """Find the rows of a package that SCM means.

    Args:
        rows: legal_entity, destination_key and the key columns, one row per row of the package.
        entity: whose keys they are.
        said: what SCM said.
    """
    names = (
        _Names(rows, entity)
        if said.messages or said.staging_file or said.keys_file
        else _Names(rows.clear(), entity)
    )
    found: dict[str, _Row] = {}
    unplaced: list[str] = []
    for content, staged in ((said.staging_file, False), (said.keys_file, True)):
        for cells in _read_lines(content, entity):
            key = names.of_cells(cells)
            if key is None:
                unplaced.append("a line of an error file names no row of the package")
            else:
                found.setdefault(key, _Row()).staged &= staged
    for message in said.messages:
        key = names.of(message.record) or names.quoted_in(message.text)
        if key is None:
            unplaced.append(message.text)
        else:
            found.setdefault(key, _Row()).texts.append(message.text)
    return MatchedErrors(refused=_list_refused(found), unplaced=tuple(unplaced))


def _list_refused(found: Mapping[str, _Row]) -> pl.DataFrame:
    rows = []
    for key, row in found.items():
        meant = explain_messages(row.texts, OTHER if row.staged else STAGING)
        rows.append(
            {"destination_key": key, "outcome": "failed", "code": meant.code, "message": meant.text}
        )
    return pl.DataFrame(rows, schema=REFUSED)


class _Names:
    """Every name that SCM may have for a row → its destination key; null if two rows share it."""

    def __init__(self, rows: pl.DataFrame, entity: Entity) -> None:
        self._exact: dict[str, str | None] = {}
        self._strip_marks: dict[str, str | None] = {}
        for legal_entity, key, *values in rows.select(
            "legal_entity", "destination_key", *entity.key
        ).iter_rows():
            for name in _list_spellings(legal_entity, [str(value) for value in values]):
                _note(self._exact, name.upper(), key)
                _note(self._strip_marks, _strip_marks(name), key)

    def of(self, text: str) -> str | None:
        """The row that a text names."""
        name = text.strip().upper()
        return (
            (self._exact.get(name) or self._strip_marks.get(_strip_marks(name))) if name else None
        )

    def of_cells(self, cells: Sequence[str]) -> str | None:
        """The row that a line of a file names: by all its cells, else by one of them."""
        return self.of(",".join(cells)) or next((key for key in map(self.of, cells) if key), None)

    def quoted_in(self, text: str) -> str | None:
        """The one row whose key stands between quotes in a message."""
        keys = {self.of(match[1] or match[2]) for match in _QUOTED.finditer(text)} - {None}
        return keys.pop() if len(keys) == 1 else None


def _note(names: dict[str, str | None], name: str, key: str) -> None:
    names[name] = key if names.get(name, key) == key else None


def _list_spellings(legal_entity: str, values: list[str]) -> Iterator[str]:
    """The keys in any order, with and without the legal entity.

    Also the first key alone, because it is a number.
    """
    for between in _BETWEEN:
        for order in permutations(values):
            yield between.join(order)
            yield between.join((legal_entity, *order))
            yield between.join((*order, legal_entity))
    yield values[0]


def _strip_marks(text: str) -> str:
    """The letters and digits of a text."""
    return _NOISE.sub("", text).upper()


def _read_lines(content: bytes, entity: Entity) -> Iterator[list[str]]:
    """The rows of an error file: their key columns if its header names them, else all cells."""
    if not content:
        return
    csv.field_size_limit(_LONGEST_CELL)
    text = _decode(content)
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    first = next(reader, [])
    header = [cell.strip().upper() for cell in first]
    wanted = [format_field_name(name) for name in entity.key]
    places = [header.index(name) for name in wanted if name in header]
    if not places:
        yield from _skip_blank([first])
    for cells in _skip_blank(reader):
        yield (
            [cells[place] for place in places if place < len(cells)]
            if len(places) == len(wanted)
            else cells
        )


def _skip_blank(lines: Iterable[list[str]]) -> Iterator[list[str]]:
    return (cells for cells in lines if any(cell.strip() for cell in cells))


def _decode(content: bytes) -> str:
    """An error file as text.

    By its byte order mark; without one it is UTF-16 if its second byte is 0, else UTF-8.
    """
    if content.startswith(_MARKS):
        return content.decode(
            "utf-8-sig" if content.startswith(codecs.BOM_UTF8) else "utf-16", "replace"
        )
    return content.decode("utf-16-le" if content[1:2] == b"\x00" else "utf-8", "replace")
