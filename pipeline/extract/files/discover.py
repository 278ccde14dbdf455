"""Which files of a folder belong to which table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Final

from pipeline.errors import SourceError, reading
from pipeline.extract.files.bundles import (
    ZIP,
    bundle_holds_table,
    choose_member,
    is_bundle,
    is_read_as_records,
    is_zip,
)
from pipeline.extract.files.entries import list_entries, list_folders, measure_file, walk_files
from pipeline.extract.files.packed import ArchiveMember, Content
from pipeline.extract.files.stamps import take_stamp
from pipeline.extract.files.tablenames import find_meant, names_table
from pipeline.extract.files.workbook_sheets import holds_table
from pipeline.extract.records import Note, Stamp
from schemas.catalogue import Table
from schemas.sales import CONTACTS


class Form(StrEnum):
    """How a table is stored."""

    DELIMITED = "CSV"
    PARQUET = "Parquet"
    PAGES = "JSON"
    LINES = "JSON lines"
    DELTA = "Delta"
    WORKBOOK = "Excel"
    RECORDS = "data.xml"


ENDINGS: Final[Mapping[str, Form]] = {
    ".csv": Form.DELIMITED,
    ".tsv": Form.DELIMITED,
    ".txt": Form.DELIMITED,
    ".parquet": Form.PARQUET,
    ".json": Form.PAGES,
    ".jsonl": Form.LINES,
    ".ndjson": Form.LINES,
    ".xlsx": Form.WORKBOOK,
    ".xlsm": Form.WORKBOOK,
    ".xlsb": Form.WORKBOOK,
    ".xls": Form.WORKBOOK,
    ".ods": Form.WORKBOOK,
    ".xml": Form.RECORDS,
    ".csv.gz": Form.DELIMITED,
    ".tsv.gz": Form.DELIMITED,
    ".txt.gz": Form.DELIMITED,
    ".json.gz": Form.PAGES,
    ".jsonl.gz": Form.LINES,
    ".ndjson.gz": Form.LINES,
    ".xml.gz": Form.RECORDS,
}
"""Ending of a name → form; of several endings that a name has, the longest counts."""
_OTHERS: Final[Mapping[str, str]] = {
    ".parquet.gz": "unpack it, for Parquet is packed already",
    ".bz2": "unpack it, or pack it with gzip",
    ".xz": "unpack it, or pack it with gzip",
    ".zst": "unpack it, or pack it with gzip",
    ".7z": "unpack it",
    ".rar": "unpack it",
    ".tar": "unpack it",
    ".tar.gz": "unpack it",
    ".tgz": "unpack it",
}
"""Endings of packed files that are not read, and what to do."""
_LAKES: Final = ("tables", "deltalake")
"""Folders in which a lakehouse and Synapse Link keep tables."""
_SCHEMA: Final = "dbo"
_SNAPSHOT: Final = "snapshot"
_SAMPLE: Final = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePart:
    """One file of a table; ``name`` is what findings call it, relative to the source folder.

    ``header`` are the columns of a CSV file without header line, and ``delimiter`` is its own.
    ``member`` is the file in a zip; ``path`` is the zip then. ``stamp`` is the file as it was when
    it was found.
    """

    path: Path
    name: str
    header: tuple[str, ...] | None = None
    delimiter: str = ","
    member: str | None = None
    stamp: Stamp | None = field(init=False, compare=False)

    @property
    def content(self) -> Content:
        """Where its bytes are."""
        if self.member is None:
            return self.path
        return ArchiveMember(archive=self.path, member=self.member)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stamp", take_stamp(self.path))


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTable:
    """Where a table is: its form and its files, in order.

    A model, if one describes the table, gives its columns as ``header``; ``described_in`` is the
    model's name, ``folders`` are the table's own. ``notes`` are to be said of it.
    """

    form: Form
    parts: tuple[FilePart, ...]
    header: tuple[str, ...] = ()
    described_in: str = ""
    folders: tuple[Path, ...] = ()
    notes: tuple[Note, ...] = ()


def find_ending(path: PurePath) -> str:
    """The known ending of a file's or folder's name, in lower case; blank if it has none."""
    return _find_ending(path.name.casefold(), (*ENDINGS, *_OTHERS, ZIP))


def _find_ending(name: str, known: Collection[str]) -> str:
    """The longest ending; that of a packed file with the one before it, as in ``.csv.bz2``."""
    found = max((one for one in known if name.endswith(one) and name != one), key=len, default="")
    if found in ENDINGS or not found:
        return found
    return _find_ending(name.removesuffix(found), ENDINGS) + found


def is_read(path: Path) -> bool:
    """Whether files of a name's ending are read; of XML files only few are."""
    ending = find_ending(path)
    return ending.endswith(ZIP) or (ending in ENDINGS and ENDINGS[ending] is not Form.RECORDS)


