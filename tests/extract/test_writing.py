"""Words for null are counted as anyone would count them, wherever a column is cut."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.extract.writing import count_words
from schemas.values import NULL_WORDS

CELLS = st.one_of(
    st.none(),
    st.sampled_from(NULL_WORDS),
    st.sampled_from(["", "N", "nu", "nullnullnull", "Nil", "undefine", "#N/A ", "ñull"]),
    st.text(max_size=10),
)


@given(st.lists(CELLS, max_size=30), st.integers(0, 10), st.integers(0, 30))
def test_each_word_is_counted(cells: list[str | None], start: int, cut: int) -> None:
    column = pa.chunked_array(
        [pa.array(cells[:cut], pa.string()), pa.array(cells[cut:], pa.string())]
    )
    words = Counter(cell for cell in cells[start:] if cell in NULL_WORDS)
    assert count_words(column.slice(start)) == words


def test_a_column_of_numbers_has_no_words() -> None:
    assert count_words(pa.chunked_array([pa.array([1, None])])) == {}
