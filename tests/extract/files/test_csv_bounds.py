"""The fast and the strict CSV reader come to the same rows, for any text and any block size."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.extract.files.csv_bounds import Dialect, find_bounds
from pipeline.extract.files.csv_reader import read_csv_file
from pipeline.extract.files.csv_strict import read_strict
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.records import ReadOptions
from schemas.catalogue import Table
from tests.scenes.reading import ID

LF = Dialect(delimiter=",", line_end=b"\n")
CR = Dialect(delimiter=",", line_end=b"\r")
LIMIT = 40


class Everything(ColumnSelection):
    """All columns, each under the name that it has."""

    def pick(self, headers: Collection[str], file: str) -> dict[str, tuple[str, ...]]:
        assert file
        return {name: (name,) for name in headers}

    def count_known(self, headers: Iterable[str]) -> int:
        return len(list(headers))


EVERYTHING = Everything(table=Table(name="", singular="", key="", fields=()))
Row = tuple[int, tuple[str | None, ...]]


def all_rows(
    path: Path, block: int, limit: int = LIMIT
) -> tuple[list[Row], list[tuple[int, str]], tuple[str, ...]]:
    """Rows with their lines, unreadable rows, and the columns, in chunks of whatever size."""
    options = ReadOptions(row_limit=limit, block=block)
    chunks = list(read_csv_file(path, "x.csv", EVERYTHING, options))
    names = tuple(chunks[0].columns)
    found = []
    for chunk in chunks:
        assert tuple(chunk.columns) == names
        cells = [chunk.table[name].to_pylist() for name in names]
        found += list(
            zip(chunk.table["source_line"].to_pylist(), zip(*cells, strict=True), strict=True)
        )
    return (
        found,
        [(row.source_line, row.detail) for chunk in chunks for row in chunk.unreadable],
        names,
    )


pieces = st.lists(
    st.sampled_from(
        [
            "a",
            "é",
            "😀",
            ",",
            ",",
            '"',
            '"',
            '""',
            "\n",
            "\r\n",
            "\r",
            '","',
            "\ufeff",
            "b" * 12,
            ' "',
            f"\n{ID},b",
        ]
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=200)
@example(body=[f"\n{ID},b", ",", f"\n{ID},b", "a", "a", "a", f"\n{ID},b", ","], block=1)
@given(body=pieces, block=st.integers(1, 50))
def test_every_text_is_read_alike_by_both_readers_and_in_any_blocks(
    body: Sequence[str], block: int
) -> None:
    text = "k,l\n" + "".join(body)
    whole = read_strict(text.encode(), LF, LIMIT, is_last=True)
    first = [record.fields for record in whole.records[1:21] if record.trouble is None]
    ends_alike = len(first) > 1 and all(len(row) == 3 and not row[2] for row in first)
    width = 3 if ends_alike else 2
    expected: list[Row] = []
    troubles: list[int] = []
    for record in whole.records[1:]:
        if len(record.fields) > 1 and not any(record.fields):
            continue
        if record.trouble is None and len(record.fields) == width:
            expected.append((record.line + 1, tuple(cell or None for cell in record.fields)))
        else:
            troubles.append(record.line + 1)
    if whole.continues:
        pytest.fail("the last line has an end")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(text.encode())
        for size in (block, 1 << 20):
            found, unreadable, _ = all_rows(path, size)
            assert found == expected
            assert [line for line, _ in unreadable] == troubles


cells = st.text(alphabet=st.sampled_from('ab,;\t"\n\r é😀\u00a0\u2028\ufeff'), max_size=6)


@settings(deadline=None)
@given(
    table=st.lists(st.tuples(cells, cells, cells), max_size=8),
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(
        ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "bom utf-16-be"]
    ),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quote_all=st.booleans(),
    last=st.booleans(),
    block=st.integers(1, 200),
)
def test_any_table_of_texts_lands_exactly_as_written(
    table: list[tuple[str, str, str]],
    delimiter: str,
    encoding: str,
    line_end: str,
    quote_all: bool,
    last: bool,
    block: int,
) -> None:
    written = io.StringIO(newline="")
    quoted = csv.writer(
        written, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL
    )
    plain = csv.writer(
        written, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_MINIMAL
    )
    (quoted if quote_all else plain).writerow(
        ["first", "sec,ond" if delimiter != "," else "second", "third"]
    )
    for row in table:
        # Python before 3.13 leaves a CR or LF bare when it is not the line end
        (
            quoted if quote_all or any(sign in cell for cell in row for sign in "\r\n") else plain
        ).writerow(row)
    text = written.getvalue()
    if not last:
        text = text.removesuffix(line_end)
    content = text.encode("utf-16-be" if encoding == "bom utf-16-be" else encoding)
    if encoding == "bom utf-16-be":
        content = b"\xfe\xff" + content
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(content)
        found, unreadable, _ = all_rows(path, block, limit=10_000)
    assert not unreadable
    rows = [tuple(cell or None for cell in row) for row in table if any(row)]
    assert [row for _, row in found] == rows
    assert [line for line, _ in found] == lines_of(table, line_end)


def lines_of(table: list[tuple[str, str, str]], line_end: str) -> list[int]:
    """The physical line on which each row that is not blank begins, the header being 1."""
    sign = "\r" if line_end == "\r" else "\n"
    starts, line = [], 2
    for row in table:
        starts += [line] if any(row) else []
        line += 1 + sum(cell.count(sign) for cell in row)
    return starts


def test_bounds_tell_ends_lines_and_the_longest_record() -> None:
    found = find_bounds(b'a,b\n"x\ny",""\r\n\n"q""r",\xc3\xa9\n\r\n"open', LF)
    assert found is not None
    assert found.end == 27
    assert found.lines.tolist() == [0, 1, 4]
    assert found.breaks == 6
    assert found.longest == 9


@pytest.mark.parametrize(
    "block",
    [
        b'"a"b,""\n',
        b'a ,"b" \n',
        b'"a" "b"\n',
        b"a,b\rc\n",
        b'"a"\rb\n',
        b'a"b"\n',
        b'"""b"c,""\n',
        b'a,"b"\r\r\n',
        f'a,"b\n{ID},c"\n'.encode(),
    ],
    ids=repr,
)
def test_a_block_with_a_quote_or_line_end_out_of_place_is_not_for_the_quick_way(
    block: bytes,
) -> None:
    assert find_bounds(block, LF) is None


