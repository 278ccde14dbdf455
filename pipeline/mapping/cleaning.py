"""Source text as mapping sees it: trimmed, null when blank, on one line.

What repeats itself is looked at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import polars as pl

from pipeline.mapping.problem import find_row_numbers
from schemas.text import WHITE_SPACE

_BREAKS: Final = ["\r", "\n", "\t", "\0"]
_SAMPLE: Final = 4_096


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
    words = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    if frame.is_empty() or not words:
        return CleanTexts(texts=frame, broken={})
    sample = frame.select(words).head(_SAMPLE)
    counts = sample.select(
        pl.struct(distinct=pl.col(name).n_unique(), filled=pl.col(name).count()).alias(name)
        for name in words
    )
    repeating = [
        name for name in words if 2 * counts[name][0]["distinct"] <= counts[name][0]["filled"]
    ]
    done = _clean(
        frame.select(one for one in words if one not in repeating), keep_breaks=keep_breaks
    )
    changed, broken = {name: done.texts[name] for name in done.texts.columns}, dict(done.broken)
    for name, rows in _find_unclean(frame, repeating, keep_breaks=keep_breaks).items():
        some = _clean(frame.select(pl.col(name).gather(rows)), keep_breaks=keep_breaks)
        changed[name] = frame[name].clone().scatter(rows, some.texts[name])
        if name in some.broken:
            one = some.broken[name]
            broken[name] = BrokenTexts(rows=rows.gather(one.rows), before=one.before)
    return CleanTexts(texts=frame.with_columns(changed.values()), broken=broken)


def _find_unclean(
    frame: pl.DataFrame, columns: list[str], *, keep_breaks: bool
) -> dict[str, pl.Series]:
    """Columns that have texts which are not clean, with the numbers of their rows."""
    if not columns:
        return {}
    distinct = [frame[name].unique().alias("text") for name in columns]
    texts = pl.concat(distinct)
    unclean = texts.ne_missing(_clean(texts.to_frame(), keep_breaks=keep_breaks).texts["text"])
    ends = accumulate(some.len() for some in distinct)
    odd = {
        name: some.filter(unclean.slice(end - some.len(), some.len()))
        for name, some, end in zip(columns, distinct, ends, strict=True)
    }
    return find_row_numbers(
        frame,
        {
            name: pl.col(name).is_in(some.implode())
            for name, some in odd.items()
            if not some.is_empty()
        },
    )


def _clean(frame: pl.DataFrame, *, keep_breaks: bool) -> CleanTexts:
    """Texts without white space at their ends, null where nothing is left.

    CR, LF, TAB and NUL inside become one space: a package's data file is text of one line per row.
    """
    stripped = frame.select(pl.all().str.strip_chars(WHITE_SPACE))
    blank = {(name, "blank"): pl.col(name) == "" for name in frame.columns}
    breaks = (
        {}
        if keep_breaks
        else {(name, "breaks"): pl.col(name).str.contains_any(_BREAKS) for name in frame.columns}
    )
    changed: dict[str, pl.Series] = {}
    broken: dict[str, BrokenTexts] = {}
    for (name, what), rows in find_row_numbers(stripped, blank | breaks).items():
        texts = changed.get(name, stripped[name].clone())
        if what == "blank":
            changed[name] = texts.scatter(rows, None)
            continue
        before = texts.gather(rows)
        broken[name] = BrokenTexts(rows=rows, before=before)
        changed[name] = texts.scatter(rows, before.str.replace_all(r"[\r\n\t\x00]+", " "))
    return CleanTexts(texts=stripped.with_columns(changed.values()), broken=broken)
