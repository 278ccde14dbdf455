"""Words for null are counted as anyone would count them, wherever a column is cut."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.extract.writing import LandedFile, count_words
from schemas.damage import DAMAGED, DAMAGED_TEXT
from schemas.text import WHITE_SPACE
from schemas.values import NULL_WORDS, SHORTENED, SHORTENED_NUMBER

CELLS = st.one_of(
    st.none(),
    st.sampled_from(NULL_WORDS),
    st.sampled_from(
        [
            "",
            "N",
            "nu",
            "NULL          ",
            "  null",
            "Ann     ",
            "nullnullnull",
            "Nil",
            "undefine",
            "#N/A ",
            "ñull",
            "4.93E+11",
            "-1E+11",
            "1.E+11",
            "4.93e+11",
            "4,93E+11",
            "4.93E11",
            "4E11",
            "ñE+11",
            "4.93E+1",
            " 4E+05",
            "MÃ¼ller",
            "SÃO",
            "â€™",
            "\ufffd",
            "M?ller",
            "Br&ouml;n",
            "Müller &#252;",
            "Why?",
        ]
    ),
    st.text(max_size=10),
)


@given(st.lists(CELLS, max_size=30), st.integers(0, 10), st.integers(0, 30))
def test_each_word_is_counted(cells: list[str | None], start: int, cut: int) -> None:
    column = pa.chunked_array(
        [pa.array(cells[:cut], pa.string()), pa.array(cells[cut:], pa.string())]
    )
    words = Counter[str]()
    for part in column.slice(start).chunks:
        texts = [cell or "" for cell in part.to_pylist()]
        is_padded = any(text[:1] == " " or text[-1:] == " " for text in texts)
        meant = [text.strip(WHITE_SPACE) if is_padded else text for text in texts]
        words.update(text for text in meant if text in NULL_WORDS)
        words.update(SHORTENED for text in meant if re.fullmatch(SHORTENED_NUMBER, text))
        words.update(DAMAGED for text in meant if pl.Series([text]).str.contains(DAMAGED_TEXT)[0])
    assert count_words(column.slice(start)) == words


def test_a_column_of_numbers_has_no_words() -> None:
    assert count_words(pa.chunked_array([pa.array([1, None])])) == {}


@pytest.mark.parametrize(
    ("cells", "is_so"),
    [
        (["1067.0", None, "99.0"], True),
        (["1067.0", "99"], False),
        (["+49", "1067.0"], False),
        ([None, None], False),
        (["10.50", "1.0"], False),
    ],
)
def test_a_column_that_a_data_frame_made_fractions_of_is_known(
    tmp_path: Path, cells: list[str | None], *, is_so: bool
) -> None:
    columns = pa.schema([("telephone1", pa.string()), ("jobtitle", pa.string())])
    lines = pa.array(range(len(cells)), pa.int64())
    texts = pa.array(cells, pa.string())
    with LandedFile(tmp_path / "a.parquet", columns) as file:
        rows = {"telephone1": texts, "jobtitle": texts, "source_line": lines}
        file.add(pa.table(rows), "a.csv")
    assert file.fractions == ({"telephone1"} if is_so else set())
