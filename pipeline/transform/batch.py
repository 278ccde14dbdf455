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
    return frame.select_seq(
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
        asked = planned.lazy().select("legal_entity", "action", _find_shape(planned))
        sent = asked.with_row_index("place").filter(pl.col("action") != "unchanged").collect()
        column = pl.Series("batch", [None], dtype=pl.Int32).new_from_index(0, planned.height)
        if sent.height:
            parts = sent.partition_by("legal_entity", as_dict=True, maintain_order=True)
            for (entity,), part in parts.items():
                column.scatter(part["place"], self._number(task, str(entity), part[SHAPE]))
        return pl.DataFrame([*planned.get_columns(), column])

    def _number(self, task: str, entity: str, shapes: pl.Series) -> pl.Series:
        """The batches of rows of one legal entity that have these shapes."""
        if shapes.n_unique() == 1:
            return self._count_on(task, entity, str(shapes[0]), shapes.len())
        found = self._number_shapes(task, entity, shapes)
        for shape, count, batch in (
            found.group_by(SHAPE).agg(pl.len(), pl.col("batch").last()).iter_rows()
        ):
            self.counts[task, entity, shape] = self.counts.get((task, entity, shape), 0) + count
            self.current[task, entity, shape] = batch
        for batch, count in found.group_by("batch").len().iter_rows():
            self.sizes[task, entity, batch] += count
            self.last[task, entity] = max(batch, self.last.get((task, entity), 0))
        return found["batch"]

    def _count_on(self, task: str, entity: str, shape: str, rows: int) -> pl.Series:
        """The batches of rows of one shape: the batch that is open is filled, new ones follow."""
        before = self.counts.get((task, entity, shape), 0)
        running = self.current.get((task, entity, shape), 0)
        last = self.last.get((task, entity), 0)
        room = min(rows, -before % self.rows)
        others = pl.int_range(rows - room, dtype=pl.Int32, eager=True) // self.rows + (last + 1)
        if room:
            self.sizes[task, entity, running] += room
        for start in range(room, rows, self.rows):
            last += 1
            self.sizes[task, entity, last] += min(self.rows, rows - start)
            self.last[task, entity] = self.current[task, entity, shape] = last
        self.counts[task, entity, shape] = before + rows
        filled = pl.Series([running], dtype=pl.Int32).new_from_index(0, room)
        return pl.concat([filled, others.cast(pl.Int32)])

    def _number_shapes(self, task: str, entity: str, shapes: pl.Series) -> pl.DataFrame:
        """``shape`` and ``batch`` of rows of several shapes."""
        seen = shapes.unique().to_list()
        before = {shape: self.counts.get((task, entity, shape), 0) for shape in seen}
        running = {shape: self.current.get((task, entity, shape), 0) for shape in seen}
        last = self.last.get((task, entity), 0)
        offset = pl.col(SHAPE).replace_strict(before, return_dtype=pl.Int64)
        place = pl.int_range(pl.len(), dtype=pl.Int64).over(SHAPE) + offset
        begins = place % self.rows == 0
        return (
            shapes.to_frame(SHAPE)
            .select(SHAPE, batch=pl.when(begins).then(begins.cum_sum() + last))
            .with_columns(
                pl.col("batch")
                .forward_fill()
                .over(SHAPE)
                .fill_null(pl.col(SHAPE).replace_strict(running, return_dtype=pl.Int64))
                .cast(pl.Int32)
            )
        )


def _find_shape(planned: pl.DataFrame) -> pl.Expr:
    return pl.col(SHAPE) if SHAPE in planned.columns else pl.lit("").alias(SHAPE)


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
