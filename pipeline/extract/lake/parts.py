"""Delta tables as parts of a landed table, one for each file whose rows count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from pipeline.errors import SourceError
from pipeline.extract.files.discover import FilePart
from pipeline.extract.files.parquet import (
    ParquetPart,
    StoredColumn,
    find_types,
    read_footer,
    refuse_other_than_values,
)
from pipeline.extract.files.parquet_proof import drop_needless_spellings
from pipeline.extract.files.remote import is_remote
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.lake.mirror import read_mirrored
from pipeline.extract.records import TableVersion
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.extract.lake import table as delta
else:
    delta = import_lazily("pipeline.extract.lake.table")

_FIELD_ID: Final = b"PARQUET:field_id"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeltaParts:
    """A table's files as parts, the columns that they have together, and the table's version."""

    parts: tuple[ParquetPart, ...]
    columns: pa.Schema
    version: TableVersion


def describe_delta(folder: FilePart, selection: ColumnSelection) -> DeltaParts:
    """The rows that a Delta table has now.

    Raises:
        SourceError: the extra is not installed, the log or a file is damaged or missing, or the
            table asks for what p2c does not know.
    """
    content = _read_content(folder)
    picked = selection.pick(content.columns, folder.name)
    columns = selection.keep_wanted(picked)
    marks = {
        header: content.columns[header]
        for header in picked.keys() - columns.keys()
        if not content.columns[header].is_variant
    }
    wanted = {header: content.columns[header] for used in columns.values() for header in used}
    types = {header: StoredColumn(type=one.type, column=None) for header, one in wanted.items()}
    _refuse_variants(wanted, folder)
    refuse_other_than_values(columns, types, folder.name)
    return DeltaParts(
        parts=tuple(
            _describe_file(file, columns, wanted, marks, selection) for file in content.files
        ),
        columns=find_types(columns, types, selection),
        version=TableVersion(
            number=content.version, committed_at=content.committed_at, folder=folder.path
        ),
    )


def _read_content(folder: FilePart) -> delta.DeltaContent:
    try:
        read = delta.read_delta
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pipeline"):
            raise
        raise SourceError(
            "is a Delta table, and reading it needs packages that are not installed: "
            'pip install "p2c[lake]".',
            where=folder.name,
        ) from error
    return read_mirrored(folder, read) if is_remote(folder.path) else read(folder)


def _refuse_variants(wanted: Mapping[str, delta.DeltaColumn], folder: FilePart) -> None:
    found = [header for header, one in wanted.items() if one.is_variant]
    if found:
        raise SourceError(
            f"the column '{found[0]}' is of the Delta type variant, which p2c does not read: write "
            "it as text.",
            where=folder.name,
        )


def _describe_file(
    file: delta.DeltaFile,
    columns: Mapping[str, tuple[str, ...]],
    wanted: Mapping[str, delta.DeltaColumn],
    marks: Mapping[str, delta.DeltaColumn],
    selection: ColumnSelection,
) -> ParquetPart:
    if not file.part.path.is_file():
        raise SourceError(
            "is missing, and the log of the table names it: copy the table's folder again.",
            where=file.part.name,
        )
    schema, metadata = read_footer(file.part)
    rows = metadata.num_rows
    if file.rows not in (None, rows):
        raise SourceError(
            f"has {rows:,} rows, and the log of the table says {file.rows:,}: copy the table's "
            "folder again.",
            where=file.part.name,
        )
    located = _locate_columns(file, {**wanted, **marks}, schema)
    stored = {header: located[header] for header in wanted}
    if all(one.column == header for header, one in stored.items()):
        columns = drop_needless_spellings(columns, metadata, selection)
    kept = _fit_vector(file, rows)
    return ParquetPart(
        part=file.part,
        rows=rows if kept is None else kept.true_count,
        schema=schema,
        columns=columns,
        stored=stored,
        selection=selection,
        kept=kept,
        marks={header: located[header] for header in marks},
    )


def _locate_columns(
    file: delta.DeltaFile, wanted: Mapping[str, delta.DeltaColumn], schema: pa.Schema
) -> dict[str, StoredColumn]:
    """Where a file has the columns of its table.

    A column that was added later is in no older file and is null there.
    """
    numbers = _list_ids(schema)
    if not numbers and any(one.id is not None for one in wanted.values()):
        raise SourceError(
            "has no ids of columns, by which its Delta table maps them: write the table's current "
            "rows as plain Parquet.",
            where=file.part.name,
        )
    folded = {name.casefold(): name for name in schema.names}
    stored = {}
    for header, one in wanted.items():
        there = folded.get(one.physical.casefold()) if one.id is None else numbers.get(one.id)
        column = one.physical if one.id is None and one.physical in schema.names else there
        stored[header] = StoredColumn(
            type=one.type,
            column=None if header in file.values else column,
            value=file.values.get(header),
        )
    if not any(one.column for one in stored.values()):
        raise SourceError(
            "has none of the columns that its Delta table has: it was not written for this table. "
            "Write the table's current rows as plain Parquet.",
            where=file.part.name,
        )
    _refuse_other_types(file, stored, schema)
    return stored


def _list_ids(schema: pa.Schema) -> dict[int, str]:
    """The number of each column of a file that has one → its name there."""
    told = [(field.name, (field.metadata or {}).get(_FIELD_ID)) for field in schema]
    return {int(number): name for name, number in told if number is not None}


def _refuse_other_types(
    file: delta.DeltaFile, stored: Mapping[str, StoredColumn], schema: pa.Schema
) -> None:
    for header, one in stored.items():
        if one.column is None:
            continue
        kind = schema.field(one.column).type
        try:
            pa.nulls(0, kind).cast(one.type)
        except pa.ArrowException as error:
            raise SourceError(
                f"the column {header} is {kind} here and {one.type} in the Delta table.",
                where=file.part.name,
            ) from error


def _fit_vector(file: delta.DeltaFile, rows: int) -> pa.BooleanArray | None:
    """Which rows of a file count; rows behind the end of its vector do. Null: all."""
    kept = file.kept
    if kept is None or kept.false_count == 0:
        return None
    if len(kept) > rows:
        raise SourceError(
            f"has {rows:,} rows, and its deletion vector is for {len(kept):,}: copy the table's "
            "folder again.",
            where=file.part.name,
        )
    more = pa.repeat(pa.scalar(value=True), rows - len(kept))
    return pa.concat_arrays([kept, more])
