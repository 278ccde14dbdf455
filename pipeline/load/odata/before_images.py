"""What SCM had under the keys that OData updated.

One table per task, put together from what each request kept.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.load.odata.sender import BEFORE
from pipeline.run.files import TableWriter, sha256_of
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal

KEPT: Final = "before_kept"
"""The journal's line when the tables are whole; what requests kept may go then."""


def gather(folder: RunFolder, journal: Journal) -> None:
    """Write ``before/<task>.parquet`` once all requests have ended.

    Called again it does nothing more.
    """
    root = folder.path / BEFORE
    if not root.is_dir():
        return
    parts = {
        path: sorted(path.glob("*.parquet")) for path in sorted(root.iterdir()) if path.is_dir()
    }
    if not any(entry.event == KEPT for entry in journal.entries):
        files = {
            _name(folder, table): sha256_of(table)
            for table in map(_gathered, parts, parts.values())
        }
        journal.append(KEPT, files=files)
    for path in parts:
        shutil.rmtree(path, ignore_errors=True)


def _name(folder: RunFolder, path: Path) -> str:
    return path.relative_to(folder.path).as_posix()


def _gathered(part: Path, files: list[Path]) -> Path:
    table = part.with_suffix(".parquet")
    schema = pl.read_parquet_schema(files[0])
    with TableWriter(table, pl.Schema(schema)) as writer:
        for file in files:
            writer.write(pl.read_parquet(file, glob=False))
    return table
