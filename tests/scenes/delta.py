"""Delta tables made by hand: the log as JSON, the files as Parquet, vectors as roaring bitmaps.

Each thing in them can so be wrong, and none of them needs the library that reads them.
"""

from __future__ import annotations

import json
import struct
import uuid
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

Action = dict[str, Any]

MAGIC: Final = 1_681_511_377
"""What every vector begins with."""
_DIGITS: Final = (
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
)
_WHEN: Final = 1_709_629_200_000


def encode_z85(content: bytes) -> str:
    """Bytes as Delta writes them into its log, padded to a multiple of four."""
    padded = content + bytes(-len(content) % 4)
    text = ""
    for (number,) in struct.iter_unpack(">I", padded):
        text += "".join(_DIGITS[number // 85**place % 85] for place in range(4, -1, -1))
    return text


def encode_vector(deleted: Collection[int]) -> bytes:
    """Rows, from 0, as a roaring bitmap of 64 bits in its portable form."""
    groups: dict[int, list[int]] = {}
    for row in sorted(set(deleted)):
        groups.setdefault(row >> 32, []).append(row & 0xFFFF_FFFF)
    parts = [struct.pack("<iq", MAGIC, len(groups))]
    for key, rows in groups.items():
        parts += [struct.pack("<I", key), _encode_bitmap(rows)]
    return b"".join(parts)


def _encode_bitmap(rows: Iterable[int]) -> bytes:
    """One bitmap of 32 bits; sets of more than 4,096 rows become bits, as the form asks."""
    sets: dict[int, list[int]] = {}
    for row in rows:
        sets.setdefault(row >> 16, []).append(row & 0xFFFF)
    head = struct.pack("<II", 12_346, len(sets))
    keys = b"".join(struct.pack("<HH", key, len(low) - 1) for key, low in sets.items())
    bodies = [_encode_set(low) for low in sets.values()]
    start, places = len(head) + len(keys) + 4 * len(sets), []
    for body in bodies:
        places.append(struct.pack("<I", start))
        start += len(body)
    return head + keys + b"".join(places) + b"".join(bodies)


def _encode_set(low: Sequence[int]) -> bytes:
    if len(low) <= 4096:
        return b"".join(struct.pack("<H", value) for value in low)
    bits = bytearray(8192)
    for value in low:
        bits[value >> 3] |= 1 << (value & 7)
    return bytes(bits)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table: its name there, its Delta type, and what files call it."""

    name: str
    type: str | dict[str, Any] = "string"
    physical: str = ""
    id: int = 0
    more: Mapping[str, Any] = field(default_factory=dict)

    def describe(self) -> Action:
        metadata = dict(self.more)
        if self.physical:
            metadata |= {
                "delta.columnMapping.id": self.id,
                "delta.columnMapping.physicalName": self.physical,
            }
        return {"name": self.name, "type": self.type, "nullable": True, "metadata": metadata}


@dataclass(kw_only=True)
class DeltaFolder:
    """A table that grows commit by commit; ``actions`` are those of the newest state."""

    path: Path
    columns: list[Column]
    partitions: Sequence[str] = ()
    mapping: Literal["", "name", "id"] = ""
    vectors: bool = False
    features: Sequence[str] = ()
    version: int = -1
    files: dict[str, Action] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        return self.path / "_delta_log"

    def protocol(self) -> Action:
        features = [
            *(["deletionVectors"] if self.vectors else []),
            *(["columnMapping"] if self.mapping else []),
            *self.features,
        ]
        return {
            "protocol": {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": features,
                "writerFeatures": features,
            }
            if features
            else {"minReaderVersion": 1, "minWriterVersion": 2}
        }

    def metadata(self) -> Action:
        fields = [column.describe() for column in self.columns]
        configuration = {"delta.enableDeletionVectors": "true"} if self.vectors else {}
        if self.mapping:
            configuration["delta.columnMapping.mode"] = self.mapping
            configuration["delta.columnMapping.maxColumnId"] = "999"
        return {
            "metaData": {
                "id": str(uuid.uuid5(uuid.NAMESPACE_URL, "table")),
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": fields}),
                "partitionColumns": list(self.partitions),
                "configuration": configuration,
                "createdTime": _WHEN,
            }
        }

    def create(self) -> DeltaFolder:
        """The first commit: protocol and metadata, no rows."""
        self.commit(self.protocol(), self.metadata())
        return self

    def commit(self, *actions: Action) -> None:
        """One more version."""
        self.version += 1
        info = {"commitInfo": {"timestamp": _WHEN + self.version * 1000, "operation": "WRITE"}}
        self.log.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(action) + "\n" for action in (info, *actions))
        self.place(self.version).write_text(lines, encoding="utf-8")
        for action in actions:
            if "add" in action:
                self.files[action["add"]["path"]] = action
            elif "remove" in action:
                self.files.pop(action["remove"]["path"], None)

    def place(self, version: int) -> Path:
        return self.log / f"{version:020d}.json"

    def write(
        self,
        name: str,
        rows: pa.Table,
        *,
        values: Mapping[str, str | None] | None = None,
        vector: Action | None = None,
        path: str | None = None,
        **options: Any,
    ) -> Action:
        """Write a file's rows under physical names.

        Returns:
            The action that adds the file; ``path`` is what the log calls it.
        """
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(self.rename(rows), file, **options)
        return self.make_add(name, len(rows), values=values, vector=vector, path=path)

    def make_add(
        self,
        name: str,
        rows: int,
        *,
        values: Mapping[str, str | None] | None = None,
        vector: Action | None = None,
        path: str | None = None,
    ) -> Action:
        """The action that adds a file that is there."""
        physical = {column.name: column.physical or column.name for column in self.columns}
        add = {
            "path": path or quote(name, safe="/="),
            "partitionValues": {physical[key]: value for key, value in (values or {}).items()},
            "size": (self.path / name).stat().st_size,
            "modificationTime": _WHEN,
            "dataChange": True,
            "stats": json.dumps({"numRecords": rows}),
        }
        return {"add": add if vector is None else {**add, "deletionVector": vector}}

    def rename(self, rows: pa.Table) -> pa.Table:
        """The rows as a file has them: physical names, and ids of fields under mapping by id."""
        known = {column.name: column for column in self.columns}
        fields = []
        for one in rows.schema:
            column = known.get(one.name)
            if column is None or not column.physical:
                fields.append(one)
                continue
            metadata = {b"PARQUET:field_id": str(column.id).encode()}
            # Mapping by id promises nothing of the names.
            name = f"other-{column.id}" if self.mapping == "id" else column.physical
            fields.append(one.with_name(name).with_metadata(metadata))
        return pa.table(rows.columns, schema=pa.schema(fields))

    def add(self, name: str, rows: pa.Table, **more: Any) -> None:
        """One version with one more file."""
        self.commit(self.write(name, rows, **more))

    def inline(self, deleted: Collection[int]) -> Action:
        """A vector that stands in the log."""
        content = encode_vector(deleted)
        return {
            "storageType": "i",
            "pathOrInlineDv": encode_z85(content),
            "sizeInBytes": len(content),
            "cardinality": len(set(deleted)),
        }

    def stored(
        self, deleted: Collection[int], *, prefix: str = "", absolute: bool = False
    ) -> Action:
        """A vector in a file of its own, behind another one."""
        key = uuid.uuid5(uuid.NAMESPACE_URL, f"{sorted(deleted)}{prefix}{absolute}")
        file = self.path / prefix / f"deletion_vector_{key}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        other, content = encode_vector({0}), encode_vector(deleted)
        blocks = [
            struct.pack(">I", len(one)) + one + struct.pack(">I", zlib.crc32(one))
            for one in (other, content)
        ]
        file.write_bytes(b"\x01" + b"".join(blocks))
        name = file.as_uri() if absolute else prefix + encode_z85(key.bytes)
        return {
            "storageType": "p" if absolute else "u",
            "pathOrInlineDv": name,
            "offset": 1 + len(blocks[0]),
            "sizeInBytes": len(content),
            "cardinality": len(set(deleted)),
        }

    def checkpoint(self, form: Literal["classic", "parts", "v2"] = "classic") -> None:
        """Write the newest state as a checkpoint and drop all commits before."""
        actions = [self.protocol(), self.metadata(), *self.files.values()]
        stem, last = f"{self.version:020d}.checkpoint", {"version": self.version}
        if form == "classic":
            write_checkpoint(self.log / f"{stem}.parquet", actions)
        elif form == "parts":
            half = len(actions) // 2
            for number, part in enumerate((actions[:half], actions[half:]), start=1):
                write_checkpoint(self.log / f"{stem}.{number:010d}.{2:010d}.parquet", part)
            last["parts"] = 2
        else:
            self._write_v2(stem, actions)
        last["size"] = len(actions)
        (self.log / "_last_checkpoint").write_text(json.dumps(last), encoding="utf-8")
        for version in range(self.version):
            self.place(version).unlink(missing_ok=True)

    def _write_v2(self, stem: str, actions: Sequence[Action]) -> None:
        """A checkpoint in JSON that leaves the files to a sidecar."""
        sidecar = self.log / "_sidecars" / f"{uuid.UUID(int=7)}.parquet"
        sidecar.parent.mkdir(exist_ok=True)
        write_checkpoint(sidecar, [one for one in actions if "add" in one])
        named = {
            "path": sidecar.name,
            "sizeInBytes": sidecar.stat().st_size,
            "modificationTime": _WHEN,
        }
        top = [
            {"checkpointMetadata": {"version": self.version}},
            *(one for one in actions if "add" not in one),
            {"sidecar": named},
        ]
        lines = "".join(json.dumps(one) + "\n" for one in top)
        (self.log / f"{stem}.{uuid.UUID(int=5)}.json").write_text(lines, encoding="utf-8")


_TEXTS: Final = pa.map_(pa.string(), pa.string())
_CHECKPOINT: Final = pa.schema({
    "add": pa.struct({
        "path": pa.string(), "partitionValues": _TEXTS, "size": pa.int64(),
        "modificationTime": pa.int64(), "dataChange": pa.bool_(), "stats": pa.string(),
        "deletionVector": pa.struct({
            "storageType": pa.string(), "pathOrInlineDv": pa.string(), "offset": pa.int32(),
            "sizeInBytes": pa.int32(), "cardinality": pa.int64(),
        }),
    }),
    "metaData": pa.struct({
        "id": pa.string(),
        "format": pa.struct({"provider": pa.string(), "options": _TEXTS}),
        "schemaString": pa.string(), "partitionColumns": pa.list_(pa.string()),
        "configuration": _TEXTS, "createdTime": pa.int64(),
    }),
    "protocol": pa.struct({
        "minReaderVersion": pa.int32(), "minWriterVersion": pa.int32(),
        "readerFeatures": pa.list_(pa.string()), "writerFeatures": pa.list_(pa.string()),
    }),
})  # fmt: skip


def write_checkpoint(path: Path, actions: Iterable[Action]) -> None:
    """Actions as one Parquet file."""
    pq.write_table(pa.Table.from_pylist(list(actions), schema=_CHECKPOINT), path)
