"""Planned rows get their hash, their action and their batch."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

_SEPARATOR = "\x1f"
_KEPT: Final = "\x1e"
SHAPE: Final = "shape"
"""A column of planned rows: which columns an update leaves as they are. Rows of one package leave
the same."""

Hasher = Callable[[pl.Series], pl.Series]
"""MD5 of each text, as 32 lower-case hexadecimal digits."""


def build_row_texts(
    frame: pl.DataFrame, columns: Sequence[str], kept: Collection[str] = ()
) -> pl.Series:
    """The text form that a row's hash is taken of.

    Eight digits of the SHA-256 of the sorted column names joined by U+001F, then the values in the
    order of these names, all joined by U+001F; null is empty, and U+001E in columns of ``kept``,
    where it leaves what SCM has; decimals have six places. It depends on no library's own hash or
    formatting.
    """
    names = sorted(columns)
    head = hashlib.sha256(_SEPARATOR.join(names).encode()).hexdigest()[:8]
    texts = {name: pl.col(name).cast(pl.String) for name in names}
    parts = [
        text.fill_null(_KEPT if name in kept else "") if frame[name].null_count() else text
        for name, text in texts.items()
    ]
    return frame.select(
        pl.concat_str([pl.lit(head), *parts], separator=_SEPARATOR).alias("text")
    ).to_series()


@dataclass(kw_only=True, slots=True)
class Batcher:
    """Numbers batches from 1 per task and legal entity, in the order of their first rows.

    Keeps count between morsels.
    """

    rows: int
    sizes: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """Rows by task, legal entity and batch."""
    counts: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """Rows by task, legal entity and shape."""
    last: dict[tuple[str, str], int] = field(default_factory=dict)
    """The newest batch by task and legal entity."""
    current: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """The batch that further rows go into, by task, legal entity and shape."""

    def number_rows(self, task: str, planned: pl.DataFrame) -> pl.DataFrame:
        """Add ``batch`` to planned rows (``action``, ``legal_entity``, and ``shape`` if it counts).

        Null where nothing is sent. Rows of different shapes are never in one batch.
        """
        numbered = planned.with_columns(batch=pl.lit(None, pl.Int32))
        shape = pl.col(SHAPE) if SHAPE in planned.columns else pl.lit("").alias(SHAPE)
        asked = planned.select("legal_entity", "action", shape).with_row_index("place")
        sent = asked.filter(pl.col("action") != "unchanged")
        if sent.is_empty():
            return numbered
        batches = pl.concat(
            [self._number(task, str(entity), part) for (entity,), part in _split(sent)]
        )
        column = numbered["batch"].scatter(batches["place"], batches["batch"])
        return numbered.with_columns(column)

    def _number(self, task: str, entity: str, sent: pl.DataFrame) -> pl.DataFrame:
        """``place`` and ``batch`` of the rows of one legal entity."""
        shapes = sent[SHAPE].unique(maintain_order=True).to_list()
        before = {shape: self.counts.get((task, entity, shape), 0) for shape in shapes}
        running = {shape: self.current.get((task, entity, shape), 0) for shape in shapes}
        if len(shapes) == 1:
            shape = shapes[0]
            batches = self._count_on(
                sent.height, before[shape], running[shape], self.last.get((task, entity), 0)
            )
            found = sent.select("place", SHAPE, batches)
        else:
            found = self._number_shapes(sent, before, running, self.last.get((task, entity), 0))
        for shape, count, batch in (
            found.group_by(SHAPE).agg(pl.len(), pl.col("batch").last()).iter_rows()
        ):
            self.counts[task, entity, shape] = before[shape] + count
            self.current[task, entity, shape] = batch
        for batch, count in found.group_by("batch").len().iter_rows():
            self.sizes[task, entity, batch] += count
            self.last[task, entity] = max(batch, self.last.get((task, entity), 0))
        return found.select("place", "batch")

    def _count_on(self, rows: int, before: int, running: int, last: int) -> pl.Series:
        """``batch`` of rows of one shape; ``before``: rows of that shape that have one already."""
        place = pl.int_range(before, before + rows, dtype=pl.Int64)
        begun = place // self.rows - (before - 1) // self.rows
        batch = pl.when(begun == 0).then(running).otherwise(begun + last)
        return pl.select(batch.cast(pl.Int32).alias("batch")).to_series()

    def _number_shapes(
        self, sent: pl.DataFrame, before: dict[str, int], running: dict[str, int], last: int
    ) -> pl.DataFrame:
        """``place``, ``shape`` and ``batch`` of rows of several shapes."""
        offset = pl.col(SHAPE).replace_strict(before, return_dtype=pl.Int64)
        place = pl.int_range(pl.len(), dtype=pl.Int64).over(SHAPE) + offset
        begins = place % self.rows == 0
        return sent.select(
            "place", SHAPE, batch=pl.when(begins).then(begins.cum_sum() + last)
        ).with_columns(
            pl.col("batch")
            .forward_fill()
            .over(SHAPE)
            .fill_null(pl.col(SHAPE).replace_strict(running, return_dtype=pl.Int64))
            .cast(pl.Int32)
        )


def _split(sent: pl.DataFrame) -> list[tuple[tuple[object, ...], pl.DataFrame]]:
    parts = sent.partition_by("legal_entity", as_dict=True, maintain_order=True)
    return list(parts.items())


def name_shapes(frame: pl.DataFrame, kept: Sequence[str]) -> pl.Expr:
    """``shape`` of planned rows with ``action``: which columns of ``kept`` have no value.

    A record that is created has no values to keep.
    """
    blank = pl.concat_str(
        pl.lit(frame[name].is_null()).cast(pl.Int8).cast(pl.String) for name in kept
    )
    whole = pl.lit("0" * len(kept))
    return pl.when(pl.col("action") == "create").then(whole).otherwise(blank).alias(SHAPE)


def choose_actions(*, scm_read: bool, full: bool) -> pl.Expr:
    """``create``, ``update``, ``unchanged``; ``upsert`` where SCM was not read.

    A key that SCM lost is ``create``.
    """
    there = pl.col("key_in_scm")
    same = (pl.col("loaded_hash") == pl.col("row_hash")).fill_null(value=False)
    known = (
        pl.when(there).then(pl.lit("update")).otherwise(pl.lit("create"))
        if scm_read
        else pl.lit("upsert")
    )
    if full:
        return known
    return pl.when(same & there if scm_read else same).then(pl.lit("unchanged")).otherwise(known)
