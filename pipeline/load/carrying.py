"""The memory of destinations as one file: to back it up, or to take it to another machine.

The file is a ZIP archive of the memory's tables and a manifest with their rows and hashes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import socket
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, Final, Literal

import polars as pl
from pydantic import BaseModel, Field, ValidationError

from pipeline import __version__
from pipeline.errors import SourceError, UsageError, during, list_problems, reading
from pipeline.load import remember
from pipeline.run import memory
from pipeline.run.files import LOCK, locked, replacing, try_lock, write_json
from pipeline.run.folder import MEMORIES
from pipeline.run.private import make_folder
from pipeline.run.unfinished import refuse_unfinished_load

_MANIFEST: Final = "manifest.json"
_LONGEST_MANIFEST: Final = 10_000_000
_CHUNK: Final = 1 << 20
_BUSY: Final = "another process is loading into this destination; try again when it is done."
_IMPORTING: Final = ".import-"
_OTHER: Final = "is not a file that `p2c memory export` wrote"


class CarriedTable(BaseModel):
    """The memory of one task at one destination, as the manifest describes it."""

    destination: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$")]
    task: Annotated[str, Field(pattern="^[A-Za-z0-9]+$")]
    rows: Annotated[int, Field(ge=0)]
    newest_run: str | None
    bytes: Annotated[int, Field(ge=0)]
    sha256: str

    @property
    def name(self) -> str:
        """Its name within the file."""
        return f"{self.destination}/{self.task}.parquet"


class CarriedManifest(BaseModel):
    """What the file has."""

    kind: Literal["p2c memory"] = "p2c memory"
    format: Literal[1] = 1
    p2c: str
    made_at: str
    host: str
    tables: list[CarriedTable]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Unpacked:
    """A table of the file, on disk and checked."""

    table: CarriedTable
    path: Path


def export_memory(runs: Path, to: Path, now: datetime) -> list[CarriedTable]:
    """Write the memory of all destinations into one file.

    Returns what is in it.

    Raises:
        UsageError: nothing is remembered yet.
        Stopped: a load is going on, or the disk failed.
    """
    folders = sorted(
        path
        for path in (runs / MEMORIES).glob("*")
        if not path.name.startswith(".") and any(path.glob("*.parquet"))
    )
    if not folders:
        raise UsageError(
            f"there is nothing to export: no run in {runs} loaded into a live SCM, so nothing is "
            "remembered yet."
        )
    with contextlib.ExitStack() as stack:
        for folder in folders:
            stack.enter_context(locked(folder, _BUSY))
            _mend(runs, folder.name)
        paths = [path for one in folders for path in memory.list_memories(runs, one.name)]
        memory.refuse_unreadable(paths, whole=True)
        memory.refuse_rewritten(paths)
        tables = [_describe(path) for path in paths]
        manifest = CarriedManifest(
            p2c=__version__, made_at=now.isoformat(), host=socket.gethostname(), tables=tables
        )
        with replacing(to) as partial, zipfile.ZipFile(partial, "w") as archive:
            archive.writestr(_MANIFEST, manifest.model_dump_json(indent=2))
            for table, path in zip(tables, paths, strict=True):
                archive.write(path, table.name)
    return tables


def _mend(runs: Path, destination: str) -> None:
    """Rebuild a memory that a killed load left behind; the caller holds its folder."""
    if remember.is_memory_behind(runs, destination):
        remember.rebuild_memory(runs, destination)


def _describe(path: Path) -> CarriedTable:
    rows, newest = (
        pl.scan_parquet(path, glob=False)
        .select(pl.len().alias("rows"), pl.col("run").max())
        .collect(engine="streaming")
        .row(0)
    )
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return CarriedTable(
        destination=path.parent.name,
        task=path.stem,
        rows=rows,
        newest_run=newest,
        bytes=path.stat().st_size,
        sha256=sha256,
    )


def import_memory(runs: Path, file: Path, now: datetime, *, replace: bool) -> list[CarriedTable]:
    """Put the memory of a file in place, all of it or nothing.

    Args:
        runs: the folder of runs.
        file: what ``export_memory`` wrote.
        now: the time, for a rebuild of the memory after it.
        replace: take it also where the memory here knows more.

    Returns:
        What was taken.

    Raises:
        SourceError: the file is cut, altered, or something else.
        UsageError: the memory here has keys that the file lacks or has from an older run.
        PlanRefused: a load into one of the destinations has not ended.
        Stopped: a load is going on, or the disk failed.
    """
    with contextlib.ExitStack() as stack:
        found = list(_unpack(file, stack.enter_context(_open_scratch(runs / MEMORIES))))
        for name in sorted({one.table.destination for one in found}):
            refuse_unfinished_load(runs, name)
            stack.enter_context(locked(memory.find_memory_folder(runs, name), _BUSY))
            stack.enter_context(memory.blaming_memory(runs, name))
            _mend(runs, name)
        newer = [] if replace else [text for one in found for text in _find_newer(runs, one)]
        if newer:
            raise UsageError(
                f"{list_problems(newer)}\nNothing was imported. --replace takes the file all the "
                "same; export the memory first, so that nothing is lost.",
                where=file.name,
            )
        ordered = sorted(found, key=lambda one: one.table.name)
        for name, group in groupby(ordered, key=lambda one: one.table.destination):
            _put_in_place(runs, name, list(group), now)
    return [one.table for one in ordered]


@contextlib.contextmanager
def _open_scratch(memories: Path) -> Iterator[Path]:
    """A folder for what is unpacked; those that killed imports left are removed."""
    with contextlib.ExitStack() as stack:
        with during("importing the memory"):
            make_folder(memories)
            for left in memories.glob(f"{_IMPORTING}*"):
                with try_lock(left / LOCK) as is_free:
                    if is_free:
                        shutil.rmtree(left, ignore_errors=True)
            scratch = tempfile.TemporaryDirectory(prefix=_IMPORTING, dir=memories)
        path = Path(stack.enter_context(scratch))
        stack.enter_context(locked(path, _BUSY))
        yield path


def _unpack(file: Path, into: Path) -> Iterator[_Unpacked]:
    with reading(str(file)), contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(file))
            info = archive.getinfo(_MANIFEST)
            if info.file_size > _LONGEST_MANIFEST:
                raise SourceError(f"{_OTHER}: its manifest is too long.", where=str(file))
            manifest = CarriedManifest.model_validate(json.loads(archive.read(info)))
        except (zipfile.BadZipFile, KeyError, ValueError, RecursionError, EOFError) as error:
            what = "its manifest is wrong" if isinstance(error, ValidationError) else "no manifest"
            raise SourceError(f"{_OTHER}, or it was cut: {what}.", where=str(file)) from error
        names = [one.name for one in manifest.tables]
        if len(set(names)) < len(names):
            raise SourceError(f"{_OTHER}: it names a table twice.", where=str(file))
        for number, table in enumerate(manifest.tables):
            path = into / f"{number}.parquet"
            try:
                _copy_table(archive, table, path)
            except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
                sentence = f"{table.name} in it was cut or altered. Export it again."
                raise SourceError(sentence, where=str(file)) from error
            yield _Unpacked(table=table, path=path)


def _copy_table(archive: zipfile.ZipFile, table: CarriedTable, path: Path) -> None:
    """Unpack a table. Raises ``ValueError`` if it is not the one that the manifest describes."""
    digest, size = hashlib.sha256(), 0
    with archive.open(table.name) as packed, path.open("wb") as file:
        while chunk := packed.read(_CHUNK):
            size += len(chunk)
            if size > table.bytes:
                raise ValueError(table.name)
            digest.update(chunk)
            file.write(chunk)
    try:
        schema = pl.read_parquet_schema(path)
    except pl.exceptions.PolarsError as error:
        raise ValueError(table.name) from error
    if digest.hexdigest() != table.sha256 or dict(schema) != dict(memory.LOADED):
        raise ValueError(table.name)


def _find_newer(runs: Path, one: _Unpacked) -> Iterator[str]:
    """What the memory here knows better than the file, in a sentence."""
    path = memory.find_memory(runs, one.table.destination, one.table.task)
    if not path.is_file():
        return
    here, there = (
        pl.scan_parquet(each, glob=False).select(memory.fold_key(), "run")
        for each in (path, one.path)
    )
    newer = pl.col("run_right").is_null() | (pl.col("run_right") < pl.col("run"))
    counted = (
        here.join(there, on="destination_key", how="left")
        .filter(newer)
        .select(pl.len(), pl.col("run").max())
        .collect(engine="streaming")
    )
    rows, newest = counted.row(0)
    if rows:
        keys = "key" if rows == 1 else "keys"
        yield (
            f"the memory of {one.table.destination} here has {rows:,} {keys} of {one.table.task} "
            f"that the file lacks or has from an older run; the newest is of {newest}."
        )


def _put_in_place(runs: Path, name: str, tables: Sequence[_Unpacked], now: datetime) -> None:
    """Replace the memory of a destination; a copy is kept for when it is rebuilt from runs."""
    imported = memory.find_imported(runs, name)
    for one in tables:
        with replacing(imported / f"{one.table.task}.parquet") as partial:
            shutil.copyfile(one.path, partial)
        with memory.replacing_memory(memory.find_memory(runs, name, one.table.task)) as partial:
            shutil.copyfile(one.path, partial)
    stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    write_json(imported / memory.IMPORTED_AT, {"at": stamp})
