"""What earlier runs sent of a task, as their planned rows still have it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.run.folder import RunFolder
from pipeline.run.memory import LOADED, find_memory
from sql.session import Session

_NO_ROWS: Final = pl.Schema(
    {"contactid": pl.String(), "destination_key": pl.String(), "filename": pl.String()}
)


def name_task_memory(session: Session, runs: Path, destination: str, task: str) -> bool:
    """Make what a destination has of a task known as ``memory``; whether anything is known."""
    path = find_memory(runs, destination, task)
    session.parquet("memory", path, schema=LOADED)
    return path.is_file()


def name_earlier_rows(session: Session, runs: Path, task: str, names: Iterable[str]) -> bool:
    """Make the planned rows of earlier runs known as ``earlier_rows``, each with its file.

    Columns are matched by name. Rows that were purged are not there.

    Args:
        session: where to do it.
        runs: the folder of all runs.
        task: whose rows.
        names: the runs.

    Returns:
        Whether any rows are there.
    """
    files = [path for name in names for path in RunFolder(runs / name).rows_files(task)]
    if files:
        session.parquet("earlier_rows", files, by_name=True, places=True)
    else:
        session.register("earlier_rows", _NO_ROWS.to_frame())
    return bool(files)
