"""Planned rows of a run, as later commands need them."""

from __future__ import annotations

from typing import Final

import polars as pl

from pipeline.run.folder import RunFolder
from pipeline.run.ledger import Place

_PLACE: Final = ["task", "legal_entity", "batch"]
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


def find_altered_batches(folder: RunFolder) -> str | None:
    """What is wrong with ``batches.parquet``, which decides what is sent, as a sentence.

    Null if it names every batch of the planned rows once, with its rows. The journal vouches for
    the planned rows.
    """
    name = folder.batches.name
    try:
        planned = _count_planned(folder)
        if planned.is_empty() and not folder.batches.is_file():
            return None
        there = pl.read_parquet(folder.batches, columns=[*_PLACE, "rows"], glob=False)
        both = planned.join(
            there.group_by(_PLACE).agg(said=pl.col("rows").sum(), times=pl.len()),
            on=_PLACE,
            how="full",
            coalesce=True,
        )
    except (pl.exceptions.PolarsError, OSError):
        return f"{name}, or a file of planned rows, is missing or cannot be read."
    same = pl.col("rows").eq_missing(pl.col("said")) & (pl.col("times") == 1)
    wrong = both.filter(~same.fill_null(value=False)).height
    return f"{name} was altered: {wrong:,} batches are not as planned." if wrong else None


def _count_planned(folder: RunFolder) -> pl.DataFrame:
    """Rows of each batch: task, legal_entity, batch, rows. Unchanged rows are in none."""
    schema = dict(zip(_PLACE, (pl.String, pl.String, pl.Int32), strict=True))
    parts = [pl.DataFrame(schema=schema | {"rows": pl.Int64})]
    for task in sorted(path.name for path in (folder.path / "rows").glob("*")):
        files = folder.rows_files(task)
        if files:
            rows = pl.scan_parquet(files, glob=False).filter(pl.col("batch").is_not_null())
            counted = rows.group_by("legal_entity", "batch").agg(rows=pl.len().cast(pl.Int64))
            parts.append(
                counted.select(pl.lit(task).alias("task"), *_PLACE[1:], "rows")
                .cast(parts[0].schema)
                .collect()
            )
    return pl.concat(parts)


def count_rows_by_batch(run: RunFolder, task: str) -> dict[Place, int]:
    """Rows of each batch of a task."""
    there = pl.read_parquet(run.batches, glob=False).filter(pl.col("task") == task)
    return {
        (entity, batch): rows
        for entity, batch, rows in there.select("legal_entity", "batch", "rows").iter_rows()
    }
