"""Files beside the source: small ones are read whole, exports of SCM as large as they may be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipeline.errors import during
from pipeline.extract.files.discover import FilePart, Form, find_form
from pipeline.extract.files.parquet import read_text_chunks
from pipeline.extract.forms import Seen, read_chunks
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.records import Chunk, ReadOptions, UnreadableRow
from pipeline.extract.writing import LandedFile
from schemas.catalogue import Table

__all__ = ["ReadOptions", "land_aside", "land_file"]


def land_file(
    path: Path, table: Table, options: ReadOptions
) -> tuple[pl.DataFrame, list[UnreadableRow]]:
    """Read one small side file of any form whole, as text.

    Raises:
        SourceError: it cannot be read as a whole.
    """
    part, selection = FilePart(path=path, name=path.name), ColumnSelection(table=table)
    seen = Seen.of(selection)
    chunks = list(_watch_part(part, find_form(path), selection, options, seen))
    frame = pl.from_arrow(
        pa.concat_tables([chunk.table for chunk in chunks], promote_options="default")
    )
    if not isinstance(frame, pl.DataFrame):
        raise TypeError(type(frame))
    return frame, seen.unreadable


def land_aside(
    part: FilePart, form: Form, table: Table, options: ReadOptions, landed: Path
) -> tuple[pl.LazyFrame, list[UnreadableRow]]:
    """Land one file of any form, though it may lie in a zip, as text in a file of its own.

    Args:
        part: the file.
        form: how it is written.
        table: its table.
        options: limits.
        landed: the Parquet file that is written.

    Returns:
        The columns that the file has, and ``source_line``; and the rows that cannot be read.

    Raises:
        SourceError: it cannot be read as a whole.
        Stopped: the disk failed, or is full.
    """
    selection = ColumnSelection(table=table)
    seen = Seen.of(selection)
    columns = pa.schema([(name, pa.string()) for name in selection.names])
    with during(f"landing {part.name}"), LandedFile(landed, columns) as file:
        for chunk in _watch_part(part, form, selection, options, seen):
            file.add(chunk.table, part.name)
    rows = pl.scan_parquet(landed, glob=False).select(*seen.columns, "source_line")
    return rows, seen.unreadable


def _watch_part(
    part: FilePart, form: Form, selection: ColumnSelection, options: ReadOptions, seen: Seen
) -> Iterator[Chunk]:
    if form is Form.PARQUET:
        yield from seen.watch(read_text_chunks(part, selection))
        return
    yield from seen.watch(read_chunks(part, form, selection, options))
    seen.check(form, selection, part.name)
