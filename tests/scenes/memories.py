"""What a destination remembers, written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pipeline.run.memory import LOADED


def remember(path: Path, keys: Sequence[str], run: str = "20260101T000000Z-0000") -> None:
    """Write the memory of a task: these keys, loaded by a run, with a content that equals none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "legal_entity": key.partition("/")[0],
            "destination_key": key,
            "row_hash": "0",
            "run": run,
            "batch": 1,
        }
        for key in keys
    ]
    pl.DataFrame(rows, schema=LOADED).write_parquet(path)
