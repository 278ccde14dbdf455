"""Parquet sources: read where they lie if DuckDB can read them as one table.

Otherwise they are copied into one file, with their types.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import SourceError, reading
from pipeline.extract.files.discover import FilePart
from pipeline.extract.files.folder_columns import find_folder_columns
from pipeline.extract.files.parquet_open import open_footer, read_parquet_batches
from pipeline.extract.files.parquet_proof import drop_needless_spellings
from pipeline.extract.files.remote import is_remote
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.records import Chunk
from pipeline.extract.spellings import Cells

_BATCH: Final = 65_536
_RESERVED: Final = {"filename", "file_row_number"}
"""Columns that DuckDB adds while it reads a file where it lies; the file must not have them."""
_PATTERNS: Final = re.compile(r"[*?\[=]")
"""Signs that DuckDB takes for more than a path: a pattern that other files match too, or the value
of a column."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredColumn:
    """Where a column's cells are: in the file's column of that name, else ``value`` in every row.

    ``type`` is the type that the cells are read as.
    """

    type: pa.DataType
    column: str | None
    value: pa.Scalar | None = None

    def read(self, batch: pa.RecordBatch) -> Cells:
        """The cells of some rows of the file."""
        if self.column is not None:
            cells = batch[self.column]
            exact = not pa.types.is_timestamp(self.type)  # Units of time may differ.
            return cells if cells.type.equals(self.type) else cells.cast(self.type, safe=exact)
        value = pa.scalar(None, self.type) if self.value is None else self.value
        return pa.repeat(value, len(batch))


@dataclass(frozen=True, kw_only=True, slots=True)
class ParquetPart:
    """One file: its rows that count, its schema, and its columns.

    ``columns`` are canonical column → its spellings, best first; ``stored`` says where each
    spelling is. ``kept`` says for each row of the file whether it counts; null: all do. ``marks``
    are further columns, which look like marks of deletion.
    """

    part: FilePart
    rows: int
    schema: pa.Schema
    columns: Mapping[str, tuple[str, ...]]
    stored: Mapping[str, StoredColumn]
    selection: ColumnSelection
    kept: pa.BooleanArray | None = None
    marks: Mapping[str, StoredColumn] = field(default_factory=dict)

    @property
    def typed(self) -> pa.Schema:
        """The canonical columns with their types, in their simplest form."""
        return find_types(self.columns, self.stored, self.selection)

    @property
    def headers(self) -> list[str]:
        """The columns of the file that are read."""
        stored = [self.stored[header] for used in self.columns.values() for header in used]
        return [one.column for one in stored if one.column is not None]

    @property
    def is_plain(self) -> bool:
        """Whether all rows count, and every column is one column of the file, by its name."""
        return self.kept is None and all(
            len(spellings) == 1 and self.stored[spellings[0]].column == spellings[0]
            for spellings in self.columns.values()
        )

    def _merge(self, batch: pa.RecordBatch, name: str, kind: pa.DataType) -> Cells:
        spellings = [self.stored[header].read(batch) for header in self.columns[name]]
        for header, cells in zip(self.columns[name], spellings, strict=True):
            if _is_bytes(cells.type) and not _can_cast(cells, pa.string()):
                raise _make_bytes_error(header, name, self.part.name)
        if len(spellings) > 1:
            spellings = [_cast(cells, _simplify(cells.type)) for cells in spellings]
            if pa.types.is_string(kind):
                spellings = [_cast(cells, kind) for cells in spellings]
        return _cast(self.selection.merge(name, spellings), kind)

    def read_chunks(self, columns: pa.Schema) -> Iterator[pa.Table]:
        """The rows that count: those of ``columns`` that are there, in its types.

        ``source_line`` is the number of the row in the file, from 1.
        """
        done = 0
        with _translate_errors(self.part):
            for batch in read_parquet_batches(self.part.path, _BATCH, self.headers):
                cells = {
                    name: self._merge(batch, name, columns.field(name).type)
                    for name in self.columns
                }
                lines = pa.array(np.arange(done + 1, done + 1 + len(batch), dtype=np.int64))
                rows = pa.table({**cells, "source_line": lines})
                kept = None if self.kept is None else self.kept.slice(done, len(batch))
                yield rows if kept is None else rows.filter(kept)
                done += len(batch)

    def read_marks(self) -> Iterator[pa.Table]:
        """``marks`` of the rows that count."""
        headers = [one.column for one in self.marks.values() if one.column is not None]
        if not headers:
            return
        done = 0
        with _translate_errors(self.part):
            for batch in read_parquet_batches(self.part.path, _BATCH, headers):
                rows = pa.table({name: one.read(batch) for name, one in self.marks.items()})
                kept = None if self.kept is None else self.kept.slice(done, len(batch))
                yield rows if kept is None else rows.filter(kept)
                done += len(batch)


def read_footer(part: FilePart) -> tuple[pa.Schema, pq.FileMetaData]:
    """A file's schema, and what it says of its rows.

    Raises:
        SourceError: it is not a whole Parquet file.
    """
    with _translate_errors(part):
        return open_footer(part.path)


def find_types(
    columns: Mapping[str, tuple[str, ...]],
    stored: Mapping[str, StoredColumn],
    selection: ColumnSelection,
) -> pa.Schema:
    """The canonical columns with their types, in their simplest form.

    Text where spellings may contradict each other: then both have to be kept.
    """
    return pa.schema(
        [
            (
                name,
                pa.string()
                if len(spellings) > 1 and selection.can_contradict(name)
                else _find_type([stored[header].type for header in spellings]),
            )
            for name, spellings in columns.items()
        ]
    )


