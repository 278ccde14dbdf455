"""One reader for each form of files; files beside the source are read whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

import polars as pl
import pyarrow as pa

from pipeline.errors import SourceError
from pipeline.extract.files.csv_reader import read_csv_file
from pipeline.extract.files.discover import FilePart, Form, find_form
from pipeline.extract.files.json_reader import read_lines, read_pages
from pipeline.extract.files.parquet import read_text_chunks
from pipeline.extract.files.workbook import read_workbook
from pipeline.extract.files.xml_records import read_records
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.marks import UnknownMarks
from pipeline.extract.pages import SavedPage, refuse_missing_pages
from pipeline.extract.records import Chunk, ReadOptions, UnreadableRow
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
        seen = Seen(marks=UnknownMarks(selection))
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
    """The rows of one file as text.

    Raises:
        SourceError: it cannot be read as a whole.
    """
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


@dataclass(kw_only=True, slots=True)
class Seen:
    """What became known while the parts of a table were read.

    ``rows`` are the readable ones; ``columns`` the canonical ones, ``headers`` all others.
    """

    rows: int = 0
    columns: dict[str, None] = field(default_factory=dict)
    headers: dict[str, None] = field(default_factory=dict)
    unreadable: list[UnreadableRow] = field(default_factory=list)
    pages: list[SavedPage] = field(default_factory=list)
    marks: UnknownMarks

    def watch(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The chunks of one part, looked at."""
        for chunk in chunks:
            self.rows += chunk.table.num_rows
            self.columns |= dict.fromkeys(self.marks.count(chunk.table))
            self.headers |= dict.fromkeys(chunk.headers)
            self.unreadable += chunk.unreadable
            self.pages += [chunk.page] if chunk.page is not None else []
            yield chunk

    def check(self, form: Form, selection: ColumnSelection, where: str) -> None:
        """What can be said of JSON and XML only when all of it was read.

        Raises:
            SourceError: a needed column is in no row, or a page is missing.
        """
        if form not in {Form.PAGES, Form.LINES, Form.RECORDS}:
            return
        if self.rows:
            selection.check(self.columns, self.headers, where)
        refuse_missing_pages(self.pages, where)
