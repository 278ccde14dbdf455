"""Before-images: what SCM had under the keys that OData updated, kept for whoever undoes the run.

Each request keeps its own; once all have ended, there is one table per task.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from pipeline.run.files import TableWriter, hash_file, write_table
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal
from pipeline.run.ledger import Unit
from pipeline.scm.lookup import KEY

GATHERED: Final = "before_kept"
"""The journal's line once the tables are whole; what the requests kept may go then."""

_FOLDER: Final = "before"
_PREFIX: Final = "before:"
"""In front of the names of columns that hold what SCM had."""


def keep_images(folder: RunFolder, unit: Unit, images: pl.DataFrame) -> None:
    """Write down what SCM has under keys that a request is about to update.

    Args:
        folder: the run.
        unit: the request.
        images: destination_key, and the destination columns as text.
    """
    if not images.is_empty():
        write_table(folder.path / _FOLDER / unit.task / f"{unit.name}.parquet", images)


def add_images(folder: RunFolder, task: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Planned rows of an undo, and next to each one that is restored what SCM had before.

    Null for rows that are deleted.
    """
    path = folder.path / _FOLDER / f"{task}.parquet"
    if not path.is_file():
        return rows
    mine = pl.col(KEY).is_in(rows[KEY].to_list())
    images = pl.scan_parquet(path, glob=False).filter(mine).collect()
    named = images.rename({name: f"{_PREFIX}{name}" for name in images.columns if name != KEY})
    return rows.join(named, on=KEY, how="left", maintain_order="left")


def read_images(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The images that ``add_images`` put next to rows: destination_key and these columns."""
    return rows.select(KEY, *(pl.col(f"{_PREFIX}{name}").alias(name) for name in columns))


def pick_image(row: Mapping[str, Any], columns: Iterable[str]) -> dict[str, str | None]:
    """The image next to one row: column → text."""
    return {name: row[f"{_PREFIX}{name}"] for name in columns}


def gather_images(folder: RunFolder, journal: Journal) -> None:
    """Write ``before/<task>.parquet`` once all requests have ended.

    Called again it does nothing more.
    """
    root = folder.path / _FOLDER
    if not root.is_dir():
        return
    parts = {
        path: sorted(path.glob("*.parquet")) for path in sorted(root.iterdir()) if path.is_dir()
    }
    if not any(entry.event == GATHERED for entry in journal.entries):
        tables = [_gather(part, files) for part, files in parts.items()]
        files = {path.relative_to(folder.path).as_posix(): hash_file(path) for path in tables}
        journal.append(GATHERED, files=files)
    for path in parts:
        shutil.rmtree(path, ignore_errors=True)


def _gather(part: Path, files: list[Path]) -> Path:
    table = part.with_suffix(".parquet")
    schema = pl.read_parquet_schema(files[0])
    with TableWriter(table, pl.Schema(schema)) as writer:
        for file in files:
            writer.write(pl.read_parquet(file, glob=False))
    return table
