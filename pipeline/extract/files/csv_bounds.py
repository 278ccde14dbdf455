"""Where the records of a block of CSV begin and end, found for the whole block at once.

That works for blocks in which every quote and line end is in its place.

A line end is a record's end if the number of quotes before it is even. That is right only if every
quote opens a field, closes one or stands doubled inside one; so this is looked at too, and a block
that fails is read by ``csv_strict``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

_Bytes: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.int64]
"""Places in a block, or lines of it, in their order."""

_QUOTE: Final = ord('"')
_DASH: Final = ord("-")
_DASHES: Final = (8, 13, 18, 23)
_ID: Final = 36
"""Where an id has dashes, and its length."""
_CR: Final = ord("\r")
_LF: Final = ord("\n")
_NOWHERE: Final = np.array([], np.int64)


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
    out; ``breaks`` the physical lines until ``end``; ``longest`` and ``shortest`` the bytes of the
    longest and the shortest record, without its line end.
    """

    end: int
    lines: Places
    breaks: int
    longest: int
    shortest: int


def find_bounds(block: bytes, dialect: Dialect) -> Bounds | None:
    """The records of a block that begins with a record.

    None if a quote or a line end is out of its place, or a row seems to begin inside a field.
    """
    text = np.frombuffer(block, np.uint8)
    breaks = _find_places(text, dialect.line_end[0])
    quotes = _find_places(text, _QUOTE) if b'"' in block else _NOWHERE
    is_end = _is_outside(breaks, quotes)
    ends = breaks[is_end]
    if not len(ends):
        return Bounds(end=0, lines=ends, breaks=0, longest=0, shortest=0)
    end = int(ends[-1]) + 1
    inner = quotes[: np.searchsorted(quotes, end)]
    other = _CR if dialect.line_end[0] == _LF else _LF
    others = _find_places(text[:end], other) if bytes([other]) in block else _NOWHERE
    if not (
        _are_quotes_in_place(text, inner, dialect)
        and _are_line_ends_in_place(text, others, inner, dialect)
    ):
        return None
    if _has_rows_inside(text, breaks[~is_end], dialect):
        return None
    numbers = np.flatnonzero(is_end)
    starts = _find_starts(ends)
    lengths = ends - starts
    is_blank = (lengths == 0) | ((lengths == 1) & (text[starts] == _CR))
    return Bounds(
        end=end,
        lines=_find_starts(numbers)[~is_blank],
        breaks=int(numbers[-1]) + 1,
        longest=int(lengths.max()),
        shortest=int(lengths[~is_blank].min(initial=len(block))),
    )


def _find_places(text: _Bytes, byte: int) -> Places:
    return np.flatnonzero(text == byte)


def _is_outside(places: Places, quotes: Places) -> NDArray[np.bool_]:
    """Whether an even number of quotes comes before each place."""
    is_even: NDArray[np.bool_] = np.searchsorted(quotes, places) % 2 == 0
    return is_even


def _find_starts(ends: Places) -> Places:
    """Where each one begins: the first at 0, the others after the end of the one before."""
    return np.concatenate(([0], ends[:-1] + 1))


def _are_quotes_in_place(text: _Bytes, quotes: Places, dialect: Dialect) -> bool:
    """Whether each opening quote follows a delimiter or line end and each closing one precedes one.

    A closing quote may also touch the next opening one. ``quotes`` are even in number, and a line
    end comes after the last one.
    """
    if not len(quotes):
        return True
    opening, closing = quotes[::2], quotes[1::2]
    doubled = closing[:-1] + 1 == opening[1:]
    mark, line_end = ord(dialect.delimiter), dialect.line_end[0]
    earlier, later = text[np.maximum(opening - 1, 0)], text[closing + 1]
    before = (earlier == mark) | (earlier == line_end) | (opening == 0)
    before[1:] |= doubled
    after = (later == mark) | (later == line_end)
    after[:-1] |= doubled
    if line_end == _LF:
        after |= later == _CR  # What follows the CR is looked at with the line ends.
    return bool(before.all() and after.all())


def _has_rows_inside(text: _Bytes, breaks: Places, dialect: Dialect) -> bool:
    """Whether an id and a delimiter follow one of the line ends inside quotes.

    So a record looks that a quote which was meant as a sign swallowed with those after it.
    """
    starts = breaks[breaks < len(text) - _ID - 1] + 1
    for place in _DASHES:
        starts = starts[text[starts + place] == _DASH]
    return bool(np.any(text[starts + _ID] == ord(dialect.delimiter)))


def _are_line_ends_in_place(text: _Bytes, others: Places, quotes: Places, dialect: Dialect) -> bool:
    """Whether no CR stands alone outside quotes, or no LF where CR ends lines.

    ``others`` are those that must not.
    """
    outside = others[_is_outside(others, quotes)]
    if dialect.line_end[0] == _CR:
        return not len(outside)
    return bool(np.all(text[outside + 1] == _LF))
