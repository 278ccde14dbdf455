"""Where each table of a source folder is: in what models describe, or in files named after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.errors import SourceError
from pipeline.extract.files.discover import (
    StoredTable,
    choose_candidates,
    find_ending,
    find_files,
    list_candidates,
    make_double_error,
)
from pipeline.extract.files.entries import list_entries, walk_files
from pipeline.extract.files.synapse import Link, open_link
from schemas.catalogue import Table

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
            SourceError: it is there twice, or cannot be read; or it is ``contacts``, and models
                describe it but there are no files of it.
        """
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
        if not linked.parts and table.name == "contacts":
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
        found = choose_candidates(self.candidates, table)
        has_csv = any(find_ending(one) == ".csv" for path in found for one in _list_below(path))
        manifests = [path.name for path in list_entries(self.folder) if _is_manifest(path.name)]
        if manifests and (has_csv or (not found and table.name == "contacts")):
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
