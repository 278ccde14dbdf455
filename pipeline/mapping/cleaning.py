"""Source text as mapping sees it: trimmed, null when blank, on one line. What repeats itself is looked at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from schemas.text import WHITE_SPACE

_BREAKS: Final = ["\r", "\n", "\t"]
_SAMPLE: Final = 8_192


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaned:
    """A column of clean texts; the numbers of the rows that had line breaks or tabs inside, and their texts, trimmed."""

    texts: pl.Series
    broken: pl.Series
    before: pl.Series


def cleaned(texts: pl.Series, *, keep_breaks: bool) -> Cleaned:
    """Trim each text, and put CR, LF and TAB inside it on one line unless they are kept.

    Texts of a column that repeats itself are nearly all clean: its distinct texts tell which are not. Other columns are
    looked at row by row.
    """
    if not _repeats(texts):
        return _one_line(_trimmed(texts), None, keep_breaks=keep_breaks)
    distinct = texts.unique()
    clean = _one_line(_trimmed(distinct), None, keep_breaks=keep_breaks).texts
    odd = distinct.filter(distinct.ne_missing(clean))
    if odd.is_empty():
        return Cleaned(texts=texts, broken=pl.Series(dtype=pl.UInt32), before=texts.clear())
    rows = texts.is_in(odd.implode()).arg_true()
    some = _one_line(_trimmed(texts.gather(rows)), rows, keep_breaks=keep_breaks)
    return Cleaned(texts=texts.clone().scatter(rows, some.texts), broken=some.broken, before=some.before)


def _repeats(texts: pl.Series) -> bool:
    sample = texts.head(_SAMPLE)
    return sample.n_unique() <= sample.len() // 2


def _trimmed(texts: pl.Series) -> pl.Series:
    """Texts without white space at their ends; null where nothing is left."""
    stripped = texts.str.strip_chars(WHITE_SPACE)
    blank = (stripped == "").arg_true()
    return stripped if blank.is_empty() else stripped.scatter(blank, None)


def _one_line(texts: pl.Series, numbers: pl.Series | None, *, keep_breaks: bool) -> Cleaned:
    """CR, LF and TAB become one space: a package's data file has one line per row. ``numbers``: what to call the rows."""
    rows = pl.Series(dtype=pl.UInt32) if keep_breaks else texts.str.contains_any(_BREAKS).arg_true()
    before = texts.gather(rows)
    if not rows.is_empty():
        texts = texts.clone().scatter(rows, before.str.replace_all(r"[\r\n\t]+", " "))
    return Cleaned(texts=texts, broken=rows if numbers is None else numbers.gather(rows), before=before)