def find_form(path: Path) -> Form:
    """The form of a file, by its ending; without any ending by how it begins.

    Raises:
        SourceError: files of that form are not read, or it is no ordinary file.
    """
    measure_file(path, path.name)
    ending = find_ending(path)
    if ending in ENDINGS:
        return ENDINGS[ending]
    for packed, remedy in _OTHERS.items():
        if ending.endswith(packed):
            raise SourceError(f"'{ending}' files are not read: {remedy}.", where=path.name)
    if not path.suffix:
        return _guess_form(path)
    raise SourceError(
        f"'{path.suffix.lower()}' files are not read; use one of {', '.join(ENDINGS)}.",
        where=path.name,
    )


def _guess_form(path: Path) -> Form:
    """The form of a file whose name has no ending."""
    with reading(path.name), path.open("rb") as file:
        start = file.read(_SAMPLE)
    if start.startswith(b"PAR1"):
        return Form.PARQUET
    if start.startswith(b"PK\x03\x04"):
        raise SourceError(
            "is a ZIP archive or a workbook, but its name has no ending; give it one.",
            where=path.name,
        )
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        return Form.PAGES
    if text.startswith(b"{"):
        lines = [line for line in text.splitlines()[:2] if line.strip()]
        alike = all(line.startswith(b"{") and line.rstrip().endswith(b"}") for line in lines[:1])
        return Form.LINES if alike and b'"value"' not in lines[0] else Form.PAGES
    return Form.DELIMITED


def list_candidates(folder: Path) -> list[Path]:
    """Everything of a source folder that could be a table: its entries, and those of a lakehouse.

    That is ``Tables/contact``, ``Tables/dbo/contact`` and ``deltalake/contact_partitioned``.

    Raises:
        SourceError: the folder is missing, a file, or closed to us.
    """
    found = list_entries(folder)
    for lake in [path for path in found if path.name.casefold() in _LAKES and path.is_dir()]:
        tables = list_folders(lake)
        found += tables
        has_schemas = not any(names_table(path.name, CONTACTS) for path in tables)
        for schema in tables:
            is_schema = find_meant(schema.name) is None and not is_delta(schema)
            if schema.name.casefold() == _SCHEMA or (has_schemas and is_schema):
                found += list_folders(schema)
    return found


def choose_candidates(candidates: Sequence[Path], table: Table) -> list[Path]:
    """The candidates that are named after a table: ``<name>.<ending>``, or a folder of parts."""
    return [path for path in candidates if is_candidate(path, table)]


def is_candidate(path: Path, table: Table) -> bool:
    """Whether a file or folder is named after a table, and could be read."""
    ending = find_ending(path)
    if not names_table(_take_base(path.name, ending), table):
        return False
    is_xml = ENDINGS.get(ending) is Form.RECORDS
    return not is_xml or table is CONTACTS or is_read_as_records(path, path.name)


def _take_base(name: str, ending: str) -> str:
    """A name without its ending, and without one of the same form before it.

    Windows hides endings, so a file that somebody called ``contacts.csv`` is ``contacts.csv.txt``.
    """
    base = name[: -len(ending)] if ending else name
    before = _find_ending(base.casefold(), ENDINGS)
    if ending in ENDINGS and ENDINGS.get(before) is ENDINGS[ending]:
        return base[: -len(before)]
    return base


