"""Packages for Data management: planned rows in, bytes of a zip out.

Pure: no clock, no environment. The zip is flat and holds ``Manifest.xml``, ``PackageHeader.xml``
and the data file, in this order, dated 1980-01-01. Equal rows give equal data files and so equal
definition groups everywhere. The compressed bytes are not promised to be equal: one process of
sixty compressed the same files otherwise, and nobody found out why. So a run keeps what it built,
and its hash; whether two packages are equal, their definition groups and files say.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl
from isal import isal_zlib

from pipeline.errors import InvariantBroken
from pipeline.flow.frames import map_in_order
from pipeline.lazy import import_lazily
from pipeline.load.packages.datafile import build_data_file, find_qualified
from pipeline.load.packages.manifest import HEADER_FILE, MANIFEST_FILE, build_header, build_manifest
from pipeline.load.packages.spans import open_rows
from pipeline.load.packages.spec import PackageSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from concurrent.futures import Executor
    from pathlib import Path

    import stream_zip
else:
    stream_zip = import_lazily("stream_zip")

__all__ = ["Package", "PackageSpec", "build_package", "build_packages", "measure_package"]

SIZE_LIMIT: Final = 0xFFFF_FFFF
"""Bytes that a member of a zip without the 64-bit extension can have."""

_DEFINITION_GROUP_LENGTH: Final = 59
_EPOCH: Final = dt.datetime(1980, 1, 1)  # noqa: DTZ001 - the clock of a zip has no zone
_PERMISSIONS: Final = 0o100644
_LEVEL: Final = 1
_END_BYTES: Final = 22
_MEMBER_BYTES: Final = 92
"""A zip without its compressed files: an end, and of each member two headers and a descriptor."""
_BLOCK: Final = 1 << 20
_AHEAD: Final = 3
ROWS_AT_ONCE: Final = 65_536
_PLACE: Final = "place:"
"""A column of ours; names of SCM have no colon."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """One package: its file name, its definition group and its bytes.

    ``data_bytes`` is the data file uncompressed.
    """

    name: str
    definition_group: str
    content: bytes
    sha256: str
    rows: int
    data_bytes: int


def build_package(
    spec: PackageSpec, rows: pl.DataFrame, *, size_limit: int = SIZE_LIMIT
) -> Package:
    """The package of these rows, in their order; a null is a blank.

    Columns that keep what SCM has are left out if no row has a value for them.

    Raises ``ValueError`` for what cannot be sent.
    """
    group, members = _write_members(spec, rows, size_limit)
    content = _zip(members)
    return Package(
        name=spec.package_file,
        definition_group=group,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        rows=rows.height,
        data_bytes=len(members[-1][1]),
    )


def measure_package(spec: PackageSpec, rows: pl.DataFrame) -> int:
    """The bytes that ``build_package`` would make of these rows; what zips is not loaded for it."""
    _, members = _write_members(spec, rows, SIZE_LIMIT)
    return _END_BYTES + sum(
        _MEMBER_BYTES + 2 * len(name) + sum(map(len, _compress(content)))
        for name, content in members
    )


def _write_members(
    spec: PackageSpec, rows: pl.DataFrame, size_limit: int
) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """The definition group and the files of a package; the data file is the last."""
    spec = _leave_out_blank(spec, rows)
    qualified = None if spec.qualifies_all else find_qualified(rows, spec.columns)
    data = build_data_file(rows, spec.columns, qualified)
    if len(data) > size_limit:
        raise ValueError(
            f"{spec.package_file}: the data file has {len(data):,} bytes, a package holds 4 GiB; "
            "make smaller batches"
        )
    group = _name_definition_group(spec, data)
    return group, (
        (MANIFEST_FILE, build_manifest(spec, group, qualified)),
        (HEADER_FILE, build_header(group)),
        (spec.data_file, data),
    )


def _leave_out_blank(spec: PackageSpec, rows: pl.DataFrame) -> PackageSpec:
    blank = {name for name in spec.kept if rows[name].null_count() == rows.height}
    columns = tuple(name for name in spec.columns if name not in blank)
    return dataclasses.replace(spec, columns=columns)


def build_packages(
    rows_files: Iterable[Path],
    spec_for: Callable[[str, int], PackageSpec],
    sizes: Mapping[tuple[str, int], int],
    *,
    rows_at_once: int = ROWS_AT_ONCE,
    pool: Executor | None = None,
) -> Iterator[Package]:
    """The packages of planned rows, each as soon as it is complete.

    Only open batches are in memory: of each legal entity one, or as many as its rows leave
    different columns as they are. Rows without a batch are unchanged and not sent.

    Args:
        rows_files: planned rows of one task.
        spec_for: what the package of a legal entity and batch says about itself.
        sizes: rows by legal entity and batch.
        rows_at_once: how many are read at a time.
        pool: builds some packages at once, ahead of those that are asked for.

    Raises:
        InvariantBroken: the rows of a batch are more or fewer than planned.
    """
    batches = _gather_batches(rows_files, spec_for, sizes, rows_at_once)
    if pool is None:
        return (build_package(spec, rows) for spec, rows in batches)
    return map_in_order(lambda one: build_package(*one), batches, pool, _AHEAD)


def _gather_batches(
    rows_files: Iterable[Path],
    spec_for: Callable[[str, int], PackageSpec],
    sizes: Mapping[tuple[str, int], int],
    rows_at_once: int,
) -> Iterator[tuple[PackageSpec, pl.DataFrame]]:
    open_batches: dict[tuple[str, int], _Batch] = {}
    for legal_entity, number, rows in _read_parts(rows_files, rows_at_once):
        place = (legal_entity, number)
        if place not in open_batches:
            open_batches[place] = _Batch(spec=spec_for(legal_entity, number))
        batch = open_batches[place]
        batch.add(rows)
        if batch.count == sizes.get(place):
            yield batch.spec, pl.concat(batch.parts)
            batch.parts.clear()
        elif batch.count > sizes.get(place, 0):
            raise _describe_miscount(place, batch.count, sizes)
    for place, batch in open_batches.items():
        if batch.count != sizes[place]:
            raise _describe_miscount(place, batch.count, sizes)


def _describe_miscount(
    place: tuple[str, int], count: int, sizes: Mapping[tuple[str, int], int]
) -> InvariantBroken:
    return InvariantBroken(
        f"batch {place[1]} of {place[0]} has {count:,} rows instead of the "
        f"{sizes.get(place, 0):,} in batches.parquet; the run folder was altered."
    )


@dataclass(kw_only=True, slots=True)
class _Batch:
    spec: PackageSpec
    count: int = 0
    parts: list[pl.DataFrame] = field(default_factory=list)

    def add(self, rows: pl.DataFrame) -> None:
        self.count += rows.height
        self.parts.append(rows.select(self.spec.columns))


def _read_parts(
    rows_files: Iterable[Path], rows_at_once: int
) -> Iterator[tuple[str, int, pl.DataFrame]]:
    """Planned rows of one batch at a time, in the order of their last rows."""
    for morsel in _read_morsels(rows_files, rows_at_once):
        sent = morsel.filter(pl.col("batch").is_not_null()).with_row_index(_PLACE)
        parts = sent.partition_by("legal_entity", "batch")
        for rows in sorted(parts, key=lambda part: int(part[_PLACE][-1])):
            legal_entity, batch = rows.select("legal_entity", "batch").row(0)
            if legal_entity is None:
                raise InvariantBroken(f"a planned row of batch {batch} has no legal entity")
            yield str(legal_entity), int(batch), rows


def _read_morsels(rows_files: Iterable[Path], rows_at_once: int) -> Iterator[pl.DataFrame]:
    for path in rows_files:
        with open_rows(path) as file:
            for batch in file.iter_batches(batch_size=rows_at_once):
                yield pl.DataFrame(batch)


def _name_definition_group(spec: PackageSpec, data: bytes) -> str:
    """A name made from the content: equal rows for the same destination share it."""
    said = dataclasses.asdict(spec)
    del said["kept"]  # The columns that are left say what was left out.
    if spec.qualifies_all:
        del said["qualifies_all"]  # Packages had the same names before it could be chosen.
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    digest.update(data)
    name = f"p2c-{spec.task}-{spec.legal_entity}-{spec.batch}-{digest.hexdigest()[:10]}"
    if len(name) > _DEFINITION_GROUP_LENGTH:
        raise ValueError(
            f"definition group {name} is longer than {_DEFINITION_GROUP_LENGTH} characters"
        )
    return name


def _zip(members: Iterable[tuple[str, bytes]]) -> bytes:
    files: Iterator[stream_zip.MemberFile] = (
        (name, _EPOCH, _PERMISSIONS, stream_zip.ZIP_32, _split_blocks(content))
        for name, content in members
    )
    # isal's object has zlib's two methods, not zlib's name.
    chunks = stream_zip.stream_zip(
        files,
        get_compressobj=_deflate,  # type: ignore[arg-type]
        extended_timestamps=False,
    )
    return b"".join(chunks)


def _deflate() -> isal_zlib.Compress:
    return isal_zlib.compressobj(level=_LEVEL, wbits=-isal_zlib.MAX_WBITS)


def _compress(content: bytes) -> Iterator[bytes]:
    deflate = _deflate()
    for block in _split_blocks(content):
        yield deflate.compress(block)
    yield deflate.flush()


def _split_blocks(content: bytes) -> Iterator[bytes]:
    return (content[start : start + _BLOCK] for start in range(0, len(content), _BLOCK))
