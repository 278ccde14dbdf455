"""The files of a Delta log: which versions there are, and what is wrong with them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from pipeline.errors import SourceError, reading
from pipeline.wire.store.remote import RemoteFile

LOG: Final = "_delta_log"
_VERSION: Final = re.compile(r"(\d{20})\.")
_COMMIT: Final = re.compile(r"\d{20}\.json")
_CHECKPOINT: Final = re.compile(
    r"\d{20}\.checkpoint(?:\.(?P<part>\d{10})\.(?P<parts>\d{10})|\.[0-9a-fA-F-]{36})?"
    r"\.(?:parquet|json)"
)
_CHECKSUM: Final = re.compile(r"\d{20}\.crc")

Action = Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class DeltaLog:
    """The files of a log by version; ``name`` is what messages call its folder."""

    folder: Path
    name: str
    commits: Mapping[int, Path]
    checkpoints: Mapping[int, Sequence[Path]]
    checksums: Mapping[int, Path]

    @property
    def newest(self) -> int:
        """The newest version; -1 without any."""
        return max([*self.commits, *self.checkpoints], default=-1)

    @property
    def whole(self) -> int:
        """The version of the newest checkpoint; -1 without any."""
        return max(self.checkpoints, default=-1)

    def find_place(self, path: Path) -> str:
        """What messages call a file of the log."""
        return f"{self.name}/{path.relative_to(self.folder).as_posix()}"


def list_log(table: Path, name: str) -> DeltaLog:
    """The log of the table in a folder, which findings call ``name``."""
    folder = table / LOG
    commits: dict[int, Path] = {}
    checkpoints: dict[int, list[Path]] = {}
    checksums: dict[int, Path] = {}
    with reading(f"{name}/{LOG}"):
        for path in sorted(folder.iterdir()):
            version = _read_version(path)
            if _COMMIT.fullmatch(path.name):
                commits[version] = path
            elif _CHECKPOINT.fullmatch(path.name):
                checkpoints.setdefault(version, []).append(path)
            elif _CHECKSUM.fullmatch(path.name):
                checksums[version] = path
    return DeltaLog(
        folder=folder,
        name=f"{name}/{LOG}",
        commits=commits,
        checkpoints={version: paths for version, paths in checkpoints.items() if _are_whole(paths)},
        checksums=checksums,
    )


def _read_version(path: Path) -> int:
    found = _VERSION.match(path.name)
    return int(found[1]) if found else -1


def _are_whole(paths: Sequence[Path]) -> bool:
    """Whether all parts of a checkpoint are there."""
    parts = [found["parts"] for path in paths if (found := _CHECKPOINT.fullmatch(path.name))]
    return any(part is None or parts.count(part) == int(part) for part in parts)


def find_newest_version(table: Path) -> int | None:
    """The newest version that a table has by now; null if its log is gone."""
    here = table.look_again() if isinstance(table, RemoteFile) else table
    try:
        newest = list_log(here, table.name).newest
    except SourceError:
        return None
    return None if newest < 0 else newest


def refuse_cut_log(log: DeltaLog) -> None:
    """Find a log that was not copied as a whole, though it can be read.

    Raises:
        SourceError: a commit that counts has no content, or newer ones are missing.
    """
    for version, path in sorted(log.commits.items()):
        if version > log.whole and not path.stat().st_size:
            raise SourceError(
                "is empty, so it is not whole: copy the table's folder again.",
                where=log.find_place(path),
            )
    ahead = max(log.checksums, default=-1)
    if ahead > log.newest:
        raise SourceError(
            f"is not whole: there is a checksum of version {ahead}, but no commit after version "
            f"{log.newest}. Copy the table's folder again.",
            where=log.name,
        )


def refuse_other_count(log: DeltaLog, version: int, files: int) -> None:
    """Compare the number of files with the one that the writer noted of this version.

    Raises:
        SourceError: they differ.
    """
    path = log.checksums.get(version)
    noted = None if path is None else _read_count(path)
    if path is not None and noted is not None and noted != files:
        raise SourceError(
            f"says that version {version} has {noted} files, and the log names {files}: copy the "
            "table's folder again.",
            where=log.find_place(path),
        )


def _read_count(path: Path) -> int | None:
    try:
        noted = json.loads(path.read_bytes())["numFiles"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return noted if isinstance(noted, int) else None


def find_commit_time(log: DeltaLog, version: int) -> datetime | None:
    """When a version was written; null where the log no longer says it."""
    path = log.commits.get(version)
    if path is None:
        return None
    try:
        info = next((one["commitInfo"] for one in read_commit(path) if "commitInfo" in one), None)
        if not isinstance(info, dict):
            return None
        stamp = info.get("inCommitTimestamp") or info.get("timestamp")
        return None if not isinstance(stamp, int) else datetime.fromtimestamp(stamp / 1000, UTC)
    except (OSError, ValueError, OverflowError, RecursionError):
        return None


def list_needed(log: DeltaLog) -> list[Path]:
    """The newest checkpoint and the commits after it."""
    commits = [path for version, path in sorted(log.commits.items()) if version > log.whole]
    return [*log.checkpoints.get(log.whole, ()), *commits]


def read_commit(path: Path) -> Iterator[Action]:
    """The actions of a commit, or of a checkpoint in JSON.

    Raises:
        ValueError: a line is not whole JSON, or no action.
        RecursionError: it is nested too deeply.
    """
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                action = json.loads(line)
                if not isinstance(action, dict):
                    raise ValueError(path.name)
                yield action


def read_actions(log: DeltaLog, kind: str) -> Iterator[Action]:
    """The actions of one kind that the newest version is made of; its files must be whole."""
    for path in list_needed(log):
        yield from _read_actions(log, path, kind)


def _read_actions(log: DeltaLog, path: Path, kind: str) -> Iterator[Action]:
    if path.suffix == ".json":
        found = [one for one in read_commit(path) if kind in one or "sidecar" in one]
    else:
        there = [name for name in pq.read_schema(path).names if name in {kind, "sidecar"}]
        found = pq.read_table(path, columns=there).to_pylist()
    for one in found:
        content, sidecar = one.get(kind), one.get("sidecar")
        if isinstance(content, dict):
            yield content
        if isinstance(sidecar, dict):
            yield from _read_actions(log, log.folder / "_sidecars" / str(sidecar["path"]), kind)
