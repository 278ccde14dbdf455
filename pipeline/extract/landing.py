"""Sources → landed tables: Parquet with declared columns, file and line of every row.

Text sources (CSV, JSON) are landed as text, exactly as written; types are read in the
next step, so nothing is guessed per batch. Parquet sources are read where they lie.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from pipeline.errors import during
from pipeline.extract.files.discover import FilePart, Form, StoredTable
from pipeline.extract.files.ignored import list_ignored
from pipeline.extract.files.parquet import ParquetPart, can_stay, describe_part, unify_types
from pipeline.extract.files.places import Places
from pipeline.extract.forms import Seen, read_chunks
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.lake.parts import describe_delta
from pipeline.extract.marks import UnknownMarks
from pipeline.extract.records import (
    Chunk,
    Note,
    ReadOptions,
    Stamp,
    TableVersion,
    UnreadableRow,
    note_export_limit,
    note_row_count,
)
from pipeline.extract.writing import LandedFile
from schemas.sales import TABLES

__all__ = [
    "LandedFolder",
    "LandedTable",
    "Note",
    "Progress",
    "ReadOptions",
    "SourceFile",
    "UnreadableRow",
    "land_folder",
]

Progress = Callable[[str, int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """One file of the user's: its path, its name in findings, its readable rows and its bytes.

    ``columns`` are the canonical ones that it has; null where a row may leave blanks out, as in
    JSON. ``stamp`` is the file as it was when it was found; null for what is no file of the user's.
    """

    path: Path
    name: str
    rows: int
    bytes: int
    columns: frozenset[str] | None = None
    stamp: Stamp | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LandedTable:
    """One landed table.

    ``files`` are Parquet: one file of ours, or the user's own when ``in_place``; ``columns`` names
    their columns by canonical name; ``rows`` are the readable ones. ``lookups_are_names``: the form
    writes the name of the other record where a lookup's id belongs, as Excel exports do.
    ``version`` is that of a Delta table. ``words`` says how many cells of a column are nothing but
    a word that databases write for null, by column and word; null when nobody looked, because the
    files were not read. ``fractions``: columns of digits that a data frame wrote with ``.0``, which
    are read without it. ``month_first``: the service that wrote the files is known to put the month
    before the day.
    """

    table: str
    in_place: bool
    files: tuple[Path, ...]
    columns: Mapping[str, str]
    rows: int
    sources: tuple[SourceFile, ...]
    unreadable: tuple[UnreadableRow, ...] = ()
    notes: tuple[Note, ...] = ()
    lookups_are_names: bool = False
    version: TableVersion | None = None
    words: Mapping[tuple[str, str], int] | None = None
    fractions: frozenset[str] = frozenset()
    month_first: bool = False

    @property
    def paths(self) -> list[Path]:
        """The user's files that it came from, and the folder of a Delta table."""
        folder = [] if self.version is None else [self.version.folder]
        return [*(one.path for one in self.sources), *folder]


@dataclass(frozen=True, kw_only=True, slots=True)
class LandedFolder:
    """The tables that a folder has, and what is to be said of the folder itself."""

    tables: Mapping[str, LandedTable]
    notes: tuple[Note, ...] = ()

    def list_notes(self) -> list[Note]:
        """What is to be said of the folder and of its tables."""
        return [*self.notes, *(note for table in self.tables.values() for note in table.notes)]