def find_files(
    folder: Path, table: Table, candidates: Sequence[Path] | None = None
) -> StoredTable | None:
    """A table's files; if none is named after it, a workbook, zip or data.xml that holds it.

    Args:
        folder: the source folder.
        table: the table.
        candidates: what could be a table; all of ``list_candidates`` if it is null.

    Raises:
        SourceError: several could be the table, or what was found cannot be read.
    """
    listed = list_candidates(folder) if candidates is None else candidates
    matching = choose_candidates(listed, table) or [
        path
        for path in listed
        if (is_workbook(path) and holds_table(path, table))
        or (is_bundle(path) and bundle_holds_table(path, table))
    ]
    if not matching:
        return None
    if len(matching) > 1:
        raise make_double_error(folder, table, matching)
    found = matching[0]
    if found.is_dir():
        return _read_folder(found, folder, table)
    return _describe((found,), folder, table)


def make_double_error(folder: Path, table: Table, found: Sequence[Path]) -> SourceError:
    """The error for a table that is there more than once."""
    names = " and ".join(path.relative_to(folder).as_posix() for path in found)
    return SourceError(f"{names} could both be {table.name}; leave one.", where=str(folder))


def is_workbook(path: Path) -> bool:
    """Whether a file is named like a workbook."""
    return ENDINGS.get(path.suffix.lower()) is Form.WORKBOOK and path.is_file()


def _read_folder(found: Path, folder: Path, table: Table) -> StoredTable:
    if is_delta(found):
        part = FilePart(path=found, name=found.relative_to(folder).as_posix())
        return StoredTable(form=Form.DELTA, parts=(part,))
    paths = tuple(walk_files(found))
    for above in {found, *(path.parent for path in paths)}:
        refuse_other_lakes(above)
        if is_delta(above):
            raise SourceError(
                "is a Delta table among other files of one table: p2c reads it if it is alone "
                "there. Leave one.",
                where=above.name,
            )
    if not paths:
        raise SourceError(
            "the folder has no files. Put the files of the table into it, or remove it.",
            where=found.name,
        )
    stored = _describe(paths, folder, table)
    snapshots = [one for one in list_folders(found) if one.name.casefold() == _SNAPSHOT]
    if snapshots and stored.form is Form.DELIMITED:
        raise SourceError(
            "is a folder of Synapse Link without its model: its files have no header line, and "
            "model.json names the columns. Copy the whole folder that Synapse Link writes.",
            where=found.name,
        )
    return stored


def is_delta(folder: Path) -> bool:
    """Whether a folder is a Delta table, of which only the log knows what counts."""
    with reading(folder.name):
        return (folder / "_delta_log").exists()


def refuse_other_lakes(folder: Path) -> None:
    """Find tables of other lakes, whose files include replaced rows too.

    Raises:
        SourceError: the folder is such a table.
    """
    lake = ""
    if any((folder / "metadata").glob("*.metadata.json")):
        lake = "an Iceberg"
    elif (folder / ".hoodie").exists():
        lake = "a Hudi"
    if lake:
        raise SourceError(
            f"is {lake} table, which p2c does not read, and its files include replaced rows: write "
            "its current rows as plain Parquet.",
            where=folder.name,
        )


def _make_part(path: Path, folder: Path, table: Table) -> FilePart:
    name = path.relative_to(folder).as_posix()
    if not is_zip(path):
        return FilePart(path=path, name=name)
    member = choose_member(path, name, table).member
    return FilePart(path=path, name=f"{name}/{member}", member=member)


def _find_part_form(part: FilePart) -> Form:
    if part.member is None:
        return find_form(part.path)
    return ENDINGS[find_ending(PurePath(part.member))]


def _describe(paths: tuple[Path, ...], folder: Path, table: Table) -> StoredTable:
    parts = tuple(_make_part(path, folder, table) for path in paths)
    sizes = [measure_file(part.path, part.name) for part in parts]
    forms = {_find_part_form(part) for part in parts}
    if len(forms) > 1:
        raise SourceError(
            f"the parts are of several forms: {', '.join(sorted(forms))}.",
            where=paths[0].parent.name,
        )
    for part, size in zip(parts, sizes, strict=True):
        if not size:
            raise SourceError("is empty. Export it again, or remove the file.", where=part.name)
    return StoredTable(form=forms.pop(), parts=parts)
