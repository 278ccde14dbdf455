"""Clean text is the same whether a column repeats itself or not."""

from __future__ import annotations

import re

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mapping.cleaning import clean_texts
from schemas.text import WHITE_SPACE

texts = st.none() | st.text(alphabet=st.sampled_from(WHITE_SPACE + "abß😀\0'"), max_size=7)


def model(text: str | None) -> str | None:
    bare = (text or "").strip(WHITE_SPACE)
    return re.sub(r"[\r\n\t\0]+", " ", bare) or None


def has_breaks(text: str | None) -> bool:
    return bool(re.search(r"[\r\n\t\0]", (text or "").strip(WHITE_SPACE)))


@given(
    few=st.lists(texts, min_size=1, max_size=4),
    times=st.integers(1, 40),
    others=st.lists(texts, max_size=30, unique=True),
)
def test_distinct_and_repeated_texts_are_cleaned_alike(
    few: list[str | None], times: int, others: list[str | None]
) -> None:
    for values in (few * times + others, others + few, others):
        frame = pl.DataFrame(
            {"one": values, "number": range(len(values)), "two": values[::-1]},
            schema={"one": pl.String, "number": pl.Int32, "two": pl.String},
        )
        done = clean_texts(frame, keep_breaks=False)
        for name, column in (("one", values), ("two", values[::-1])):
            assert done.texts[name].to_list() == [model(value) for value in column]
            rows = [row for row, value in enumerate(column) if has_breaks(value)]
            if rows:
                assert done.broken[name].rows.to_list() == rows
                assert done.broken[name].before.to_list() == [
                    (column[row] or "").strip(WHITE_SPACE) for row in rows
                ]
            assert rows or name not in done.broken
            assert frame[name].to_list() == column
        assert done.texts["number"].to_list() == [*range(len(values))]


def test_line_breaks_stay_where_they_are_kept() -> None:
    done = clean_texts(
        pl.DataFrame({"text": [" a\tb\r\n ", "a\tb", "a\tb", "a\tb"]}), keep_breaks=True
    )
    assert (done.texts["text"].to_list(), done.broken) == (["a\tb"] * 4, {})
