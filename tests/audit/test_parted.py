"""Rows in files by their keys: all of them, in their order, equal keys together."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audit.parted import split_rows

KEYS = st.lists(st.sampled_from(["", "a", "b", "c", "d", "A"]), max_size=40)


@given(keys=KEYS, parts=st.integers(1, 7))
def test_every_row_is_in_the_file_of_its_key_in_order(keys: list[str], parts: int) -> None:
    rows = pl.DataFrame({"key": keys, "place": range(len(keys))}, schema=["key", "place"])
    rows = rows.cast({"key": pl.String, "place": pl.Int64})
    with tempfile.TemporaryDirectory() as folder:
        paths = split_rows(
            rows.lazy(), pl.col("key").str.to_lowercase(), parts, Path(folder) / "rows"
        )
        found = [pl.read_parquet(path) for path in paths]
    assert len(found) == parts
    assert all(one.schema == rows.schema for one in found)
    assert all(one["place"].is_sorted() for one in found)
    assert pl.concat(found).sort("place").equals(rows)
    there = [set(one["key"].str.to_lowercase()) for one in found]
    assert sum(map(len, there)) == len(set().union(*there))
