"""What lies in the source folder and was not read, and the error where contacts are missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pipeline.errors import SourceError
from pipeline.extract.files.discover import (
    ENDINGS,
    find_ending,
    is_candidate,
    is_delta,
    is_workbook,
)
from pipeline.extract.files.entries import list_entries
from pipeline.extract.files.places import Places
from pipeline.extract.files.tablenames import find_meant
from pipeline.extract.files.workbook_sheets import find_trouble
from pipeline.extract.records import Note
from schemas.catalogue import Table

_MOST: Final = 20
"""So many entries are named; the others are counted."""
_DATA: Final = (
    *ENDINGS, ".xml", ".zip", ".gz", ".7z", ".rar", ".bz2", ".xz", ".zst", ".tar",
    ".bak", ".old", ".dat", ".avro", ".orc", ".arrow", ".feather", ".db", ".sqlite", ".mdb",
    ".accdb",
)  # fmt: skip
"""Endings of files that may hold rows."""
_WRITING: Final = (
    ".md", ".rst", ".toml", ".ini", ".yaml", ".yml", ".sql", ".py", ".ps1", ".sh", ".cmd", ".bat",
    ".log", ".crc",
)  # fmt: skip
_ABOUT: Final = ("readme", "license", "licence", "changelog", "lies mich", "liesmich")


def list_ignored(
    places: Places, used: Mapping[str, Collection[Path]], own: Collection[Path]
) -> Iterator[Note]:
    """One note for each entry of the source folder that was not read and could be meant.

    Args:
        places: the source folder.
        used: table → its files that were read.
        own: files and folders of the project, such as its file, its runs and its value maps.
    """
    if places.link is not None:
        yield from places.link.list_notes()
    known = {path.resolve() for path in own}
    found = [
        (path, reason)
        for path in list_entries(places.folder)
        if (reason := _explain(path, places, used, known)) is not None
    ]
    for path, reason in found[:_MOST]:
        yield Note(code="file_ignored", detail=f"{path.name}; {reason}", source_file=path.name)
    if len(found) > _MOST:
        yield Note(code="file_ignored", detail=f"{len(found) - _MOST:,} more files and folders")


def _explain(
    path: Path, places: Places, used: Mapping[str, Collection[Path]], own: Collection[Path]
) -> str | None:
    """Why an entry was not read; none if it was, or cannot be meant."""
    meant = find_meant(path.name)
    read = [one for files in used.values() for one in files]
    if (
        any(one == path or one.is_relative_to(path) for one in read)
        or path.resolve() in own
        or (places.link is not None and places.link.knows(path.name))
        or not (_may_hold_rows(path, own) or (meant is not None and _is_thing(path)))
        or (meant is not None and meant.name not in used and is_candidate(path, meant))
    ):
        return None
    return _compare(path, meant, used, places.folder)


def _compare(
    path: Path, meant: Table | None, used: Mapping[str, Collection[Path]], folder: Path
) -> str | None:
    if meant is None:
        return "no table has that name" if not path.is_dir() else "no table has its name"
    if used.get(meant.name):
        first = min(used[meant.name])
        name = first.relative_to(folder).parts[0] if first.is_relative_to(folder) else first.name
        return f"{meant.name} is read from {name}"
    ending = find_ending(path)
    if path.is_dir() or ending:
        return f"name it {meant.name}{ending} if it holds that table"
    return f"p2c does not read this form; the table {meant.name} would be {meant.name}.csv"


def _may_hold_rows(path: Path, own: Collection[Path]) -> bool:
    """Whether an entry looks like data: a file by its ending, a folder by what is in it."""
    if not path.is_dir():
        return _is_thing(path) and path.suffix.casefold() in _DATA
    try:
        below = list_entries(path)
    except SourceError:
        return True
    if any((one / "run.json").exists() for one in below if one.is_dir()):
        return False  # it is a folder of runs
    return any(
        _is_thing(one) and one.suffix.casefold() in _DATA
        for one in below
        if one.resolve() not in own and not one.is_dir()
    )


def _is_thing(path: Path) -> bool:
    """Whether a file is not a text about the others, or a program."""
    name = path.name.casefold()
    return not name.endswith(_WRITING) and not name.startswith(_ABOUT)


def make_missing_error(folder: Path, table: Table) -> SourceError:
    """The error for a table that must be there."""
    if is_delta(folder):
        return SourceError(
            f"is a Delta table itself: name the folder that holds it, as a folder {table.name}.",
            where=str(folder),
        )
    entries = list_entries(folder)
    names = [path.name for path in entries]
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""  # noqa: PLR2004
    listed = f"The folder holds: {', '.join(names[:8])}{more}." if names else "The folder is empty."
    troubles = [find_trouble(path) for path in entries if is_workbook(path)]
    listed += "".join(f" {trouble}" for trouble in troubles if trouble)
    return SourceError(
        f"there is no table {table.name}; p2c looks for {table.name}.csv, .xlsx, .parquet, .jsonl, "
        f".json or a folder {table.name}.{_suggest(entries, table)} {listed}",
        where=str(folder),
    )


def _suggest(entries: Sequence[Path], table: Table) -> str:
    """What may be meant for the table: a file of a form that is read, else one of another form."""
    near = [path for path in entries if find_meant(path.name) is table and _is_thing(path)]
    readable = [path for path in near if path.is_dir() or find_ending(path)]
    if readable:
        return f" Did you mean '{readable[0].name}'?"
    if near:
        return f" The form of {near[0].name} is not read."
    inside = [
        f"{path.name}/{one.name}"
        for path in entries
        if path.is_dir() and find_meant(path.name) is None
        for one in _list_quietly(path)
        if is_candidate(one, table)
    ]
    return f" Is it {inside[0]}? Name that folder as the source." if inside else ""


def _list_quietly(folder: Path) -> list[Path]:
    try:
        return list_entries(folder)
    except SourceError:
        return []
