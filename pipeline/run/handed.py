"""What a driver and its workers hand to one another: JSON files, and files by attempt.

They lie in one folder of the run, which is there while somebody waits for them.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipeline import __version__
from pipeline.errors import Stopped, UsageError, during
from pipeline.run.files import replace_file
from pipeline.run.private import make_folder


class PartModel(BaseModel):
    """JSON that a worker reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def write(self, path: Path) -> Path:
        """Write it where workers read it; the path, whatever folder a worker stands in."""
        replace_file(path, self.model_dump_json().encode())
        return path.resolve()


@contextmanager
def open_parts(folder: Path) -> Iterator[Path]:
    """A folder for what is handed to and fro, empty at first and gone when the block ends."""
    shutil.rmtree(folder, ignore_errors=True)  # A process that was killed may have left something.
    with during(f"making {folder.name}"):
        make_folder(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_text(path: Path) -> str:
    """A file that the driver wrote.

    Raises:
        UsageError: this process does not see it.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"a worker cannot read {path.name} in the run folder that the driver wrote. Name a "
            "folder that the driver and all workers share under one path, such as a mounted lake "
            "or a volume.",
            where="--runs",
        ) from error


def name_attempt(folder: Path, table: str, part: int, ending: str = "parquet") -> Path:
    """A file that no other attempt at a part writes.

    Raises:
        Stopped: the command has ended, and its folder is gone: nobody waits for this attempt.
    """
    if not folder.is_dir():
        raise Stopped("the command that asked for this part has ended.", where=f"part {part}")
    return folder / f"{table}-{part:06d}-{secrets.token_hex(4)}.{ending}"


def take_versions() -> dict[str, str]:
    """The versions that a worker must have, too: p2c's and those of the engines inside."""
    return {"p2c": __version__, "duckdb": version("duckdb"), "polars": version("polars")}


def refuse_other_versions(needed: Mapping[str, str]) -> None:
    """Hold this process against the driver.

    Raises:
        UsageError: hashes and texts would differ.
    """
    here = take_versions()
    for name, one in needed.items():
        if here[name] != one:
            raise UsageError(
                f"a worker has {name} {here[name]}, the driver {one}. Install the same version "
                "in both.",
                where="run.engine",
            )
