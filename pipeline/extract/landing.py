"""Anything the user has becomes landed tables: Parquet with declared columns, file and line of every row.

Text sources (CSV, JSON) are landed as text, exactly as written; reading types is the next step's part, so nothing is guessed
per batch. Parquet sources are read where they lie.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import SourceError, during
from pipeline.extract import discover, synapse
from pipeline.extract.delimited import read_delimited
from pipeline.extract.discover import Form, Part
from pipeline.extract.headers import picked
from pipeline.extract.jsonrows import read_lines, read_pages
from pipeline.extract.records import Chunk, Pick, ReadOptions, UnreadableRow
from schemas.catalogue import Table
from schemas.sales import TABLES

__all__ = ["Landed", "ReadOptions", "SourceFile", "UnreadableRow", "land", "land_file"]

Progress = Callable[[str, int], None]

_COMPRESSION: Final = "zstd"


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """One file of the user's: where it is, what findings call it, its readable rows and its bytes."""

    path: Path
    name: str
    rows: int
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Landed:
    """One landed table.

    ``files`` are Parquet: one file of ours, or the user's own when ``in_place``; ``columns`` names their columns by
    canonical name; ``rows`` are the readable ones.
    """

    table: str
    in_place: bool
    files: tuple[Path, ...]
    columns: Mapping[str, str]
    rows: int
    sources: tuple[SourceFile, ...]
    unreadable: tuple[UnreadableRow, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    """Columns beyond the catalogue: those that must be there, those that are taken if they are."""

    extra: Collection[str] = ()
    wished: Collection[str] = ()


def land(
    folder: Path,
    into: Path,
    *,
    tables: Collection[str],
    extra: Mapping[str, Collection[str]],
    wished: Mapping[str, Collection[str]],
    options: ReadOptions,
    progress: Progress,
) -> dict[str, Landed]:
    """Land tables of a folder of exports or of a Synapse Link folder.

    Args:
        folder: the user's folder.
        into: where text sources are landed as ``<table>.parquet``.
        tables: names of ``schemas.sales.TABLES``; those that the folder does not have are left out of the answer.
        extra: table → further columns that must be there.
        wished: table → further columns that are taken if they are there.
        options: limits.
        progress: told table and rows while reading.

    Raises:
        SourceError: contacts are missing, or a table cannot be read as a whole.
    """
    linked = (folder / synapse.MODEL).is_file()
    found: dict[str, Landed] = {}
    for name in tables:
        table = TABLES[name]
        wanted = _Wanted(extra=extra.get(name, ()), wished=wished.get(name, ()))
        landed = (
            _land_synapse(folder, into, table, wanted, options, progress)
            if linked
            else _land_files(folder, into, table, wanted, options, progress)
        )
        if landed is not None:
            found[name] = landed
        elif name == "contacts":
            raise discover.missing(folder, table)
    return found


def _land_files(
    folder: Path, into: Path, table: Table, wanted: _Wanted, options: ReadOptions, progress: Progress
) -> Landed | None:
    stored = discover.find(folder, table)
    if stored is None:
        return None
    if stored.form is Form.PARQUET:
        return _in_place(stored.parts, table, wanted)
    return _written(stored.parts, into, table, progress, lambda part: _chunks(part, stored.form, table, wanted, options))


def _land_synapse(
    folder: Path, into: Path, table: Table, wanted: _Wanted, options: ReadOptions, progress: Progress
) -> Landed | None:
    described = synapse.find(folder, table)
    if described is None:
        return None
    pick = _pick(table, synapse.MODEL, wanted)
    return _written(
        described.parts, into, table, progress,
        lambda part: read_delimited(part.path, part.name, pick, options, header=described.header),
    )  # fmt: skip


def _pick(table: Table, file: str, wanted: _Wanted) -> Pick:
    return lambda headers: picked(table, headers, file, extra=wanted.extra, wished=wanted.wished)


def _chunks(part: Part, form: Form, table: Table, wanted: _Wanted, options: ReadOptions) -> Iterator[Chunk]:
    pick = _pick(table, part.name, wanted)
    match form:
        case Form.DELIMITED:
            return read_delimited(part.path, part.name, pick, options)
        case Form.PAGES:
            return read_pages(part.path, part.name, pick, options)
        case Form.LINES:
            return read_lines(part.path, part.name, pick, options)
        case Form.PARQUET:
            return _parquet_chunks(part, pick)


def _written(
    parts: tuple[Part, ...], into: Path, table: Table, progress: Progress, chunks: Callable[[Part], Iterator[Chunk]]
) -> Landed:
    """Write all parts to one file. Its columns are those of the first part that has rows; later parts may lack optional ones."""
    path = into / f"{table.name}.parquet"
    partial = path.with_name(f".{path.name}.partial")
    sources: list[SourceFile] = []
    unreadable: list[UnreadableRow] = []
    writer: pq.ParquetWriter | None = None
    done = 0
    with during(f"landing {table.name}"):
        into.mkdir(parents=True, exist_ok=True)
        names = _all_columns(table)
        schema = pa.schema([*((name, pa.string()) for name in names), ("source_file", pa.string()), ("source_line", pa.int64())])
        seen: dict[str, None] = {}
        try:
            for part in parts:
                rows = 0
                for chunk in chunks(part):
                    unreadable += chunk.unreadable
                    new = [name for name in chunk.table.column_names if name != "source_line"]
                    if writer is None and new:
                        schema = _schema([*names, *(name for name in new if name not in names)])
                        writer = pq.ParquetWriter(partial, schema, compression=_COMPRESSION, compression_level=1)
                    seen |= dict.fromkeys(new)
                    if writer is not None and chunk.table.num_rows:
                        writer.write_table(_filled(chunk.table, schema, part.name))
                    rows += chunk.table.num_rows
                    done += chunk.table.num_rows
                    progress(table.name, done)
                sources.append(SourceFile(path=part.path, name=part.name, rows=rows, bytes=part.path.stat().st_size))
            if writer is None:
                writer = pq.ParquetWriter(partial, schema, compression=_COMPRESSION, compression_level=1)
            writer.close()
            partial.replace(path)
        except BaseException:
            _abandon(writer, partial)
            raise
    return Landed(
        table=table.name,
        in_place=False,
        files=(path,),
        columns={name: name for name in seen} if seen else {name: name for name in names},
        rows=done,
        sources=tuple(sources),
        unreadable=tuple(unreadable),
    )


def _all_columns(table: Table) -> list[str]:
    return [field.name for field in table.fields]


def _schema(names: list[str]) -> pa.Schema:
    text = [(name, pa.string()) for name in names]
    return pa.schema([*text, ("source_file", pa.string()), ("source_line", pa.int64())])


def _filled(chunk: pa.Table, schema: pa.Schema, name: str) -> pa.Table:
    """The chunk in the landed file's columns; what this part lacks is null."""
    rows = chunk.num_rows
    there = set(chunk.column_names)
    columns = []
    for field in schema:
        if field.name == "source_file":
            columns.append(pa.array([name], pa.string()).take(pa.nulls(rows, pa.int64()).fill_null(0)))
        elif field.name in there:
            columns.append(chunk[field.name])
        else:
            columns.append(pa.nulls(rows, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _abandon(writer: pq.ParquetWriter | None, partial: Path) -> None:
    if writer is not None:
        with contextlib.suppress(OSError, pa.ArrowException):
            writer.close()
    partial.unlink(missing_ok=True)


def _in_place(parts: tuple[Part, ...], table: Table, wanted: _Wanted) -> Landed:
    """The user's Parquet files as they are. All parts must spell their columns alike."""
    columns: dict[str, str] | None = None
    sources = []
    for part in parts:
        file = _opened(part)
        schema = file.schema_arrow
        mine = picked(table, schema.names, part.name, extra=wanted.extra, wished=wanted.wished)
        for name, physical in mine.items():
            if pa.types.is_nested(schema.field(physical).type):
                raise SourceError(f"the column '{physical}' ({name}) holds lists or records, not values.", where=part.name)
        if columns is not None and mine != columns:
            odd = sorted(set(mine.items()) ^ set(columns.items()))
            raise SourceError(f"has other columns than {parts[0].name}: {odd[0][1]}.", where=part.name)
        columns = mine
        sources.append(SourceFile(path=part.path, name=part.name, rows=file.metadata.num_rows, bytes=part.path.stat().st_size))
    return Landed(
        table=table.name,
        in_place=True,
        files=tuple(part.path for part in parts),
        columns=columns or {},
        rows=sum(one.rows for one in sources),
        sources=tuple(sources),
    )


def _opened(part: Part) -> pq.ParquetFile:
    with during(f"reading {part.name}"):
        try:
            return pq.ParquetFile(part.path)
        except pa.ArrowException as error:
            raise SourceError("is no whole Parquet file.", where=part.name) from error


def _parquet_chunks(part: Part, pick: Pick) -> Iterator[Chunk]:
    """A Parquet file as text chunks, for side files that are small."""
    file = _opened(part)
    columns = pick(file.schema_arrow.names)
    table = file.read(columns=list(columns.values())).rename_columns(list(columns))
    text = pa.table({name: table[name].cast(pa.string()) for name in columns})
    lines = pa.array(range(1, text.num_rows + 1), pa.int64())
    yield Chunk(table=text.append_column("source_line", lines), unreadable=())


def land_file(path: Path, table: Table, options: ReadOptions) -> tuple[pl.DataFrame, list[UnreadableRow]]:
    """Read one side file of any form whole, as text."""
    part = Part(path=path, name=path.name)
    chunks = list(_chunks(part, discover.form_of(path), table, _Wanted(), options))
    frame = pl.from_arrow(pa.concat_tables([chunk.table for chunk in chunks]))
    if not isinstance(frame, pl.DataFrame):
        raise TypeError(type(frame))
    return frame, [row for chunk in chunks for row in chunk.unreadable]
