"""A Synapse Link folder: headerless CSV, described by models (reference A.13).

The service lays it out in three ways: one ``model.json`` for the whole folder, one model a table
below ``Microsoft.Athena.TrickleFeedService``, or folders by time with a model each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from pipeline.errors import SourceError, list_first
from pipeline.extract.files.discover import FilePart, Form, StoredTable
from pipeline.extract.files.entries import list_entries, list_folders, measure_file, walk_files
from pipeline.extract.files.intervals import Interval, Intervals, find_intervals
from pipeline.extract.files.model import MODEL, CdmModel, Layout, ModelTable, read_cdm_model
from pipeline.extract.files.tablenames import names_table
from pipeline.extract.records import Note
from schemas.catalogue import Table

SERVICE: Final = "Microsoft.Athena.TrickleFeedService"
"""The folder of the service's own files."""
_PER_TABLE: Final = "-model.json"
_CSV: Final = ".csv"
_LISTED: Final = 3
"""Folders that a note names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A source folder that Synapse Link, or a dataflow, wrote."""

    root: Path
    model: CdmModel | None = None
    per_table: Mapping[str, Path] = field(default_factory=dict)
    intervals: Intervals = field(default_factory=Intervals)

    def find(self, table: Table) -> StoredTable | None:
        """The table that models describe, none if they do not.

        Raises:
            SourceError: a model cannot be read, or a file that it lists is missing.
        """
        described = self._describe(table)
        if not self.intervals.whole and not self.intervals.unfinished:
            if described is None:
                return None
            model, found = described
            return _read_folder(self.root, self.root, table, found, model)
        read = [self._read_interval(one, table, described) for one in self.intervals.whole]
        return _join([one for one in read if one is not None], table, described)

    def knows(self, name: str) -> bool:
        """Whether an entry of the folder is the service's own, or of an entity of its models."""
        folded = name.casefold()
        dated = {one.path.name for one in (*self.intervals.whole, *self.intervals.unfinished)}
        models = [one.model for one in self.intervals.whole if one.model is not None]
        models += [self.model] if self.model is not None else []
        return (
            name in dated
            or folded in _OWN
            or folded.endswith(".cdm.json")
            or any(folded in one.entity_names for one in models)
        )

    def list_notes(self) -> list[Note]:
        """Which folders by time are left out, and which are not there."""
        notes = [
            _note_ignored(one.path.name, "Synapse Link still writes to this folder")
            for one in self.intervals.unfinished
        ]
        if self.intervals.gone:
            gone = list_first(self.intervals.gone, _LISTED)
            notes.append(Note(code="folder_missing", detail=gone))
        return notes

    def _describe(self, table: Table) -> tuple[CdmModel, ModelTable] | None:
        """What the models of the whole folder say: ``model.json``, else the table's own."""
        models = [self.model] if self.model is not None else []
        for entity, path in self.per_table.items():
            if names_table(entity, table):
                own = read_cdm_model(path, path.relative_to(self.root).as_posix())
                models += [own] if own is not None else []
        for model in models:
            found = model.find(table)
            if found is not None:
                return model, found
        return None

    def _read_interval(
        self, one: Interval, table: Table, described: tuple[CdmModel, ModelTable] | None
    ) -> StoredTable | None:
        """The table's rows of one interval; none if it has none."""
        own = None if one.model is None else one.model.find(table)
        if own is not None and one.model is not None:
            return _read_folder(self.root, one.path, table, own, one.model)
        folders = _find_folders(one.path, table)
        if not folders:
            return None
        if described is None:
            raise SourceError(
                f"has no {MODEL}, and the files of {table.name} have no header line: copy the "
                "model with them.",
                where=one.path.name,
            )
        model, found = described
        return _read_folder(self.root, one.path, table, replace(found, partitions=()), model)


_OWN: Final = {
    MODEL,
    SERVICE.casefold(),
    "changelog",
    "optionsetmetadata",
    "globaloptionsetmetadata",
    "entitymetadata",
    "entityrelationshipmetadata",
    "statemetadata",
    "statusmetadata",
    "targetmetadata",
}


def open_link(root: Path) -> Link | None:
    """The models of a source folder; none if it has none.

    Raises:
        SourceError: a model cannot be read.
    """
    model = read_cdm_model(root / MODEL, MODEL)
    intervals = find_intervals(root)
    per_table = {
        path.name[: -len(_PER_TABLE)]: path
        for folder in list_folders(root)
        if folder.name.casefold() == SERVICE.casefold()
        for path in list_entries(folder)
        if path.name.casefold().endswith(_PER_TABLE)
    }
    if model is None and not per_table and not intervals.whole and not intervals.unfinished:
        return None
    return Link(root=root, model=model, per_table=per_table, intervals=intervals)


