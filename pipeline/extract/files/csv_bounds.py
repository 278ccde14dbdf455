"""Where the records of a block of CSV begin and end, found for the whole block at once.

That works for blocks in which every quote and line end is in its place.

A line end is a record's end if the number of quotes before it is even. That is right only if every
quote opens a field, closes one or stands doubled inside one; so this is looked at too, and a block
that fails is read by ``csv_strict``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import polars as pl
import pyarrow as pa

_QUOTE: Final = ord('"')
_DASH: Final = ord("-")
_DASHES: Final = (8, 13, 18, 23)
_ID: Final = 36
"""Where an id has dashes, and its length."""
_CR: Final = ord("\r")
_LF: Final = ord("\n")
_STEP: Final = 1 << 20
_NONE: Final = pl.Series([], dtype=pl.Int64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """How a file separates fields and physical lines.

    ``line_end`` is LF (CRLF counts as LF) or a CR alone.
    """

    delimiter: str
    line_end: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """The whole records at the start of a block.

    ``end`` is where the last one ends; ``lines`` their physical lines, from 0, blank lines left
    out; ``breaks`` the physical lines until ``end``; ``longest`` the bytes of the longest record,
    without its line end.
    """

    end: int
    lines: pl.Series
    breaks: int
    longest: int


def find_bounds(block: bytes, dialect: Dialect) -> Bounds | None:
    """The records of a block that begins with a record.

    None if a quote or a line end is out of its place, or a row seems to begin inside a field.
    """
    text = _wrap(block)
    breaks = _find_places(text, dialect.line_end[0])
    quotes = _find_places(text, _QUOTE) if b'"' in block else _NONE
    is_end = _is_outside(breaks, quotes)
    ends = breaks.filter(is_end)
    if ends.is_empty():
        return Bounds(end=0, lines=ends, breaks=0, longest=0)
    end = int(ends[-1]) + 1
    inner = quotes.filter(quotes < end)
    other = _CR if dialect.line_end[0] == _LF else _LF
    others = _find_places(text.head(end), other) if bytes([other]) in block else _NONE
    if not (
        _are_quotes_in_place(text, inner, dialect)
        and _are_line_ends_in_place(text, others, inner, dialect)
    ):
        return None
    if _has_rows_inside(text, breaks.filter(~is_end), dialect):
        return None
    numbers = is_end.arg_true().cast(pl.Int64)
    starts = _find_starts(ends)
    lengths = ends - starts
    is_blank = (lengths == 0) | ((lengths == 1) & (text.gather(starts) == _CR))
    return Bounds(
        end=end,
        lines=_find_starts(numbers).filter(~is_blank),
        breaks=int(numbers[-1]) + 1,
        longest=int(lengths.to_frame().max().item()),
    )


def _wrap(block: bytes) -> pl.Series:
    """The bytes as numbers, without a copy."""
    array = pa.Array.from_buffers(pa.uint8(), len(block), [None, pa.py_buffer(block)])
    return pl.Series(array)


def _find_places(text: pl.Series, byte: int) -> pl.Series:
    return _count_up(-(-len(text) // _STEP)).head(len(text)).filter(text == byte).cast(pl.Int64)


@lru_cache(maxsize=1)
def _count_up(steps: int) -> pl.Series:
    """0, 1, 2, …: kept, because counting takes ten times as long as filtering."""
    return pl.int_range(steps * _STEP, dtype=pl.UInt32, eager=True)


def _is_outside(places: pl.Series, quotes: pl.Series) -> pl.Series:
    """Whether an even number of quotes comes before each place."""
    return quotes.search_sorted(places) % 2 == 0


def _find_starts(ends: pl.Series) -> pl.Series:
    """Where each one begins: the first at 0, the others after the end of the one before."""
    return (ends + 1).shift(1, fill_value=0)


def _are_quotes_in_place(text: pl.Series, quotes: pl.Series, dialect: Dialect) -> bool:
    """Whether each opening quote follows a delimiter or line end and each closing one precedes one.

    A closing quote may also touch the next opening one. ``quotes`` are even in number, and a line
    end comes after the last one.
    """
    if quotes.is_empty():
        return True
    opening, closing = quotes.gather_every(2), quotes.gather_every(2, 1)
    doubled = closing.head(len(closing) - 1) + 1 == opening.tail(len(opening) - 1)
    touches = pl.Series([False], dtype=pl.Boolean)
    marks = [ord(dialect.delimiter), dialect.line_end[0]]
    before = (
        text.gather((opening - 1).clip(lower_bound=0)).is_in(marks)
        | (opening == 0)
        | touches.append(doubled)
    )
    if not before.all():
        return False
    following = text.gather(closing + 1)
    after = following.is_in(marks) | doubled.append(pl.Series([False]))
    if dialect.line_end[0] == _LF:
        after |= following == _CR  # what follows the CR is looked at with the line ends
    return bool(after.all())


def _has_rows_inside(text: pl.Series, breaks: pl.Series, dialect: Dialect) -> bool:
    """Whether an id and a delimiter follow one of the line ends inside quotes.

    So a record looks that a quote which was meant as a sign swallowed with those after it.
    """
    starts = breaks.filter(breaks < len(text) - _ID - 1) + 1
    for place in _DASHES:
        starts = starts.filter(text.gather(starts + place) == _DASH)
    return not starts.filter(text.gather(starts + _ID) == ord(dialect.delimiter)).is_empty()


def _are_line_ends_in_place(
    text: pl.Series, others: pl.Series, quotes: pl.Series, dialect: Dialect
) -> bool:
    """Whether no CR stands alone outside quotes, or no LF where CR ends lines.

    ``others`` are those that must not.
    """
    outside = others.filter(_is_outside(others, quotes))
    if dialect.line_end[0] == _CR:
        return outside.is_empty()
    return bool((text.gather(outside + 1) == _LF).all())
