"""The folder load: packages are written into the run folder, for manual import into SCM."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from pipeline.events import Listener, Step
from pipeline.load.packages.package import Package
from pipeline.run.files import hash_file, replace_file
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Entry, Journal
from schemas.run import BATCHES, OUTCOMES

WRITTEN = "package_written"
"""The journal's line after a package is on disk, with what ``batches.parquet`` says of it."""


def write_packages(
    folder: RunFolder,
    built: Iterable[tuple[str, Package]],
    journal: Journal,
    total: int,
    listener: Listener,
) -> None:
    """Write every package that is not there yet.

    One on disk counts only if the journal knows its hash.

    Args:
        folder: the run.
        built: task and package, in the order of the batches.
        journal: the run's, open.
        total: how many there will be.
        listener: called after each.
    """
    known = {
        entry.payload["file"]: entry.payload["sha256"]
        for entry in journal.entries
        if entry.event == WRITTEN
    }
    for done, (task, package) in enumerate(built, start=1):
        path = folder.packages / task / package.name
        file = path.relative_to(folder.path).as_posix()
        if not path.is_file() or hash_file(path) != known.get(file):
            _write(path, package)
            journal.append(WRITTEN, **_describe(task, package, file))
        listener(Step(name="writing packages", done=done, total=total))


def _write(path: Path, package: Package) -> None:
    replace_file(path, package.content)


def _describe(task: str, package: Package, file: str) -> dict[str, object]:
    entity, _, number = package.name.removesuffix(".zip").rpartition("-")
    return {
        "task": task,
        "legal_entity": entity,
        "batch": int(number),
        "rows": package.rows,
        "file": file,
        "bytes": len(package.content),
        "sha256": package.sha256,
        "definition_group": package.definition_group,
    }


def list_packages(entries: Sequence[Entry]) -> pl.DataFrame:
    """What the journal says of the packages, one row each.

    If a package was written twice, the last time counts.
    """
    written = {entry.payload["file"]: entry for entry in entries if entry.event == WRITTEN}
    rows = [
        {
            **dict.fromkeys(BATCHES.names()),
            **entry.payload,
            "attempt": 1,
            "finished_at": dt.datetime.fromisoformat(entry.at),
            "status": "written",
        }
        for entry in written.values()
    ]
    return pl.DataFrame(rows, schema=BATCHES).sort("task", "legal_entity", "batch")


def read_written(files: Iterable[Path], task: str) -> Iterator[pl.DataFrame]:
    """The outcome of every planned row of a task, in source order.

    ``written``, or ``unchanged`` where nothing was to be sent.
    """
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