def _join(
    read: Collection[StoredTable], table: Table, described: tuple[CdmModel, ModelTable] | None
) -> StoredTable | None:
    """One table out of those of the intervals, oldest first; none if nothing describes it."""
    if not read:
        if described is None:
            return None
        model, found = described
        return StoredTable(
            form=Form.DELIMITED,
            parts=(),
            header=found.header,
            described_in=model.name,
        )
    *_, newest = read
    if len({one.form for one in read if one.parts}) > 1:
        raise SourceError(f"lists {table.name} in several forms.", where=newest.described_in)
    return replace(
        newest,
        parts=tuple(part for one in read for part in one.parts),
        folders=tuple(folder for one in read for folder in one.folders),
        notes=tuple(note for one in read for note in one.notes),
    )


def _read_folder(
    root: Path, folder: Path, table: Table, found: ModelTable, model: CdmModel
) -> StoredTable:
    """The table's files in one folder: those that are listed, else all in the entity's folder."""
    folders = _find_folders(folder, table, found.entity)
    if found.partitions:
        files = {_find_local(folder, one.steps, model): one.layout for one in found.partitions}
    else:
        files = {path: Layout() for path in _list_csv(folders)}
    forms = {Form.PARQUET if one.is_parquet else Form.DELIMITED for one in files.values()}
    if len(forms) > 1:
        raise SourceError(f"lists {table.name} in several forms.", where=model.name)
    parts = []
    for path, layout in files.items():
        name = path.relative_to(root).as_posix()
        measure_file(path, name)
        own = None if layout.has_header or layout.is_parquet else found.header
        parts.append(FilePart(path=path, name=name, header=own, delimiter=layout.delimiter))
    return StoredTable(
        form=forms.pop() if forms else Form.DELIMITED,
        parts=tuple(parts),
        header=found.header,
        described_in=model.name,
        folders=tuple(folders),
        notes=tuple(_note_unlisted(root, folders, files, model)),
    )


def _find_folders(folder: Path, table: Table, entity: str | None = None) -> list[Path]:
    """The folders of a table: that of its entity, whatever the case of its name."""
    return [
        one
        for one in list_folders(folder)
        if (
            names_table(one.name, table)
            if entity is None
            else one.name.casefold() == entity.casefold()
        )
    ]


def _list_csv(folders: Iterable[Path]) -> list[Path]:
    """The CSV files that lie in some folders themselves, in order."""
    return [
        path
        for folder in folders
        for path in list_entries(folder)
        if path.name.casefold().endswith(_CSV) and not path.is_dir()
    ]


def _find_local(folder: Path, steps: tuple[str, ...], model: CdmModel) -> Path:
    """The longest tail of a partition's address that is a file below the folder.

    A tail has two steps at least, if the address has: a file's bare name could be any table's.
    """
    for start in range(max(len(steps) - 1, 1)):
        path = folder.joinpath(*steps[start:])
        if ".." not in steps and _is_file(path):
            return path
    raise SourceError(
        f"lists {'/'.join(steps[-2:])}, which is not in the folder.", where=model.name
    )


def _is_file(path: Path) -> bool:
    """Whether there is such a file; no file has a name that the machine does not allow."""
    try:
        return path.exists() and not path.is_dir()
    except (OSError, ValueError):
        return False


def _note_unlisted(
    root: Path, folders: Iterable[Path], read: Collection[Path], model: CdmModel
) -> Iterator[Note]:
    """Files of the table that are not read: each by name, those of deeper folders together."""
    for folder in folders:
        counts: Counter[Path] = Counter()
        for path in walk_files(folder):
            if path not in read:
                counts[folder / path.relative_to(folder).parts[0]] += 1
        for path, count in counts.items():
            reason = f"{model.name} does not list it"
            if path.is_dir():
                files = "a file" if count == 1 else f"{count:,} files"
                reason = f"{files} that {model.name} does not list"
            yield _note_ignored(path.relative_to(root).as_posix(), reason)


def _note_ignored(name: str, reason: str) -> Note:
    return Note(code="file_ignored", detail=f"{name}; {reason}", source_file=name)
