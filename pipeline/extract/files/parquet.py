"""Parquet sources: read where they lie if DuckDB can read them as one table, else copied into one file with their types."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import SourceError, reading
from pipeline.extract.files.discover import Part
from pipeline.extract.headers import Wanted
from pipeline.extract.records import Chunk

_BATCH: Final = 65_536
_RESERVED: Final = {"filename", "file_row_number"}
"""Columns that DuckDB adds while it reads where the file lies; a file may not have them itself."""
_PATTERNS: Final = re.compile(r"[*?\[=]")
"""Signs that DuckDB takes for more than a path: a pattern that other files match too, or the value
of a column."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParquetPart:
    """One file: its rows, its schema, and canonical column → the column as it is called there."""

    part: Part
    rows: int
    schema: pa.Schema
    columns: Mapping[str, str]

    @property
    def typed(self) -> pa.Schema:
        """The canonical columns with their types, in their simplest form."""
        return pa.schema(
            [
                (name, _simple(self.schema.field(header).type))
                for name, header in self.columns.items()
            ]
        )

    def chunks(self, columns: pa.Schema) -> Iterator[pa.Table]:
        """All rows, as those of ``columns`` that are there and in its types, and ``source_line``, the row number from 1."""
        done = 0
        with _readable(self.part):
            file = pq.ParquetFile(self.part.path)
            for batch in file.iter_batches(_BATCH, columns=list(self.columns.values())):
                cells = {
                    name: _cast(batch[header], columns.field(name).type)
                    for name, header in self.columns.items()
                }
                lines = pa.array(range(done + 1, done + 1 + len(batch)), pa.int64())
                yield pa.table({**cells, "source_line": lines})
                done += len(batch)


def described(part: Part, wanted: Wanted) -> ParquetPart:
    """What a file holds.

    Raises:
        SourceError: it is no whole Parquet file, lacks a needed column, or one holds no plain
            values.
    """
    with _readable(part):
        file = pq.ParquetFile(part.path)
        schema, rows = file.schema_arrow, file.metadata.num_rows
    columns = wanted.picked(schema.names, part.name)
    _refuse_columns_in_path(part, wanted, columns)
    for name, header in columns.items():
        kind = schema.field(header).type
        if pa.types.is_nested(kind):
            raise SourceError(
                f"the column '{header}' ({name}) holds lists or records, not values.",
                where=part.name,
            )
        if pa.types.is_fixed_size_binary(kind):
            raise SourceError(
                f"the column '{header}' ({name}) holds raw bytes; write it as text or UUID.",
                where=part.name,
            )
    return ParquetPart(part=part, rows=rows, schema=schema, columns=columns)


def _refuse_columns_in_path(part: Part, wanted: Wanted, columns: Collection[str]) -> None:
    """Spark takes the columns it partitions by out of the files and writes them into the names of folders."""
    steps = [step.partition("=")[0] for step in part.name.split("/")[:-1] if "=" in step]
    lost = [step for step in steps if not set(wanted.spelled([step], part.name)) <= set(columns)]
    if lost:
        told = (
            f"the column {lost[0]} is in the name of the folder and not in the file; write it into "
            "the file."
        )
        raise SourceError(told, where=part.name)


def can_stay(parts: Sequence[ParquetPart]) -> bool:
    """Whether the files can be read where they lie.

    Alike, of plain types, and without names that DuckDB reads otherwise.
    """
    first = parts[0].schema
    return all(
        part.schema.equals(first)
        and not _PATTERNS.search(str(part.part.path))
        and not any(name.casefold() in _RESERVED for name in part.schema.names)
        and not any(
            pa.types.is_binary(kind) or pa.types.is_large_binary(kind) for kind in _kinds(part)
        )
        for part in parts
    )


def _kinds(part: ParquetPart) -> Collection[pa.DataType]:
    return [part.schema.field(header).type for header in part.columns.values()]


def common(parts: Sequence[ParquetPart]) -> pa.Schema:
    """Canonical columns with types that hold the values of all files.

    Raises:
        SourceError: there is no such type; all columns at once would not help, the first is named.
    """
    found = parts[0].typed
    for part in parts[1:]:
        try:
            found = pa.unify_schemas([found, part.typed], promote_options="permissive")
        except pa.ArrowException as error:
            name = next(name for name in part.columns if not _unify(found, part.typed, name))
            told = (
                f"the column {name} is {part.typed.field(name).type} here and "
                f"{found.field(name).type} in the parts before."
            )
            raise SourceError(told, where=part.part.name) from error
    return found


def _unify(one: pa.Schema, other: pa.Schema, name: str) -> bool:
    if name not in one.names:
        return True
    try:
        pa.unify_schemas(
            [pa.schema([one.field(name)]), pa.schema([other.field(name)])],
            promote_options="permissive",
        )
    except pa.ArrowException:
        return False
    return True


def _simple(kind: pa.DataType) -> pa.DataType:
    """Text in one form; dictionaries as what they stand for."""
    if pa.types.is_dictionary(kind):
        return _simple(kind.value_type)
    is_text = pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if (
        is_text
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
    ):
        return pa.string()
    return kind


def _cast(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    return cells if cells.type.equals(kind) else cells.cast(kind)


def text_chunks(part: Part, wanted: Wanted) -> Iterator[Chunk]:
    """A Parquet file as text, for side files that are small."""
    one = described(part, wanted)
    empty = pa.schema([(name, pa.string()) for name in one.columns]).append(
        pa.field("source_line", pa.int64())
    )
    yield Chunk(table=empty.empty_table())
    for table in one.chunks(one.typed):
        with _readable(part):
            cells = {name: _text(table[name]) for name in one.columns}
        yield Chunk(table=pa.table({**cells, "source_line": table["source_line"]}))


def _text(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells as text.

    Whole numbers stay whole: a column with blanks often comes as floating point.
    """
    if (
        pa.types.is_floating(cells.type)
        and pc.all(pc.equal(pc.floor(cells), cells)).as_py() is not False
    ):
        cells = cells.cast(pa.int64())
    return cells.cast(pa.string())


@contextlib.contextmanager
def _readable(part: Part) -> Iterator[None]:
    """Translate what Arrow says of a file.

    It raises ``OSError`` without a number for contents that it cannot make out.
    """
    try:
        with reading(part.name):
            try:
                yield
            except OSError as error:
                if error.errno is None:
                    raise pa.ArrowInvalid(str(error)) from error
                raise
    except pa.ArrowException as error:
        raise SourceError(
            "is no whole Parquet file, or holds what cannot be read.", where=part.name
        ) from error
