"""Source text as mapping sees it: trimmed, null when blank, on one line.

What repeats itself is looked at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final

import polars as pl

from pipeline.mapping.problem import RowFinder, find_row_numbers
from schemas.text import WHITE_SPACE

_BREAKS: Final = ["\r", "\n", "\t", "\0"]
_SAMPLE: Final = 4_096
_TEXT: Final = "text"


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenTexts:
    """The rows of a column that had line breaks or tabs inside, and their texts before, trimmed."""

    rows: pl.Series
    before: pl.Series


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanTexts:
    """Columns of clean texts, and which of them had line breaks where."""

    texts: pl.DataFrame
    broken: Mapping[str, BrokenTexts]


def clean_texts(frame: pl.DataFrame, *, keep_breaks: bool) -> CleanTexts:
    """Trim each text of the frame's text columns; CR, LF, TAB and NUL become spaces unless kept.

    Texts of a column that repeats itself are nearly all clean: its distinct texts show which are
    not. Other columns are looked at row by row.
    """
    words = tuple(name for name, dtype in frame.schema.items() if dtype == pl.String)
    if frame.is_empty() or not words:
        return CleanTexts(texts=frame, broken={})
    counts = iter(frame.head(_SAMPLE).select_seq(_count_texts(words)).row(0))
    repeating = [name for name in words if 2 * next(counts) <= next(counts)]
    others = tuple(name for name in words if name not in repeating)
    done = _clean(frame.select_seq(others), keep_breaks=keep_breaks)
    changed, broken = {name: done.texts[name] for name in others}, dict(done.broken)
    unclean = _find_unclean(frame, repeating, keep_breaks=keep_breaks)
    if unclean:
        clean, breaks = _clean_some(frame, unclean, keep_breaks=keep_breaks)
        changed |= clean
        broken |= breaks
    return CleanTexts(texts=_replace_columns(frame, changed), broken=broken)


@lru_cache(maxsize=64)
def _count_texts(columns: tuple[str, ...]) -> list[pl.Expr]:
    """Of each column how many distinct texts it has, and how many texts."""
    return [
        count
        for name in columns
        for count in (
            pl.col(name).n_unique().alias(f"distinct:{name}"),
            pl.col(name).count().alias(f"filled:{name}"),
        )
    ]


def _replace_columns(frame: pl.DataFrame, changed: Mapping[str, pl.Series]) -> pl.DataFrame:
    return pl.DataFrame([changed.get(one.name, one) for one in frame.get_columns()])


def _find_unclean(
    frame: pl.DataFrame, columns: Sequence[str], *, keep_breaks: bool
) -> dict[str, pl.Series]:
    """Columns that have texts which are not clean, with the numbers of their rows."""
    if not columns:
        return {}
    distinct = [one[0] for one in frame.select_seq(_list_distinct(tuple(columns))).get_columns()]
    texts = pl.concat(distinct).alias(_TEXT)
    clean = _clean(texts.to_frame(), keep_breaks=keep_breaks).texts[_TEXT]
    odd = texts.ne_missing(clean)
    if not odd.any():
        return {}
    ends = accumulate((some.len() for some in distinct), initial=0)
    found = {
        name: some.filter(odd.slice(start, end - start))
        for name, some, (start, end) in zip(columns, distinct, pairwise(ends), strict=True)
    }
    return find_row_numbers(
        frame,
        {name: pl.col(name).is_in(some.implode()) for name, some in found.items() if some.len()},
    )


@lru_cache(maxsize=64)
def _list_distinct(columns: tuple[str, ...]) -> list[pl.Expr]:
    return [pl.col(name).unique().implode() for name in columns]


def _clean_some(
    frame: pl.DataFrame, unclean: Mapping[str, pl.Series], *, keep_breaks: bool
) -> tuple[dict[str, pl.Series], dict[str, BrokenTexts]]:
    """Clean these rows of each column, all of them at once: each column with its clean texts."""
    texts = pl.concat([frame[name][rows].alias(_TEXT) for name, rows in unclean.items()])
    done = _clean(texts.to_frame(), keep_breaks=keep_breaks)
    clean: dict[str, pl.Series] = {}
    broken: dict[str, BrokenTexts] = {}
    start = 0
    for name, rows in unclean.items():
        end = start + rows.len()
        texts = done.texts[_TEXT].slice(start, rows.len())
        clean[name] = frame[name].clone().scatter(rows, texts)
        if _TEXT in done.broken:
            cut = done.broken[_TEXT]
            here = (cut.rows >= start) & (cut.rows < end)
            if here.any():
                broken[name] = BrokenTexts(
                    rows=rows[cut.rows.filter(here) - start], before=cut.before.filter(here)
                )
        start = end
    return clean, broken


def _clean(frame: pl.DataFrame, *, keep_breaks: bool) -> CleanTexts:
    """Texts without white space at their ends, null where nothing is left.

    CR, LF, TAB and NUL inside become one space: a package's data file is text of one line per row.
    """
    stripped = frame.select_seq(_STRIPPED)
    hits = _look_for(tuple(frame.columns), keep_breaks=keep_breaks).find(stripped)
    broken = {
        name: BrokenTexts(rows=rows, before=stripped[name][rows])
        for (name, what), rows in hits.items()
        if what == "breaks"
    }
    changed: dict[str, pl.Series] = {}
    for name, one in broken.items():
        whole = one.before.str.replace_all(r"[\r\n\t\x00]+", " ")
        changed[name] = stripped[name].clone().scatter(one.rows, whole)
    for (name, what), rows in hits.items():
        if what == "blank":
            texts = changed[name] if name in changed else stripped[name].clone()
            changed[name] = texts.scatter(rows, None)
    return CleanTexts(texts=_replace_columns(stripped, changed), broken=broken)


_STRIPPED: Final = pl.all().str.strip_chars(WHITE_SPACE)


@lru_cache(maxsize=64)
def _look_for(columns: tuple[str, ...], *, keep_breaks: bool) -> RowFinder[tuple[str, str]]:
    """Finds stripped texts that are blank, or have breaks inside."""
    looks = {(name, "blank"): pl.col(name) == "" for name in columns}
    if not keep_breaks:
        looks |= {(name, "breaks"): pl.col(name).str.contains_any(_BREAKS) for name in columns}
    return RowFinder(looks)
