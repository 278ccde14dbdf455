"""What lies in a folder: entries in order, all files below it, and what is no ordinary file.

Links are followed, because people link large exports; links in a circle are refused.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pipeline.errors import SourceError, reading

_HIDDEN: Final = (".", "_", "~$")
"""Signs before hidden things, those of Spark and the locks of Excel."""
_OF_A_SYSTEM: Final = frozenset({"thumbs.db", "desktop.ini"})
"""Files that Windows lays into folders, in lower case."""
_ORIGIN: Final = "zone.identifier"
"""How files end in which Windows notes that another file was downloaded."""


def list_entries(folder: Path) -> list[Path]:
    """What is in a folder, in the order of names, but for hidden things, Spark's and Windows' own.

    Raises:
        SourceError: it is missing, a file, or closed to us.
    """
    with reading(str(folder)):
        if folder.is_file():
            raise SourceError(
                "is a file; name the folder that holds the tables.", where=str(folder)
            )
        if not folder.is_dir():
            raise SourceError("there is no such folder.", where=str(folder))
        return sorted(path for path in folder.iterdir() if not _is_passed_over(path.name))


def _is_passed_over(name: str) -> bool:
    folded = name.lower()
    return name.startswith(_HIDDEN) or folded in _OF_A_SYSTEM or folded.endswith(_ORIGIN)


def list_folders(folder: Path) -> list[Path]:
    """The folders in a folder; none if it is not there."""
    return [path for path in list_entries(folder) if path.is_dir()] if folder.is_dir() else []


def walk_files(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """All files below a folder, in the order of their names, folder after folder.

    Raises:
        SourceError: a folder is closed to us, or its links form a circle.
    """
    with reading(folder.name):
        real = folder.resolve()
    if real in above:
        raise SourceError("cannot be read: its links form a circle.", where=folder.name)
    for path in list_entries(folder):
        if path.is_dir():
            yield from walk_files(path, above | {real})
        else:
            yield path


def measure_file(path: Path, name: str) -> int:
    """The bytes of a file.

    Raises:
        SourceError: it is not there, closed to us, or nothing that can be read from start to end,
            such as a pipe or a device.
    """
    with reading(name):
        found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise SourceError("is a folder, where a file is expected.", where=name)
    if not stat.S_ISREG(found.st_mode):
        raise SourceError("is a pipe, a device or a socket, not a file.", where=name)
    return found.st_size
