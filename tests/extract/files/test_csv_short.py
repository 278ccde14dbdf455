"""Short rows: those older than a column, and those that an export broke off."""

from __future__ import annotations

import pytest

from pipeline.extract.files.csv_short import ShortRows

HEADER = ("Id", "lastname", "isDelete", "new_one", "new_two")
BARE = ("Id", "lastname", "new_one", "new_two")


@pytest.mark.parametrize(
    ("header", "counts", "whole"),
    [
        (HEADER, [3, 3, 4, 5], [True, True, True, True]),
        (HEADER, [3], [True]),
        (HEADER, [2, 3, 1, 5], [False, True, False, True]),
        (HEADER, [3, 4, 3, 4], [True, True, False, True]),
        (HEADER, [5, 4, 5], [True, False, True]),
        (HEADER, [6, 5], [False, True]),
        (BARE, [2, 2, 3, 3, 4], [True, True, True, True, True]),
        (BARE, [2, 4, 4], [False, True, True]),
        (BARE, [4, 2, 2, 4], [True, False, False, True]),
        (BARE, [4, 4], [True, True]),
    ],
)
def test_a_short_row_counts_only_where_it_can_be_an_old_one(
    header: tuple[str, ...], counts: list[int], whole: list[bool]
) -> None:
    told = ShortRows(header, is_headerless=True).explain(counts, is_cut=False)
    assert [one is None for one in told] == whole


def test_what_came_in_earlier_parts_of_the_file_counts() -> None:
    rule = ShortRows(HEADER, is_headerless=True)
    assert rule.explain([3], is_cut=False) == [None]
    rule.pass_whole()
    assert rule.explain([4, 5], is_cut=False) == [
        "it has 4 fields where the header has 5, fewer than a row before it",
        None,
    ]


def test_the_row_at_which_the_file_breaks_off_must_be_whole() -> None:
    rule = ShortRows(HEADER, is_headerless=True)
    assert rule.explain([3, 3], is_cut=True) == [None, "it has 3 fields where the header has 5"]


def test_with_a_header_line_no_row_may_be_short() -> None:
    rule = ShortRows(HEADER, is_headerless=False)
    assert rule.explain([5, 4], is_cut=False) == [None, "it has 4 fields where the header has 5"]
