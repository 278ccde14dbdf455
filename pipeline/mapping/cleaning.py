"""Source text as mapping sees it: trimmed, null when blank, on one line. What repeats itself is looked at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import polars as pl

from schemas.text import WHITE_SPACE

_BREAKS: Final = ["\r", "\n", "\t"]
_SAMPLE: Final = 8_192


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """The rows of a column that had line breaks or tabs inside, and their texts before, trimmed."""

    rows: pl.Series
    before: pl.Series


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaned:
    """Columns of clean texts, and which of them had line breaks where."""

    texts: pl.DataFrame
    broken: Mapping[str, Broken]


def cleaned(frame: pl.DataFrame, *, keep_breaks: bool) -> Cleaned:
    """Trim each text of the frame's text columns, and put CR, LF and TAB inside it on one line unless they are kept.

    Texts of a column that repeats itself are nearly all clean: its distinct texts tell which are not. Other columns are
    looked at row by row.
    """
    words = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    if frame.is_empty() or not words:
        return Cleaned(texts=frame, broken={})
    sample = frame.select(words).head(_SAMPLE)
    counts = sample.select(pl.all().n_unique()).row(0, named=True)
    repeating = [name for name in words if counts[name] <= sample.height // 2]
    changed: dict[str, pl.Series] = {}
    broken: dict[str, Broken] = {}
    for name, rows in (*_odd(frame, repeating, keep_breaks=keep_breaks), *((one, None) for one in words if one not in repeating)):
        texts = frame[name]
        clean = _trimmed(texts if rows is None else texts.gather(rows))
        done = clean if keep_breaks else _one_line(clean, rows, name, broken)
        changed[name] = done if rows is None else texts.clone().scatter(rows, done)
    return Cleaned(texts=frame.with_columns(one.alias(name) for name, one in changed.items()), broken=broken)


def _odd(frame: pl.DataFrame, columns: list[str], *, keep_breaks: bool) -> Iterator[tuple[str, pl.Series]]:
    """Columns that have texts which are not clean, with the numbers of their rows."""
    if not columns:
        return
    parts = [frame[name].unique().alias("text") for name in columns]
    distinct = pl.concat(parts)
    clean = _trimmed(distinct)
    unclean = distinct.ne_missing(clean if keep_breaks else _one_line(clean, None, "", {}))
    ends = list(accumulate(part.len() for part in parts))
    for name, part, end in zip(columns, parts, ends, strict=True):
        odd = part.filter(unclean.slice(end - part.len(), part.len()))
        if not odd.is_empty():
            yield name, frame[name].is_in(odd.implode()).arg_true()


def _trimmed(texts: pl.Series) -> pl.Series:
    """Texts without white space at their ends; null where nothing is left."""
    stripped = texts.str.strip_chars(WHITE_SPACE)
    blank = (stripped == "").arg_true()
    return stripped if blank.is_empty() else stripped.scatter(blank, None)


def _one_line(texts: pl.Series, numbers: pl.Series | None, name: str, broken: dict[str, Broken]) -> pl.Series:
    """CR, LF and TAB become one space: a package's data file has one line per row. ``numbers``: what to call the rows."""
    rows = texts.str.contains_any(_BREAKS).arg_true()
    if rows.is_empty():
        return texts
    before = texts.gather(rows)
    broken[name] = Broken(rows=rows if numbers is None else numbers.gather(rows), before=before)
    return texts.clone().scatter(rows, before.str.replace_all(r"[\r\n\t]+", " "))
