"""The figures of the house stay where its design wants them."""

from __future__ import annotations

from typing import Final

import pytest

from tests.benchmarks.house import House, measure
from tests.scenes.places import ROOT

ANY_PER_1000_LINES: Final = 5.0
QUERIES: Final = 10


@pytest.fixture(scope="module")
def house() -> House:
    found = measure(ROOT)
    assert found.lines > 20_000
    return found


def test_no_function_is_long(house: House) -> None:
    assert house.long_functions == []


def test_lines_fit_the_width(house: House) -> None:
    assert house.wide_lines == []


def test_types_are_said(house: House) -> None:
    share = 1000 * house.any_beyond_the_sandbox / house.lines_beyond_the_sandbox
    assert share < ANY_PER_1000_LINES
    assert house.any_dicts_beyond_the_borders == []


def test_queries_stand_in_files_of_their_own(house: House) -> None:
    assert len(house.sql_in_python) < QUERIES, house.sql_in_python
