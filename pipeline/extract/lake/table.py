"""One Delta table at its newest version: its columns, and the files and rows that count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from os.path import normpath
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from deltalake.schema import VariantType

from pipeline.errors import SourceError
from pipeline.extract.files.discover import FilePart
from pipeline.extract.lake.faults import (
    explain_log,
    explain_vectors,
    list_unknown_features,
    make_feature_error,
)
from pipeline.extract.lake.log import (
    DeltaLog,
    find_commit_time,
    list_log,
    refuse_cut_log,
    refuse_other_count,
)

_NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"
_PHYSICAL: Final = "delta.columnMapping.physicalName"
_ID: Final = "delta.columnMapping.id"
_VECTORS: Final = "deletionVectors"
_HIDING: Final = "vacuumProtocolCheck"
_MODE: Final = "delta.columnMapping.mode"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeltaColumn:
    """A column of the table: its type, and what files call it.

    ``id`` is set where files tell their columns apart by number.
    """

    type: pa.DataType
    physical: str
    id: int | None = None
    is_variant: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DeltaFile:
    """A file whose rows count.

    ``rows`` are those of the file, null where the log does not say; ``values`` has one value of
    each column that the table is partitioned by; ``kept`` says of each row whether it counts.
    """

    part: FilePart
    rows: int | None
    values: Mapping[str, pa.Scalar]
    kept: pa.BooleanArray | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeltaContent:
    """A version of a table: when it was written, if the log says it; its columns and files."""

    version: int
    committed_at: datetime | None
    columns: Mapping[str, DeltaColumn]
    files: tuple[DeltaFile, ...]


def read_delta(part: FilePart) -> DeltaContent:
    """The newest version of the table in a folder; its files are in the order of their names.

    Raises:
        SourceError: its log or a deletion vector is damaged, asks for what p2c does not know, or
            names files that lie elsewhere.
    """
    log = list_log(part.path, part.name)
    refuse_cut_log(log)
    table = _open(part, log)
    unknown = list_unknown_features(table.protocol().reader_features)
    if unknown:
        raise make_feature_error(unknown, log.name)
    files = _list_files(table, part, log)
    refuse_other_count(log, table.version(), len(files))
    return DeltaContent(
        version=table.version(),
        committed_at=find_commit_time(log, table.version()),
        columns=_list_columns(table),
        files=files,
    )


def _open(part: FilePart, log: DeltaLog) -> DeltaTable:
    if log.newest < 0:
        raise explain_log(log)
    try:
        return DeltaTable(part.path.resolve())
    except DeltaError as error:  # Its text can have values of rows in it, and is not shown.
        raise explain_log(log) from error


def _list_columns(table: DeltaTable) -> dict[str, DeltaColumn]:
    mode = table.metadata().configuration.get(_MODE, "none")
    types = pa.schema(table.schema().to_arrow())
    found = {}
    for field in table.schema().fields:
        told = {} if mode == "none" else field.metadata
        number = told.get(_ID) if mode == "id" else None
        found[field.name] = DeltaColumn(
            type=types.field(field.name).type,
            physical=str(told.get(_PHYSICAL, field.name)),
            id=None if number is None else int(number),
            is_variant=isinstance(field.type, VariantType),
        )
    return found


def _list_files(table: DeltaTable, part: FilePart, log: DeltaLog) -> tuple[DeltaFile, ...]:
    try:
        added = pa.table(table.get_add_actions())
    except DeltaError as error:
        raise explain_log(log) from error
    named = added["path"].to_pylist()
    parts = [_find_file(one, part, log) for one in named]
    _refuse_repeats(named, log)
    vectors = _read_vectors(table, part, log)
    values = _read_partitions(added)
    files = [
        DeltaFile(
            part=one,
            rows=added["num_records"][place].as_py(),
            values={name: cells[place] for name, cells in values.items()},
            kept=vectors.pop(one.path.resolve(), None),
        )
        for place, one in enumerate(parts)
    ]
    if vectors:
        raise SourceError(
            "has a deletion vector for a file that it does not name. Copy the table's folder "
            "again.",
            where=log.name,
        )
    return tuple(sorted(files, key=lambda one: one.part.name))


def _decode(named: str) -> str:
    """A path or address of the log as a path."""
    if named.startswith("file:"):
        return url2pathname(urlsplit(named).path)
    return unquote(named)


def _find_file(named: str, part: FilePart, log: DeltaLog) -> FilePart:
    """A file of the table, by its path or address in the log.

    Raises:
        SourceError: it is not in the folder of the source.
    """
    name, steps = _decode(named), len(Path(part.name).parts)
    path = Path(normpath(part.path.absolute() / name))
    source = part.path.absolute().parents[steps - 1]
    is_address = "://" in named and not named.startswith("file:")
    folder = next((one for one in (part.path.absolute(), source) if path.is_relative_to(one)), None)
    if is_address or folder is None or not _is_inside(path, (part.path, source)):
        raise SourceError(
            f"names the file {name}, which is outside the folder of the source. If the table is a "
            "shallow clone, write its current rows as plain Parquet or as a table of its own.",
            where=log.name,
        )
    return FilePart(path=path, name=path.relative_to(source).as_posix())


def _is_inside(path: Path, folders: Iterable[Path]) -> bool:
    """Whether a path is below one of the folders, wherever links lead."""
    try:
        return any(path.resolve().is_relative_to(folder.resolve()) for folder in folders)
    except (OSError, ValueError):
        return False


def _refuse_repeats(paths: list[str], log: DeltaLog) -> None:
    path, count = next(iter(Counter(paths).most_common(1)), ("", 0))
    if count > 1:
        raise SourceError(
            f"names the file {_decode(path)} {count} times, with different deletion vectors: write "
            "the table's current rows as plain Parquet.",
            where=log.name,
        )


def _read_partitions(added: pa.Table) -> dict[str, pa.Array]:
    """Column that the table is partitioned by → its value in each file; blank text is null."""
    if "partition" not in added.column_names:
        return {}
    cells = added["partition"].combine_chunks()
    return {field.name: _blank(cells.field(place)) for place, field in enumerate(cells.type)}


def _blank(cells: pa.Array) -> pa.Array:
    if not pa.types.is_string(cells.type):
        return cells
    return pa.array(
        [None if text in ("", _NO_VALUE) else text for text in cells.to_pylist()], pa.string()
    )


def _read_vectors(table: DeltaTable, part: FilePart, log: DeltaLog) -> dict[Path, pa.BooleanArray]:
    """File → for each of its rows, whether it counts."""
    found = {}
    try:
        for batch in pa.RecordBatchReader.from_stream(table.deletion_vectors()):
            for address, rows in zip(batch["filepath"], batch["selection_vector"], strict=True):
                found[(part.path / _decode(address.as_py())).resolve()] = rows.values
    except (DeltaError, pa.ArrowException) as error:
        features = set(table.protocol().reader_features or ())
        if _HIDING in features:  # The library refuses the whole question for it.
            if _VECTORS not in features:
                return {}
            raise make_feature_error([f"{_HIDING} beside deletion vectors"], log.name) from error
        raise explain_vectors(log, part.path) from error
    return found
