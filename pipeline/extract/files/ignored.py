"""What lies in the source folder and was not read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from pipeline.errors import SourceError
from pipeline.extract.files.bundles import choose_member, is_zip
from pipeline.extract.files.discover import (
    ENDINGS,
    find_ending,
    is_candidate,
    is_read,
)
from pipeline.extract.files.entries import list_entries
from pipeline.extract.files.packed import list_members
from pipeline.extract.files.places import Places, is_thing
from pipeline.extract.files.tablenames import find_meant
from pipeline.extract.records import Note
from schemas.catalogue import Table
from schemas.sales import TABLES

_MOST: Final = 20
"""So many entries are named; the others are counted."""
_DATA: Final = (
    *ENDINGS, ".xml", ".zip", ".gz", ".7z", ".rar", ".bz2", ".xz", ".zst", ".tar",
    ".bak", ".old", ".dat", ".avro", ".orc", ".arrow", ".feather", ".db", ".sqlite", ".mdb",
    ".accdb",
)  # fmt: skip
"""Endings of files that may hold rows."""


def list_ignored(
    places: Places, used: Mapping[str, Collection[Path]], own: Collection[Path]
) -> Iterator[Note]:
    """One note for each entry of the source folder that was not read and could be meant.

    Those with a name like a table's come first.

    Args:
        places: the source folder.
        used: table → its files that were read.
        own: files and folders of the project, such as its file, its runs and its value maps.
    """
    if places.link is not None:
        yield from places.link.list_notes()
    known = {_find_real(path) for path in own}
    entries = sorted(list_entries(places.folder), key=lambda path: find_meant(path.name) is None)
    found = [
        (path, reason)
        for path in entries
        if (reason := _explain(path, places, used, known)) is not None
    ]
    named = [*((path.name, reason) for path, reason in found), *_list_packed(places.folder, used)]
    for name, reason in named[:_MOST]:
        yield Note(code="file_ignored", detail=f"{name}; {reason}", source_file=name)
    if len(named) > _MOST:
        yield Note(code="file_ignored", detail=f"{len(named) - _MOST:,} more files and folders")


def _list_packed(folder: Path, used: Mapping[str, Collection[Path]]) -> Iterator[tuple[str, str]]:
    """Files in zips that were read, which are named like a table and were not: name and why."""
    archives = {one for files in used.values() for one in files if is_zip(one)}
    for archive in sorted(archives):
        name = archive.relative_to(folder).as_posix()
        read = {
            choose_member(archive, name, TABLES[table]).member: table
            for table, files in used.items()
            if archive in files
        }
        for one in list_members(archive, name):
            inside = PurePosixPath(one.member)
            meant = find_meant(inside.name)
            if one.member in read or meant is None:
                continue
            by = next((other for other, table in read.items() if table == meant.name), "")
            reason = f"name it {meant.name}{inside.suffix} if it holds that table"
            yield (
                f"{name}/{one.member}",
                f"the table {meant.name} is read from {by}" if by else reason,
            )


def _explain(
    path: Path, places: Places, used: Mapping[str, Collection[Path]], own: Collection[Path]
) -> str | None:
    """Why an entry was not read; none if it was, or cannot be meant."""
    meant = find_meant(path.name)
    read = [one for files in used.values() for one in files]
    if (
        any(one == path or one.is_relative_to(path) for one in read)
        or _find_real(path) in own
        or (places.link is not None and places.link.knows(path.name))
        or not (_may_hold_rows(path, own) or (meant is not None and is_thing(path)))
        or (meant is not None and meant.name not in used and is_candidate(path, meant))
    ):
        return None
    return _compare(path, meant, used, places.folder)


def _compare(
    path: Path, meant: Table | None, used: Mapping[str, Collection[Path]], folder: Path
) -> str | None:
    if meant is None:
        return "no table has that name"
    if used.get(meant.name):
        first = min(used[meant.name])
        name = first.relative_to(folder).parts[0] if first.is_relative_to(folder) else first.name
        return f"the table {meant.name} is read from {name}"
    ending = find_ending(path)
    if path.is_dir() or is_read(path):
        return f"name it {meant.name}{ending} if it holds that table"
    return f"p2c does not read this form; the table {meant.name} would be {meant.name}.csv"


def _may_hold_rows(path: Path, own: Collection[Path]) -> bool:
    """Whether an entry looks like data: a file by its ending, a folder by what is in it."""
    if not path.is_dir():
        return is_thing(path) and path.suffix.casefold() in _DATA
    try:
        below = list_entries(path)
    except SourceError:
        return True
    if any((one / "run.json").exists() for one in below if one.is_dir()):
        return False  # it is a folder of runs
    return any(
        is_thing(one) and one.suffix.casefold() in _DATA
        for one in below
        if _find_real(one) not in own and not one.is_dir()
    )


def _find_real(path: Path) -> Path:
    """Where links lead; the path itself where they lead in a circle."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path
