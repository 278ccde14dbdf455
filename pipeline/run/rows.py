"""Planned rows of a run, as later commands need them."""

from __future__ import annotations

from typing import Final

import polars as pl

from pipeline.run.folder import RunFolder
from pipeline.run.ledger import Place

IN_SCM: Final = ("created", "updated", "unchanged", "written")


def scan_arrived_rows(folder: RunFolder, task: str) -> pl.LazyFrame:
    """Planned rows that should be in SCM: those that failed are left out."""
    arrived = pl.scan_parquet(folder.outcomes, glob=False).filter(
        (pl.col("task") == task) & pl.col("outcome").is_in(IN_SCM)
    )
    rows = pl.scan_parquet(folder.rows_files(task), glob=False)
    return rows.join(
        arrived.select("destination_key"), on="destination_key", how="semi", maintain_order="left"
    )


def count_rows_by_batch(run: RunFolder, task: str) -> dict[Place, int]:
    """Rows of each batch of a task."""
    there = pl.read_parquet(run.batches, glob=False).filter(pl.col("task") == task)
    return {
        (entity, batch): rows
        for entity, batch, rows in there.select("legal_entity", "batch", "rows").iter_rows()
    }