def describe_part(part: FilePart, selection: ColumnSelection) -> ParquetPart:
    """What a file holds.

    Raises:
        SourceError: it is not a whole Parquet file, lacks a needed column, or a column
            holds other than plain values.
    """
    schema, metadata = read_footer(part)
    above = find_folder_columns(part.name, schema.names)
    picked = selection.pick([*schema.names, *above], part.name)
    wanted = selection.keep_wanted(picked)
    columns = drop_needless_spellings(wanted, metadata, selection)

    def store(header: str) -> StoredColumn:
        if header in above:
            value = pa.scalar(above[header] or None, pa.string())
            return StoredColumn(type=pa.string(), column=None, value=value)
        return StoredColumn(type=schema.field(header).type, column=header)

    stored = {header: store(header) for used in columns.values() for header in used}
    refuse_other_than_values(columns, stored, part.name)
    return ParquetPart(
        part=part,
        rows=metadata.num_rows,
        schema=schema,
        columns=columns,
        stored=stored,
        selection=selection,
        marks={header: store(header) for header in picked.keys() - wanted.keys()},
    )


def refuse_other_than_values(
    columns: Mapping[str, tuple[str, ...]], stored: Mapping[str, StoredColumn], where: str
) -> None:
    """Find columns that hold lists, records or raw bytes.

    Raises:
        SourceError: the first such column.
    """
    for name, header in [(name, header) for name, used in columns.items() for header in used]:
        kind = stored[header].type
        if pa.types.is_nested(kind):
            raise SourceError(
                f"the column '{header}' ({name}) holds lists or records, not values.", where=where
            )
        if pa.types.is_fixed_size_binary(kind):
            raise _make_bytes_error(header, name, where)


def _make_bytes_error(header: str, name: str, where: str) -> SourceError:
    return SourceError(
        f"the column '{header}' ({name}) holds raw bytes; write it as text or UUID.", where=where
    )


def can_stay(parts: Sequence[ParquetPart]) -> bool:
    """Whether the files can be read where they lie.

    On this machine, alike, of plain types, and without names that DuckDB reads otherwise. A plan
    reads contacts several times: over the network once is enough.
    """
    first = parts[0].schema
    return all(
        part.is_plain
        and not is_remote(part.part.path)
        and part.schema.equals(first)
        and part.columns == parts[0].columns
        and not _PATTERNS.search(str(part.part.path))
        and not any(name.casefold() in _RESERVED for name in part.schema.names)
        and not any(map(_is_bytes, _list_types(part)))
        for part in parts
    )


def _list_types(part: ParquetPart) -> Collection[pa.DataType]:
    return [part.schema.field(header).type for header in part.headers]


def unify_types(parts: Sequence[ParquetPart]) -> pa.Schema:
    """Canonical columns with types that hold the values of all files.

    Raises:
        SourceError: no type holds the values of one column; the first such column is named.
    """
    found = parts[0].typed
    for part in parts[1:]:
        try:
            found = pa.unify_schemas([found, part.typed], promote_options="permissive")
        except pa.ArrowException as error:
            name = next(name for name in part.columns if not _can_unify(found, part.typed, name))
            sentence = (
                f"the column {name} is {part.typed.field(name).type} here and "
                f"{found.field(name).type} in the parts before."
            )
            raise SourceError(sentence, where=part.part.name) from error
    return found


def _can_unify(one: pa.Schema, other: pa.Schema, name: str) -> bool:
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


def _find_type(kinds: Sequence[pa.DataType]) -> pa.DataType:
    """The type of a column that is there under several spellings."""
    simple = {_simplify(kind) for kind in kinds}
    is_one = len(simple) == 1 and (len(kinds) == 1 or pa.null() not in simple)
    return simple.pop() if is_one else pa.string()


def _simplify(kind: pa.DataType) -> pa.DataType:
    """Text in one form; dictionaries as what they stand for."""
    if pa.types.is_dictionary(kind):
        return _simplify(kind.value_type)
    is_text = pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if (
        is_text
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
    ):
        return pa.string()
    return kind


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _can_cast(cells: Cells, kind: pa.DataType) -> bool:
    try:
        cells.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _cast(cells: Cells, kind: pa.DataType) -> Cells:
    return cells if cells.type.equals(kind) else cells.cast(kind)


def read_text_chunks(part: FilePart, selection: ColumnSelection) -> Iterator[Chunk]:
    """A Parquet file as text, for side files that are small."""
    one = describe_part(part, selection)
    empty = pa.schema([(name, pa.string()) for name in one.columns]).append(
        pa.field("source_line", pa.int64())
    )
    yield Chunk(table=empty.empty_table())
    for table in one.read_chunks(one.typed):
        with _translate_errors(part):
            cells = {name: _to_text(table[name]) for name in one.columns}
        yield Chunk(table=pa.table({**cells, "source_line": table["source_line"]}))


def _to_text(cells: pa.ChunkedArray) -> pa.ChunkedArray:
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
def _translate_errors(part: FilePart) -> Iterator[None]:
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
    except (pa.ArrowException, UnicodeError, ArithmeticError) as error:
        raise SourceError(
            "is not a whole Parquet file, or holds data that cannot be read. Export it again.",
            where=part.name,
        ) from error
