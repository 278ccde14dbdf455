"""The folder load: packages are written into the run folder, for manual import into SCM."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from pipeline.engine.protocol import Engine
from pipeline.errors import during
from pipeline.events import Listener, Step
from pipeline.load.packages.package import Package
from pipeline.load.packages.parts import BuiltPackage, PackageKit, PackageWork
from pipeline.run.files import DISK, hash_file, replace_file
from pipeline.run.folder import RunFolder
from pipeline.run.handed import name_attempt, open_parts
from pipeline.run.journal import Entry, Journal
from pipeline.run.private import make_folder
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
    known = _list_known(journal)
    for done, (task, package) in enumerate(built, start=1):
        path = folder.packages / task / package.name
        if not _is_written(folder, path, known):
            replace_file(path, package.content)
            _record(folder, path, package, len(package.content), journal)
        listener(Step(name="writing packages", done=done, total=total))


def write_packages_by_parts(
    folder: RunFolder, kit: PackageKit, engine: Engine, journal: Journal, listener: Listener
) -> None:
    """Let an engine build every package that is not there yet; see ``write_packages``.

    Each is recorded when it is in its place, in the order of the batches.
    """
    known = _list_known(journal)
    paths = [folder.packages / one.task / one.package_file for one in kit.batches]
    missing = [place for place, path in enumerate(paths) if not _is_written(folder, path, known)]
    steps = count(start=1 + len(paths) - len(missing))
    with open_parts(folder.parts) as parts:
        work = PackageWork(kit=kit.write(name_attempt(parts, "packages", 0, "json")))
        for place, built in zip(missing, engine.map(work, missing), strict=True):
            path = paths[place]
            with during("writing packages"):
                make_folder(path.parent)
                DISK.replace(parts / built.file, path)
            _record(folder, path, built, built.bytes, journal)
            listener(Step(name="writing packages", done=next(steps), total=len(paths)))


def _list_known(journal: Journal) -> dict[str, str]:
    """File → SHA-256 of the packages that were written."""
    return {
        entry.payload["file"]: entry.payload["sha256"]
        for entry in journal.entries
        if entry.event == WRITTEN
    }


def _is_written(folder: RunFolder, path: Path, known: Mapping[str, str]) -> bool:
    file = path.relative_to(folder.path).as_posix()
    return path.is_file() and hash_file(path) == known.get(file)


def _record(
    folder: RunFolder, path: Path, package: Package | BuiltPackage, size: int, journal: Journal
) -> None:
    entity, _, number = path.stem.rpartition("-")
    journal.append(
        WRITTEN,
        task=path.parent.name,
        legal_entity=entity,
        batch=int(number),
        rows=package.rows,
        file=path.relative_to(folder.path).as_posix(),
        bytes=size,
        sha256=package.sha256,
        definition_group=package.definition_group,
    )


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
