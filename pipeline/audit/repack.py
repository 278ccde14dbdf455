"""Packages built again from planned rows, and compared with those of a run.

The bytes of a zip are not promised to be equal; the files in it are.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Final

import polars as pl

from pipeline.events import Listener, Step
from pipeline.load.packages.package import Package
from pipeline.load.packages.stream import stream_packages
from pipeline.project.resolve import Project
from pipeline.run.folder import RunFolder

_BLOCK: Final = 1 << 20
"""Bytes that are read at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """Of one kind of thing: how many were compared, how many differ, and one of those."""

    noun: str
    total: int
    differing: int
    example: str | None


def compare_packages(
    found: RunFolder,
    again: RunFolder,
    project: Project,
    labels: Mapping[str, str | None],
    listener: Listener,
) -> Compared:
    """Build the packages that a run built, and compare their content.

    Where a package is not in the folder, the name of its data project is compared: it is made from
    the content.

    Args:
        found: the run.
        again: its plan, made again.
        project: as the run recorded it.
        labels: how SCM called the entities when the plan was made.
        listener: hears of progress.
    """
    groups = _list_groups(found)
    different = []
    done = 0
    for task, package in stream_packages(again, project, labels) if groups else ():
        name = f"{task}/{package.name.removesuffix('.zip')}"
        group = groups.pop(name, None)
        if group is None:
            continue
        done += 1
        listener(Step(name="comparing packages", done=done, total=done + len(groups)))
        path = found.packages / task / package.name
        if group != package.definition_group or not _is_same(path, package):
            different.append(name)
    different += groups  # Nothing was planned for these now.
    return Compared(
        noun="package",
        total=done + len(groups),
        differing=len(different),
        example=min(different, default=None),
    )


def _list_groups(found: RunFolder) -> dict[str, str]:
    """Package → its data project, of all packages that the run built."""
    if not found.batches.is_file():
        return {}
    frame = pl.read_parquet(found.batches, glob=False)
    if "definition_group" not in frame.columns:
        return {}
    built = frame.filter(pl.col("definition_group").is_not_null())
    columns = ["task", "legal_entity", "batch", "definition_group"]
    return {
        f"{task}/{entity}-{batch}": group
        for task, entity, batch, group in built.select(columns).iter_rows()
    }


def _is_same(path: Path, package: Package) -> bool:
    """Whether a package has the content of one on disk; true if that is not there."""
    if not path.is_file():
        return True
    try:
        with path.open("rb") as file:
            return _hash_members(file) == _hash_members(BytesIO(package.content))
    except (zipfile.BadZipFile, OSError):
        return False


def _hash_members(file: IO[bytes]) -> dict[str, str]:
    with zipfile.ZipFile(file) as archive:
        return {name: _hash_member(archive, name) for name in archive.namelist()}


def _hash_member(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as member:
        while block := member.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
