"""Planned rows get their hash, their action and their batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

_SEPARATOR = "\x1f"

Hasher = Callable[[pl.Series], pl.Series]
"""MD5 of each text, as 32 lower-case hexadecimal digits."""


def build_row_texts(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """The text form that a row's hash is taken of.

    Eight digits of the SHA-256 of the sorted column names joined by U+001F, then the values in the
    order of these names, all joined by U+001F; null is empty, decimals have six places. It depends
    on no library's own hash or formatting.
    """
    names = sorted(columns)
    head = hashlib.sha256(_SEPARATOR.join(names).encode()).hexdigest()[:8]
    texts = {name: pl.col(name).cast(pl.String) for name in names}
    parts = [
        text.fill_null("") if frame[name].null_count() else text for name, text in texts.items()
    ]
    return frame.select(
        pl.concat_str([pl.lit(head), *parts], separator=_SEPARATOR).alias("text")
    ).to_series()


@dataclass(kw_only=True, slots=True)
class Batcher:
    """Numbers batches from 1 per task and legal entity, in source order.

    Keeps count between morsels.
    """

    rows: int
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def number_rows(self, task: str, planned: pl.DataFrame) -> pl.DataFrame:
        """Add ``batch`` to planned rows (``action``, ``legal_entity``).

        Null where nothing is sent.
        """
        sent = pl.col("action") != "unchanged"
        entities = planned["legal_entity"].unique(maintain_order=True).to_list()
        place = (sent.cum_sum().over("legal_entity") if len(entities) > 1 else sent.cum_sum()) - 1
        before = {entity: self.counts.get((task, entity), 0) for entity in entities}
        if not entities:
            return planned.with_columns(batch=pl.lit(None, pl.Int32))
        offset = pl.col("legal_entity").replace_strict(before, return_dtype=pl.Int64)
        numbered = planned.with_columns(
            batch=pl.when(sent).then((place + offset) // self.rows + 1).cast(pl.Int32)
        )
        added = planned.filter(sent).group_by("legal_entity").len()
        for entity, count in added.iter_rows():
            self.counts[task, entity] = before[entity] + count
        return numbered


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
