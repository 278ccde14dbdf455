"""Cells of a workbook → columns of text, as their form would be typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.extract.spellings import Cells

Cell: TypeAlias = str | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta
"""What the reader gives; a blank one is an empty text."""

_DIGITS: Final = 15
"""Excel keeps no more digits of a number; what a file has beyond them is noise of its binary
form."""
_NO_TEXT: Final = pa.scalar(None, pa.string())
ESCAPE: Final = "_x000"
"""How such an escape begins."""
_BREAKS: Final = MappingProxyType({"_x000D_": "\r", "_x000A_": "\n", "_x0009_": "\t"})
"""Escapes that programs write twice, so that reading them once leaves them in texts."""


def render_cell(cell: Cell) -> str:
    """A cell as text."""
    return _RENDERERS[type(cell)](cell)


def make_texts(cells: Sequence[Cell]) -> pa.Array:
    """A column of text; blank cells are null."""
    if set(map(type, cells)) - {str}:
        cells = [cell if type(cell) is str else render_cell(cell) for cell in cells]
    texts = pa.array(cells, pa.string())
    return pc.if_else(pc.equal(texts, ""), _NO_TEXT, decode_breaks(texts))


def decode_breaks(texts: Cells) -> Cells:
    """Texts with line breaks and tabs in place of their escapes."""
    if pc.any(pc.match_substring(texts, ESCAPE)).as_py():
        for escape, meant in _BREAKS.items():
            texts = pc.replace_substring(texts, escape, meant)
    return texts


def name_column(number: int) -> str:
    """The letters of a column, counted from 1."""
    letters = ""
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _render_number(number: float) -> str:
    """Digits without exponent, and without a point where nothing follows it."""
    if number.is_integer():
        return str(int(number))
    short = f"{number:.{_DIGITS}g}"
    return short if "e" not in short else f"{number:.{_DIGITS + 5}f}".rstrip("0")


def _render_length(length: dt.timedelta) -> str:
    """Hours, minutes and seconds."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


_RENDERERS: Final[Mapping[type, Callable[..., str]]] = MappingProxyType(
    {
        str: str,
        int: str,
        float: _render_number,
        bool: lambda cell: "true" if cell else "false",
        dt.datetime: dt.datetime.isoformat,
        dt.date: dt.date.isoformat,
        dt.time: dt.time.isoformat,
        dt.timedelta: _render_length,
    }
)
