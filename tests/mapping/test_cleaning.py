"""Clean text is the same whether a column repeats itself or not."""

from __future__ import annotations

import re

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mapping.cleaning import cleaned
from schemas.text import WHITE_SPACE

texts = st.none() | st.text(alphabet=st.sampled_from(WHITE_SPACE + "abß😀'"), max_size=7)


def model(text: str | None) -> str | None:
    bare = (text or "").strip(WHITE_SPACE)
    return re.sub(r"[\r\n\t]+", " ", bare) or None


def has_breaks(text: str | None) -> bool:
    return bool(re.search(r"[\r\n\t]", (text or "").strip(WHITE_SPACE)))


@given(few=st.lists(texts, min_size=1, max_size=4), times=st.integers(1, 40), others=st.lists(texts, max_size=30, unique=True))
def test_distinct_and_repeated_texts_are_cleaned_alike(few: list[str | None], times: int, others: list[str | None]) -> None:
    for values in (few * times + others, others + few, others):
        given_texts = pl.Series("text", values, dtype=pl.String)
        done = cleaned(given_texts, keep_breaks=False)
        assert done.texts.to_list() == [model(value) for value in values]
        broken = [row for row, value in enumerate(values) if has_breaks(value)]
        assert done.broken.to_list() == broken
        assert done.before.to_list() == [(values[row] or "").strip(WHITE_SPACE) for row in broken]
        assert given_texts.to_list() == values


def test_line_breaks_stay_where_they_are_kept() -> None:
    done = cleaned(pl.Series([" a\tb\r\n ", "a\tb", "a\tb", "a\tb"]), keep_breaks=True)
    assert (done.texts.to_list(), done.broken.to_list()) == (["a\tb"] * 4, [])
