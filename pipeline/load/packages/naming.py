"""How SCM names rows: by the values of their keys, in files and messages, joined by some mark.

SCM does not say how it joins them. Every usual mark between them is tried, and in the end no mark
at all. A name that fits two rows fits none.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Final

import polars as pl

from schemas.catalogue import Entity

_BETWEEN: Final = (",", ", ", "/", "|", ";", " ", "+", "-", "_", ":")
_DELIMITERS: Final = ",;\t|"
_LONGEST_CELL: Final = 64 << 20
_NOISE: Final = re.compile(r"[\W_]+")
_QUOTED: Final = re.compile(r"'([^']+)'|\"([^\"]+)\"")
_MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class RowNames:
    """Every name that SCM may have for a row → its destination key; null if two rows share it."""

    def __init__(self, rows: pl.DataFrame, entity: Entity) -> None:
        """``rows``: legal_entity, destination_key and the key columns of the entity."""
        self._exact: dict[str, str | None] = {}
        self._strip_marks: dict[str, str | None] = {}
        for legal_entity, key, *values in rows.select(
            "legal_entity", "destination_key", *entity.key
        ).iter_rows():
            for name in _list_spellings(legal_entity, [str(value) for value in values]):
                _note(self._exact, name.upper(), key)
                _note(self._strip_marks, strip_marks(name), key)

    def of(self, text: str) -> str | None:
        """The row that a text names."""
        name = text.strip().upper()
        return (self._exact.get(name) or self._strip_marks.get(strip_marks(name))) if name else None

    def of_cells(self, cells: Sequence[str]) -> str | None:
        """The row that a line of a file names: by all its cells, else by one of them."""
        return self.of(",".join(cells)) or next((key for key in map(self.of, cells) if key), None)

    def quoted_in(self, text: str) -> str | None:
        """The one row whose key stands between quotes in a message."""
        keys = {self.of(name) for name in list_quoted(text)} - {None}
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


def strip_marks(text: str) -> str:
    """The letters and digits of a text, in capitals."""
    return _NOISE.sub("", text).upper()


def list_quoted(text: str) -> list[str]:
    """What stands between quotes in a message."""
    return [match[1] or match[2] for match in _QUOTED.finditer(text)]


def match_names(entity: Entity, names: Sequence[str]) -> pl.Expr:
    """Whether a row has one of some names, spelt without marks.

    It is true for all rows that ``RowNames`` could find, so that of many rows it gets few.
    """
    values = [pl.col(name).cast(pl.String) for name in entity.key]
    area = pl.col("legal_entity")
    wholes = [
        pl.concat_str(parts)
        for order in permutations(values)
        for parts in (order, (area, *order), (*order, area))
    ]
    return pl.any_horizontal(
        one.str.replace_all(r"[\W_]+", "").str.to_uppercase().is_in(list(names))
        for one in (*wholes, values[0])
    )


def read_cells(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The lines of an error file that are not blank: their numbers from 1, and their cells.

    The delimiter is the one that the first line has most of.
    """
    csv.field_size_limit(_LONGEST_CELL)
    text = _decode(content)
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    begin = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begin, cells
        begin = reader.line_num + 1


def _decode(content: bytes) -> str:
    """An error file as text.

    By its byte order mark; without one it is UTF-16 if its second byte is 0, else UTF-8.
    """
    if content.startswith(_MARKS):
        return content.decode(
            "utf-8-sig" if content.startswith(codecs.BOM_UTF8) else "utf-16", "replace"
        )
    return content.decode("utf-16-le" if content[1:2] == b"\x00" else "utf-8", "replace")
