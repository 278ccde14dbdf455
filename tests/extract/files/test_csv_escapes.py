"""Quotes escaped by backslashes: proved by the rows of a file, or left alone."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.extract.landing import ReadOptions
from tests.scenes.reading import HEADER, ID, ROW, contacts, named, write

ESCAPED = r'"He said \"hi\", then left"'


def read(
    tmp_path: Path, rows: list[str], block: int = 4096
) -> tuple[list[str | None], list[tuple[int, str]]]:
    """lastname of the readable contacts, and line and reason of the others."""
    text = "\n".join([HEADER, *rows, ""])
    frame, unreadable = contacts(
        write(tmp_path / "export", {"contacts.csv": text}),
        tmp_path / "in",
        options=ReadOptions(block=block),
    )
    return frame["lastname"].to_list(), [(line, detail) for _, line, detail in unreadable]


@pytest.mark.parametrize("block", [16, 100, 4096])
def test_a_file_that_escapes_by_backslashes_is_read_so_as_a_whole(
    tmp_path: Path, block: int
) -> None:
    values = [r'"C:\\share\\x"', ESCAPED, r'"ends \\"', r'"size 5\""', '"a\nb"', r'"a\nb"', "c"]
    found, unreadable = read(tmp_path, [named(value) for value in values], block)
    assert found == [
        "C:\\share\\x", 'He said "hi", then left', "ends \\", 'size 5"', "a\nb", r"a\nb", "c"
    ]  # fmt: skip
    assert not unreadable


def test_proof_may_come_in_a_record_of_several_lines(tmp_path: Path) -> None:
    found, unreadable = read(tmp_path, [named('"first\nsaid \\"hi\\", and\nleft"'), ROW])
    assert found == ['first\nsaid "hi", and\nleft', "Brown"]
    assert not unreadable


def test_where_quotes_are_doubled_a_row_with_backslashes_is_unreadable_and_says_why(
    tmp_path: Path,
) -> None:
    doubled = '"the ""old"" way"'
    for rows in ([doubled, "x", ESCAPED], [ESCAPED, "x", doubled]):
        found, unreadable = read(tmp_path, [named(row) for row in rows])
        assert found == [value for value in ('the "old" way', "x") if value] or found == [
            "x",
            'the "old" way',
        ]
        ((line, reason),) = unreadable
        assert line == 2 + rows.index(ESCAPED)
        assert "there is text after a closing quote; a quote behind a backslash" in reason


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (r"C:\\share\x", r"C:\\share\x"),
        (r'"\\server\share"', r"\\server\share"),
        (r'"C:\"', "C:\\"),
        (r'"a\""b"', r"a\"b"),
        (r"back\slash", r"back\slash"),
    ],
)
def test_backslashes_of_a_usual_file_stay_as_they_are(
    tmp_path: Path, value: str, meant: str
) -> None:
    found, unreadable = read(tmp_path, [named(value), named('"the ""old"" way"'), ROW])
    assert found == [meant, 'the "old" way', "Brown"]
    assert not unreadable


def test_a_row_that_is_broken_otherwise_does_not_hide_the_dialect(tmp_path: Path) -> None:
    found, unreadable = read(tmp_path, [named(ESCAPED), f"{ID},short", named(r'"x \\ y"'), ROW])
    assert found == ['He said "hi", then left', "x \\ y", "Brown"]
    assert unreadable == [(3, "it has 2 fields where the header has 5")]


def escape(value: str) -> str:
    return '"' + re.sub(r'([\\"])', r"\\\1", value) + '"'


texts = st.text(alphabet=st.sampled_from('a,\\"\né '), min_size=1, max_size=8)


@settings(deadline=None, max_examples=150)
@given(values=st.lists(texts, max_size=6), block=st.integers(1, 120))
@example(values=['",\\', '",\\'], block=1)  # Read as usual, each row has a field more.
def test_any_texts_in_the_dialect_land_as_they_were_meant(values: list[str], block: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [named(escape(value)) for value in values]
        found, unreadable = read(Path(folder), [*rows, named(ESCAPED)], block)
    assert found == [*values, 'He said "hi", then left']
    assert not unreadable