def land_folder(
    folder: Path,
    into: Path,
    *,
    tables: Collection[str],
    extra: Mapping[str, Collection[str]],
    wished: Mapping[str, Collection[str]],
    options: ReadOptions,
    progress: Progress,
    own: Collection[Path] = (),
) -> LandedFolder:
    """Land tables of a folder of exports or of a Synapse Link folder.

    Args:
        folder: the user's folder.
        into: where text sources are landed as ``<table>.parquet``.
        tables: names of ``schemas.sales.TABLES``; those that the folder does not have are left out
            of the answer.
        extra: table → further columns that must be there.
        wished: table → further columns that are taken if they are there.
        options: limits.
        progress: is given table and rows while reading.
        own: files and folders of the project, which nobody takes for tables.

    Raises:
        SourceError: contacts are missing, or a table cannot be read as a whole.
        Stopped: the disk failed, or is full.
    """
    found: dict[str, LandedTable] = {}
    places = Places.look(folder)
    for name in tables:
        selection = ColumnSelection(
            table=TABLES[name], extra=extra.get(name, ()), wished=wished.get(name, ())
        )
        landing = _Landing(selection=selection, into=into, options=options, progress=progress)
        landed = landing.run(places)
        if landed is not None:
            found[name] = landed
    used = {name: table.paths for name, table in found.items()}
    return LandedFolder(tables=found, notes=tuple(list_ignored(places, used, own)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Landing:
    """One table on its way."""

    selection: ColumnSelection
    into: Path
    options: ReadOptions
    progress: Progress

    def run(self, places: Places) -> LandedTable | None:
        """The table, none if the folder does not have it."""
        stored = places.find(self.selection.table)
        if stored is None:
            return None
        if stored.header:
            self.selection.pick(stored.header, stored.described_in)
        landed = self._land(stored)
        notes = (*landed.notes, *stored.notes)
        count = note_row_count(landed.table, landed.rows + len(landed.unreadable), notes)
        notes = notes if count is None else (*notes, count)
        return replace(landed, notes=notes, month_first=bool(stored.header))

    def _land(self, stored: StoredTable) -> LandedTable:
        if stored.form is Form.PARQUET:
            return self._land_parquet(
                [describe_part(part, self.selection) for part in stored.parts]
            )
        if stored.form is Form.DELTA:
            found = describe_delta(stored.parts[0], self.selection)
            landed = self._land_parquet(found.parts, found.columns)
            return replace(landed, version=found.version)
        form = stored.form
        landed = self._land_text(
            stored.parts, lambda part: read_chunks(part, form, self.selection, self.options), form
        )
        if form is not Form.WORKBOOK:
            return landed
        lost = Counter(row.source_file for row in landed.unreadable)
        told = [note_export_limit(one.name, one.rows + lost[one.name]) for one in landed.sources]
        notes = (*landed.notes, *(note for note in told if note is not None))
        return replace(landed, notes=notes, lookups_are_names=True)

    def _land_text(
        self, parts: tuple[FilePart, ...], chunks: Callable[[FilePart], Iterator[Chunk]], form: Form
    ) -> LandedTable:
        """All parts in one file.

        Later parts may lack columns that the first one has, and the other way round.
        """
        seen, sources = Seen.of(self.selection), []
        columns = pa.schema([(name, pa.string()) for name in self.selection.names])
        with (
            during(f"landing {self.selection.table.name}"),
            LandedFile(self._path, columns, only_first=_have_one_header(parts, form)) as file,
        ):
            for part in parts:
                before, own = seen.rows, set[str]()
                for chunk in seen.watch(chunks(part)):
                    file.add(chunk.table, part.name)
                    own.update(chunk.columns)
                    self.progress(self.selection.table.name, seen.rows)
                told = frozenset(own) if form is Form.DELIMITED else None
                sources.append(_describe_source(part, seen.rows - before, told))
            seen.check(
                form,
                self.selection,
                parts[0].name if len(parts) == 1 else self.selection.table.name,
            )
        names = dict.fromkeys(seen.columns or self.selection.names)
        notes = (*seen.marks.list_notes(), *seen.notes)
        return self._describe(names, sources, file, tuple(seen.unreadable), notes)

    def _land_parquet(
        self, parts: Sequence[ParquetPart], columns: pa.Schema | None = None
    ) -> LandedTable:
        """Parts where they lie, or in one file.

        ``columns`` are those of all parts; without any they are found in them.
        """
        sources = [_describe_source(one.part, one.rows, frozenset(one.columns)) for one in parts]
        notes = self._count_marks(parts)
        if parts and can_stay(parts):
            return LandedTable(
                table=self.selection.table.name,
                in_place=True,
                files=tuple(one.part.path for one in parts),
                columns={name: spellings[0] for name, spellings in parts[0].columns.items()},
                rows=sum(one.rows for one in parts),
                sources=tuple(sources),
                notes=notes,
            )
        done, columns = 0, unify_types(parts) if columns is None else columns
        with (
            during(f"landing {self.selection.table.name}"),
            LandedFile(self._path, columns) as file,
        ):
            for one in parts:
                for table in one.read_chunks(columns):
                    file.add(table, one.part.name)
                    done += table.num_rows
                    self.progress(self.selection.table.name, done)
        return self._describe(columns.names, sources, file, notes=notes)

    def _count_marks(self, parts: Sequence[ParquetPart]) -> tuple[Note, ...]:
        marks = UnknownMarks(self.selection)
        for one in parts:
            for rows in one.read_marks():
                marks.count(rows)
        return tuple(marks.list_notes())

    @property
    def _path(self) -> Path:
        return self.into / f"{self.selection.table.name}.parquet"

    def _describe(
        self,
        columns: Collection[str],
        sources: Sequence[SourceFile],
        file: LandedFile,
        unreadable: tuple[UnreadableRow, ...] = (),
        notes: tuple[Note, ...] = (),
    ) -> LandedTable:
        return LandedTable(
            table=self.selection.table.name,
            in_place=False,
            files=(self._path,),
            columns={name: name for name in columns},
            rows=sum(one.rows for one in sources),
            sources=tuple(sources),
            unreadable=unreadable,
            words=file.words,
            fractions=file.fractions,
            notes=notes,
        )


def _have_one_header(parts: Sequence[FilePart], form: Form) -> bool:
    """Whether the first chunk has every column that any part has."""
    headers = {part.header for part in parts}
    return form is Form.DELIMITED and len(headers) == 1 and (len(parts) == 1 or None not in headers)


def _describe_source(part: FilePart, rows: int, columns: frozenset[str] | None) -> SourceFile:
    return SourceFile(
        path=part.path,
        name=part.name,
        rows=rows,
        bytes=part.path.stat().st_size if part.stamp is None else part.stamp.size,
        columns=columns,
        stamp=part.stamp,
    )
