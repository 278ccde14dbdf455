"""Rows that are too many for memory, put into files by their keys: equal keys, one file."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.run.files import TableWriter

_AT_ONCE: Final = 100_000
"""Rows of which those of one part become a row group."""
_PART: Final = "part"


def split_rows(rows: pl.LazyFrame, key: pl.Expr, parts: int, into: Path) -> list[Path]:
    """Write rows into files by the hash of their keys, in their order.

    Args:
        rows: of any number.
        key: equal for rows that belong together.
        parts: how many files.
        into: where and how the files are called; their numbers and ``.parquet`` come behind.

    Returns:
        The files, each with the columns of ``rows``; some may have no rows.

    Raises:
        Stopped: the disk failed, or is full.
    """
    paths = [into.with_name(f"{into.name}-{part}.parquet") for part in range(parts)]
    schema = rows.collect_schema()
    numbered = rows.with_columns((key.hash(seed=0) % parts).alias(_PART))
    with contextlib.ExitStack() as stack:
        writers = [stack.enter_context(TableWriter(path, schema)) for path in paths]
        for frame in numbered.collect_batches(chunk_size=_AT_ONCE, maintain_order=True):
            for some in frame.partition_by(_PART, maintain_order=True):
                writers[some[_PART][0]].write(some.drop(_PART))
    return paths
