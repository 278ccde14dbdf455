"""Texts that mapping takes as they are: the same rows, whatever is asked for and read at once."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract.landing import LandedTable
from pipeline.extract.texts import TextColumns
from tests.scenes.reading import landed

ROWS = 17
COLUMNS = (
    "contactid",
    "msdynce_contactnumber",
    "msdynce_isactivecustomer",
    "parentcustomerid",
    "lastname",
)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> LandedTable:
    """Contacts in two files, read in place."""
    folder = tmp_path_factory.mktemp("texts")
    numbers = [f"CON-{place}" for place in range(ROWS)]
    for name, part in (("part-1", numbers[:5]), ("part-2", numbers[5:])):
        frame = pl.DataFrame(dict.fromkeys(COLUMNS, part))
        (folder / "contacts").mkdir(exist_ok=True)
        frame.write_parquet(folder / "contacts" / f"{name}.parquet", row_group_size=4)
    return landed(folder, folder)["contacts"]


@given(
    spans=st.lists(st.tuples(st.integers(0, ROWS), st.integers(0, ROWS)), max_size=6),
    ahead=st.integers(1, 4),
)
@settings(max_examples=60)
def test_rows_are_the_same_however_many_are_read_ahead(
    table: LandedTable, spans: list[tuple[int, int]], ahead: int
) -> None:
    texts = TextColumns(table, {"text:lastname": "lastname"}, ahead=ahead)
    for start, end in spans:
        if start <= end:
            found = texts.rows(start, end - start)["text:lastname"].to_list()
            assert found == [f"CON-{place}" for place in range(start, end)]


def test_rows_that_follow_one_another_are_read_ahead_and_know_their_place(
    table: LandedTable,
) -> None:
    texts = TextColumns(table, {"text:lastname": "lastname"}, ahead=3)
    parts = [texts.rows(start, min(4, ROWS - start)) for start in range(0, ROWS, 4)]
    whole = TextColumns(table, {"text:lastname": "lastname"}).rows(0, ROWS)
    assert pl.concat(parts).equals(whole)
    assert whole["source_line"].to_list() == [*range(1, 6), *range(1, 13)]
