"""Where each table of a source folder is: in what models describe, or in files named after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.errors import SourceError, list_first
from pipeline.extract.files.discover import (
    StoredTable,
    choose_candidates,
    find_ending,
    find_files,
    is_candidate,
    is_delta,
    is_read,
    is_workbook,
    list_candidates,
    make_double_error,
)
from pipeline.extract.files.entries import list_entries, walk_files
from pipeline.extract.files.synapse import Link, open_link
from pipeline.extract.files.tablenames import find_meant
from pipeline.extract.files.workbook_sheets import find_trouble
from schemas.catalogue import Table
from schemas.sales import CONTACTS

_WRITING: Final = (
    ".md", ".rst", ".toml", ".ini", ".yaml", ".yml", ".sql", ".py", ".ps1", ".sh", ".cmd", ".bat",
    ".log", ".crc",
)  # fmt: skip
_ABOUT: Final = (
    "readme", "license", "licence", "changelog", "lies mich", "liesmich", "data_schema.xml",
    "[content_types].xml",
)  # fmt: skip
_LISTED: Final = 8
"""Entries of a folder that a message names."""
_MANIFEST: Final = ".manifest.cdm.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """What a source folder holds: its models, and everything that could be a table."""

    folder: Path
    link: Link | None
    candidates: tuple[Path, ...]

    @classmethod
    def look(cls, folder: Path) -> Places:
        """Look into a source folder.

        Raises:
            SourceError: it is missing, a file, or closed to us, or a model cannot be read.
        """
        candidates = tuple(list_candidates(folder))
        return cls(folder=folder, link=open_link(folder), candidates=candidates)

    def find(self, table: Table) -> StoredTable | None:
        """The table as models describe it, or its own files; none if the folder lacks it.

        Raises:
            SourceError: it is there twice, or cannot be read, or it is ``contacts`` and missing.
        """
        return self.find_contacts() if table is CONTACTS else self._find(table)

    def find_contacts(self) -> StoredTable:
        """The table that must be there.

        Raises:
            SourceError: it is missing, there twice, or cannot be read.
        """
        found = self._find(CONTACTS)
        if found is None:
            open_ones = [] if self.link is None else self.link.intervals.unfinished
            if open_ones:
                raise SourceError(
                    "holds only folders that Synapse Link still writes to "
                    f"({open_ones[0].path.name}): copy them again when newer ones are there.",
                    where=str(self.folder),
                )
            raise _make_missing_error(self.folder, CONTACTS)
        return found

    def _find(self, table: Table) -> StoredTable | None:
        linked = None if self.link is None else self.link.find(table)
        if linked is None:
            self._refuse_manifest(table)
            return find_files(self.folder, table, self.candidates)
        others = self._list_others(table, linked)
        if not linked.parts and others:
            return find_files(self.folder, table, others)
        if others:
            first = min(linked.folders, default=linked.parts[0].path)
            raise make_double_error(self.folder, table, [first, *others])
        if not linked.parts and table is CONTACTS:
            raise SourceError(
                f"lists no files of {table.singular}, and there is no CSV in its folder.",
                where=linked.described_in,
            )
        return linked

    def _list_others(self, table: Table, linked: StoredTable) -> list[Path]:
        """Candidates for a linked table that are not its own."""
        own = {part.path for part in linked.parts}
        return [
            path
            for path in choose_candidates(self.candidates, table)
            if path not in linked.folders and not any(one.is_relative_to(path) for one in own)
        ]

    def _refuse_manifest(self, table: Table) -> None:
        """Find a folder of the Common Data Model that only a manifest describes."""
        manifests = [path.name for path in self.candidates if _is_manifest(path.name)]
        if not manifests:
            return
        found = choose_candidates(self.candidates, table)
        has_csv = any(find_ending(one) == ".csv" for path in found for one in _list_below(path))
        if has_csv or (not found and table is CONTACTS):
            raise SourceError(
                "is a manifest of the Common Data Model, which is not read: name a folder that "
                "has model.json, or files with a header line.",
                where=manifests[0],
            )


def _list_below(path: Path) -> list[Path]:
    """The files below a folder; none below a file."""
    return list(walk_files(path)) if path.is_dir() else []


def _is_manifest(name: str) -> bool:
    return f".{name.casefold()}".endswith(_MANIFEST)


def is_thing(path: Path) -> bool:
    """Whether a file is not a text about the others, or a program."""
    name = path.name.casefold()
    return not name.endswith(_WRITING) and not name.startswith(_ABOUT)


def _make_missing_error(folder: Path, table: Table) -> SourceError:
    """The error for a table that must be there."""
    if is_delta(folder):
        return SourceError(
            f"is a Delta table itself: name the folder that holds it, as a folder {table.name}.",
            where=str(folder),
        )
    entries = list_entries(folder)
    names = [path.name for path in entries]
    listed = f"The folder holds: {list_first(names, _LISTED)}." if names else "The folder is empty."
    troubles = [find_trouble(path) for path in entries if is_workbook(path)]
    listed += "".join(f" {trouble}" for trouble in troubles if trouble)
    return SourceError(
        f"there is no table {table.name}; p2c looks for {table.name}.csv, .xlsx, .parquet, .jsonl, "
        f".json or a folder {table.name}.{_suggest(entries, table)} {listed}",
        where=str(folder),
    )


def _suggest(entries: Sequence[Path], table: Table) -> str:
    """What may be meant for the table: a file of a form that is read, else one of another form."""
    near = [path for path in entries if find_meant(path.name) is table and is_thing(path)]
    readable = [path for path in near if path.is_dir() or is_read(path)]
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
