"""Batches: which rows are sent together."""

from __future__ import annotations

import itertools

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.transform.batch import SHAPE, Batcher, build_row_texts, name_shapes

SCHEMA = {"legal_entity": pl.String(), "action": pl.String(), SHAPE: pl.String()}
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["usmf", "demf"]),
        st.sampled_from(["update", "unchanged"]),
        st.sampled_from(["00", "10", "01"]),
    ),
    max_size=30,
)


def number(
    rows: list[tuple[str, str, str]], size: int, cuts: list[int]
) -> tuple[list[int | None], Batcher]:
    """The batch of each row, if the rows come in parts that end at ``cuts``."""
    batcher = Batcher(rows=size)
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    edges = sorted({0, *(min(cut, len(rows)) for cut in cuts), len(rows)})
    parts = [
        batcher.number_rows("t", frame.slice(start, end - start))["batch"].to_list()
        for start, end in itertools.pairwise(edges)
    ]
    return [batch for part in parts for batch in part], batcher


def test_rows_of_one_shape_fill_batches_one_after_the_other() -> None:
    rows = [("usmf", "update", "0")] * 5 + [("usmf", "unchanged", "0"), ("demf", "update", "0")]
    batches, batcher = number(rows, 2, [])
    assert batches == [1, 1, 2, 2, 3, None, 1]
    assert dict(batcher.sizes) == {
        ("t", "usmf", 1): 2, ("t", "usmf", 2): 2, ("t", "usmf", 3): 1, ("t", "demf", 1): 1,
    }  # fmt: skip


def test_rows_that_keep_different_columns_are_in_different_batches() -> None:
    rows = [("usmf", "update", shape) for shape in ("0", "1", "0", "1", "0")]
    assert number(rows, 2, [])[0] == [1, 2, 1, 2, 3]


@settings(deadline=None, max_examples=60)
@given(rows=ROWS, size=st.integers(1, 4), cuts=st.lists(st.integers(0, 30), max_size=4))
def test_batches_do_not_depend_on_how_rows_come(
    rows: list[tuple[str, str, str]], size: int, cuts: list[int]
) -> None:
    batches, whole = number(rows, size, [])
    parts, batcher = number(rows, size, cuts)
    assert parts == batches
    assert batcher.sizes == whole.sizes
    assert all(0 < count <= size for count in whole.sizes.values())
    assert sum(whole.sizes.values()) == sum(action == "update" for _, action, _ in rows)
    places = {(entity, batch, shape) for (entity, action, shape), batch in
              zip(rows, batches, strict=True) if action == "update"}  # fmt: skip
    assert len(places) == len(whole.sizes)


def test_a_record_that_is_created_keeps_nothing() -> None:
    frame = pl.DataFrame({"a": ["1", None, None], "b": [None, None, "2"]})
    actions = pl.DataFrame({"action": ["update", "create", "upsert"]})
    assert actions.select(name_shapes(frame, ["a", "b"])).to_series().to_list() == [
        "01",
        "00",
        "10",
    ]


def test_a_blank_that_keeps_what_scm_has_is_another_content_than_one_that_clears() -> None:
    frame = pl.DataFrame(
        {"a": ["1", None], "b": [None, "2"]}, schema=dict.fromkeys("ab", pl.String)
    )
    clears, keeps = build_row_texts(frame, ["a", "b"]), build_row_texts(frame, ["a", "b"], ["b"])
    assert (clears == keeps).to_list() == [False, True]
    assert not keeps.str.contains("\x1f$").any()
