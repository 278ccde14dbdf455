"""Rows of a join come in no order.

This puts them back into source order, holding only those that are ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from pipeline.errors import InvariantBroken


def restore_order(
    batches: Iterable[pl.DataFrame], rows: int, *, by: str = "source_row", start: int = 0
) -> Iterator[pl.DataFrame]:
    """Rows in order of ``by``, which counts up from ``start``, in frames of ``rows``.

    The last one may be shorter, or empty. Frames end at the same rows whatever the batches are.

    Raises:
        InvariantBroken: a row is missing or there twice.
    """
    first, held = start, pl.DataFrame()
    for batch in batches:
        held = pl.concat([held, batch]) if held.height else batch
        if held.height < rows:
            continue
        if not _is_whole(held[by], start):
            held = held.sort(by)
        while held.height >= rows and _is_whole(held[by].head(rows), start):
            yield held.head(rows)
            start, held = start + rows, held.slice(rows)
    held = held.sort(by)
    if not _is_whole(held[by], start):
        raise InvariantBroken("joins lost or doubled rows of contacts.")
    if held.height or start == first:
        yield held


def _is_whole(numbers: pl.Series, start: int) -> bool:
    """Whether sorted numbers count up from ``start`` without a gap."""
    if numbers.is_empty():
        return True
    steps = numbers.diff().drop_nulls()
    return bool(numbers[0] == start and (steps == 1).all())
