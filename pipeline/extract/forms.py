"""One reader for each form of files; files beside the source are read whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import assert_never

import polars as pl
import pyarrow as pa

from pipeline.errors import SourceError
from pipeline.extract.files.csv_reader import read_csv_file
from pipeline.extract.files.discover import FilePart, Form, find_form
from pipeline.extract.files.folder_columns import add_folder_columns
from pipeline.extract.files.json_reader import read_lines, read_pages
from pipeline.extract.files.parquet import read_text_chunks
from pipeline.extract.files.workbook import read_workbook
from pipeline.extract.files.xml_records import read_records
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.records import Chunk, ReadOptions, UnreadableRow
from pipeline.extract.seen import Seen
from schemas.catalogue import Table

__all__ = ["ReadOptions", "Seen", "land_file", "land_part", "read_chunks"]


def land_file(
    path: Path, table: Table, options: ReadOptions
) -> tuple[pl.DataFrame, list[UnreadableRow]]:
    """Read one side file of any form whole, as text.

    Raises:
        SourceError: it cannot be read as a whole.
    """
    return land_part(FilePart(path=path, name=path.name), find_form(path), table, options)


def land_part(
    part: FilePart, form: Form, table: Table, options: ReadOptions
) -> tuple[pl.DataFrame, list[UnreadableRow]]:
    """Read one file whole, as text, though it may lie in a zip.

    Raises:
        SourceError: it cannot be read as a whole.
    """
    selection = ColumnSelection(table=table)
    if form is Form.PARQUET:
        chunks = list(read_text_chunks(part, selection))
    else:
        seen = Seen.of(selection)
        chunks = list(seen.watch(read_chunks(part, form, selection, options)))
        seen.check(form, selection, part.name)
    frame = pl.from_arrow(
        pa.concat_tables([chunk.table for chunk in chunks], promote_options="default")
    )
    if not isinstance(frame, pl.DataFrame):
        raise TypeError(type(frame))
    return frame, [row for chunk in chunks for row in chunk.unreadable]


def read_chunks(
    part: FilePart, form: Form, selection: ColumnSelection, options: ReadOptions
) -> Iterator[Chunk]:
    """The rows of one file as text, with what its folders say of them.

    Raises:
        SourceError: it cannot be read as a whole.
    """
    chunks = map(_drop_blank, _read_form(part, form, selection, options))
    return add_folder_columns(chunks, part.name, selection)


def _drop_blank(chunk: Chunk) -> Chunk:
    """Leave out rows that have no value at all."""
    if not chunk.blank:
        return chunk
    lines = chunk.table["source_line"].to_pylist()
    kept = pa.array([line not in chunk.blank for line in lines])
    return replace(chunk, table=chunk.table.filter(kept))


def _read_form(
    part: FilePart, form: Form, selection: ColumnSelection, options: ReadOptions
) -> Iterator[Chunk]:
    match form:
        case Form.DELIMITED:
            return read_csv_file(
                part.content,
                part.name,
                selection,
                options,
                header=part.header,
                delimiter=part.delimiter,
            )
        case Form.PAGES:
            return read_pages(part.content, part.name, selection, options)
        case Form.LINES:
            return read_lines(part.content, part.name, selection, options)
        case Form.WORKBOOK:
            return read_workbook(part.path, part.name, selection, options)
        case Form.RECORDS:
            return read_records(part.content, part.name, selection, options)
        case Form.PARQUET:
            return read_text_chunks(part, selection)
        case Form.DELTA:
            raise SourceError("is a Delta table, not a file.", where=part.name)
        case _:
            assert_never(form)
