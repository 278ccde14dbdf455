"""Columns whose values are in names of folders, as in ``contact/statecode=0/part-0.parquet``.

Spark, Hive and services built on them write such a column there and leave it out of the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import unquote

import pyarrow as pa

from pipeline.extract.headers import ColumnSelection
from pipeline.extract.records import Chunk

_NULL: Final = "__HIVE_DEFAULT_PARTITION__"


def find_folder_columns(name: str, headers: Collection[str]) -> dict[str, str | None]:
    """Column → value, by the folders of a file; null where its rows have none.

    Args:
        name: the file's, with its folders.
        headers: the columns of the file itself, which count first.
    """
    own = {header.casefold() for header in headers}
    steps = [step.partition("=") for step in name.split("/")[:-1] if "=" in step]
    return {
        unquote(column): None if value == _NULL else unquote(value)
        for column, _, value in steps
        if unquote(column).casefold() not in own
    }


def add_folder_columns(
    chunks: Iterator[Chunk], name: str, selection: ColumnSelection
) -> Iterator[Chunk]:
    """Chunks of a text file, with the wanted columns that its folders have."""
    found = find_folder_columns(name, ())
    wanted = selection.match(list(found), name)
    for chunk in chunks:
        rows = chunk.table
        for column, (header, *_) in wanted.items():
            if column not in rows.column_names:
                value = pa.scalar(found[header] or None, pa.string())
                rows = rows.append_column(column, pa.repeat(value, len(rows)))
        yield chunk if rows is chunk.table else replace(chunk, table=rows)
