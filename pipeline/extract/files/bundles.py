"""Files that hold several tables: zips of the maker portal, ``data.xml`` and the zip around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from pipeline.errors import SourceError
from pipeline.extract.files.packed import ArchiveMember, Content, list_members
from pipeline.extract.files.tablenames import names_table
from pipeline.extract.files.xml_records import describes_records, has_records
from pipeline.extract.records import ReadOptions
from schemas.catalogue import Table

ZIP: Final = ".zip"
RECORDS: Final = "data.xml"
_READ: Final = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson")
"""Endings of files that are read inside a zip, besides ``data.xml``."""
_OPTIONS: Final = ReadOptions()


def is_bundle(path: Path) -> bool:
    """Whether a file may hold several tables, by its name."""
    return (is_zip(path) or path.name.casefold() == RECORDS) and path.is_file()


def is_zip(path: Path) -> bool:
    """Whether a file is a zip, by its name."""
    return path.suffix.casefold() == ZIP


def bundle_holds_table(path: Path, table: Table) -> bool:
    """Whether a zip or ``data.xml`` has a table.

    Raises:
        SourceError: the file cannot be read.
    """
    if is_zip(path):
        return bool(_find_members(path, table))
    return _has_records(path, path.name, table)


def choose_member(path: Path, name: str, table: Table) -> ArchiveMember:
    """The file in a zip that is a table: the one named after it, or the only one.

    Raises:
        SourceError: none is, or several are.
    """
    found = _find_members(path, table)
    members = list_members(path, name)
    if not found:
        found = [one for one in members if _is_read(one)]
    if len(found) == 1:
        return found[0]
    there = ", ".join(one.member for one in members[:8]) or "nothing"
    reason = "several files" if found else "no file"
    raise SourceError(
        f"holds {reason} that could be {table.name}: {there}. Leave one {table.name}.csv in it, or "
        "unpack it.",
        where=name,
    )


def is_read_as_records(path: Path, name: str) -> bool:
    """Whether an XML file is one of the Configuration Migration tool."""
    return describes_records(path, name, _OPTIONS)


def _find_members(path: Path, table: Table) -> Sequence[ArchiveMember]:
    """The files in a zip that are a table, by their names or by what they hold."""
    return [
        one
        for one in list_members(path, path.name)
        if (_is_read(one) and names_table(PurePosixPath(one.member).stem, table))
        or (_is_records(one) and _has_records(one, f"{path.name}/{one.member}", table))
    ]


def _is_read(one: ArchiveMember) -> bool:
    return PurePosixPath(one.member).suffix.casefold() in _READ


def _is_records(one: ArchiveMember) -> bool:
    return PurePosixPath(one.member).name.casefold() == RECORDS


def _has_records(content: Content, name: str, table: Table) -> bool:
    return describes_records(content, name, _OPTIONS) and has_records(
        content, name, table, _OPTIONS
    )
