"""One reader for each form of files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

import pyarrow as pa

from pipeline.errors import SourceError
from pipeline.extract.files.csv_reader import read_csv_file
from pipeline.extract.files.discover import FilePart, Form
from pipeline.extract.files.folder_columns import add_folder_columns
from pipeline.extract.files.json_reader import read_lines, read_pages
from pipeline.extract.files.parquet import read_text_chunks
from pipeline.extract.files.workbook import read_workbook
from pipeline.extract.files.xml_records import read_records
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.records import Chunk, ReadOptions
from pipeline.extract.seen import Seen

__all__ = ["ReadOptions", "Seen", "read_chunks"]


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
