"""The folder load: packages are written beside the run, ready for manual import in Data management."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from pipeline.load.package import Package
from schemas.run import OUTCOMES


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """One package as it lies on disk."""

    task: str
    legal_entity: str
    batch: int
    package: Package


def outcomes(files: Iterable[Path], task: str) -> Iterator[pl.DataFrame]:
    """The outcome of every planned row of a task, in source order: ``written``, or ``unchanged`` where nothing was to be sent."""
    columns = ["contactid", "destination_key", "batch"]
    for path in files:
        for part in pq.ParquetFile(path).iter_batches(262_144, columns=columns):
            rows = pl.from_arrow(part)
            if isinstance(rows, pl.DataFrame):
                sent = pl.col("batch").is_not_null()
                yield rows.with_columns(
                    task=pl.lit(task),
                    outcome=pl.when(sent).then(pl.lit("written")).otherwise(pl.lit("unchanged")),
                    code=pl.lit(None, pl.String),
                    message=pl.lit(None, pl.String),
                ).select(OUTCOMES.names())
