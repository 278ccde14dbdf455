"""Parquet files of this machine, and of a store, of which only the needed bytes are fetched."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.wire.store.reader import PieceReader
from pipeline.wire.store.remote import RemoteFile

_LARGEST: Final = 256 << 20
"""Bytes of a row group that are fetched ahead; of a larger one, column by column."""


def open_footer(path: Path) -> tuple[pa.Schema, pq.FileMetaData]:
    """The file's columns, and what its footer says of its rows."""
    with _open(path.open_pieces() if isinstance(path, RemoteFile) else path) as file:
        return file.schema_arrow, file.metadata


def _open(source: Path | PieceReader) -> pq.ParquetFile:
    """The file; dates of Spark's old form in a unit that holds every year.

    Of a file in a store, Arrow must not ask for other pieces than those that were fetched ahead.
    """
    return pq.ParquetFile(
        source, coerce_int96_timestamp_unit="us", pre_buffer=isinstance(source, Path)
    )


def read_parquet_batches(
    path: Path, rows: int, columns: Collection[str], ahead: int = _LARGEST
) -> Iterator[pa.RecordBatch]:
    """All rows of the file, at most ``rows`` at once.

    Of a file in a store, a row group is fetched while the one before it is read, if it has at most
    ``ahead`` bytes.
    """
    if not isinstance(path, RemoteFile):
        yield from _open(path).iter_batches(rows, columns=list(columns), use_threads=False)
        return
    with path.open_pieces() as pieces:
        file = _open(pieces)
        spans = [
            _list_spans(file.metadata.row_group(number), columns)
            for number in range(file.num_row_groups)
        ]
        _fetch_ahead(pieces, spans[:1], ahead)
        for number, needed in enumerate(spans):
            _fetch_ahead(pieces, spans[number + 1 : number + 2], ahead)
            yield from file.iter_batches(rows, row_groups=[number], columns=list(columns))
            pieces.forget_before(max((end for _, end in needed), default=0) + 1)


def _list_spans(group: pq.RowGroupMetaData, columns: Collection[str]) -> list[tuple[int, int]]:
    """Where the needed columns of a row group begin and end."""
    found = []
    for place in range(group.num_columns):
        column = group.column(place)
        if column.path_in_schema in columns:
            begins = [column.data_page_offset]
            if column.has_dictionary_page and column.dictionary_page_offset:
                begins.append(column.dictionary_page_offset)
            found.append((min(begins), min(begins) + column.total_compressed_size))
    return found


def _fetch_ahead(pieces: PieceReader, groups: list[list[tuple[int, int]]], largest: int) -> None:
    for spans in groups:
        if sum(end - start for start, end in spans) <= largest:
            pieces.fetch_ahead(spans)