def test_a_line_feed_stands_out_where_carriage_returns_end_lines() -> None:
    assert find_bounds(b"a,b\nc\r", CR) is None
    assert find_bounds(b'a,"b\nc"\r', CR) is not None


@pytest.mark.parametrize("block", [b"", b"a,b", b'"a\n\n', b'a"b\n'], ids=repr)
def test_a_block_without_a_whole_record_has_none(block: bytes) -> None:
    found = find_bounds(block, LF)
    assert found is not None
    assert found.end == 0


def test_a_line_that_never_ends_is_given_up_before_its_end_is_seen() -> None:
    """Otherwise the whole file would have to be held."""
    alone = read_strict(b"a,b\n" + b"c" * 50, LF, LIMIT, is_last=False)
    assert [(record.line, record.trouble is None) for record in alone.records] == [
        (0, True),
        (1, False),
    ]
    assert alone.continues
    quoted = read_strict(b'a,"b\n' + b"c" * 50, LF, LIMIT, is_last=False)
    assert quoted.records[0].trouble == "a quote does not close within 40 bytes"


def test_a_field_may_be_longer_than_pythons_own_reader_allows() -> None:
    csv.field_size_limit(131_072)
    field = "x" * 200_000
    found = read_strict(f'a,"{field}"\n'.encode(), LF, 1_000_000, is_last=True)
    assert [record.fields for record in found.records] == [["a", field]]
