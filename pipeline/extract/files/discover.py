"""Which files of a folder belong to which table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pipeline.errors import SourceError, reading
from pipeline.extract.files.workbook_sheets import find_trouble, holds_table
from pipeline.suggest import suggest_nearest
from schemas.catalogue import Table


class Form(StrEnum):
    """How a table is stored."""

    DELIMITED = "CSV"
    PARQUET = "Parquet"
    PAGES = "JSON"
    LINES = "JSON lines"
    WORKBOOK = "Excel"


_ENDINGS: Final = {
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
}
_HIDDEN: Final = (".", "_", "~$")


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePart:
    """One file of a table; ``name`` is what findings call it, relative to the source folder."""

    path: Path
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTable:
    """Where a table is: its form and its files, in order."""

    form: Form
    parts: tuple[FilePart, ...]


def find_form(path: Path) -> Form:
    """The form of a file, by its ending."""
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        raise SourceError(
            f"'{ending}' files are not read; use one of {', '.join(_ENDINGS)}.",
            where=path.name,
        )
    return _ENDINGS[ending]


def list_entries(folder: Path) -> list[Path]:
    """What is in a folder, but for hidden things, those of Spark and the locks of Excel.

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
        return sorted(
            path for path in folder.iterdir() if not path.name.startswith((".", "_", "~$"))
        )


def find_files(folder: Path, table: Table) -> StoredTable | None:
    """A table's files: ``<name>.<ending>`` or a folder of parts, with or without ending.

    The logical name is accepted too. If nothing has the name, a workbook that holds the table is
    taken.
    """
    names = {table.name, table.singular}
    entries = list_entries(folder)
    matching = [
        path
        for path in entries
        if _strip_ending(path) in names and (path.is_dir() or _is_known(path))
    ] or [path for path in entries if is_workbook(path) and holds_table(path, table)]
    if not matching:
        return None
    if len(matching) > 1:
        raise SourceError(
            (
                f"{' and '.join(path.name for path in matching)} could both be {table.name}; leave "
                "one."
            ),
            where=str(folder),
        )
    found = matching[0]
    return _read_folder(found, folder) if found.is_dir() else _describe((found,), folder)


def _strip_ending(path: Path) -> str:
    """The name without ending; Spark gives endings to folders too."""
    return (path.stem if _is_known(path) or not path.is_dir() else path.name).casefold()


def _is_known(path: Path) -> bool:
    return path.suffix.lower() in _ENDINGS


def is_workbook(path: Path) -> bool:
    """Whether a file is named like a workbook."""
    return _ENDINGS.get(path.suffix.lower()) is Form.WORKBOOK and path.is_file()


def _read_folder(found: Path, folder: Path) -> StoredTable:
    paths = tuple(_list_files(found))
    if not paths:
        raise SourceError("the folder has no files.", where=found.name)
    return _describe(paths, folder)


def _list_files(folder: Path) -> Iterator[Path]:
    """All files below a folder, in the order of their names, folder after folder."""
    for path in list_entries(folder):
        yield from _list_files(path) if path.is_dir() else (path,)
    if (folder / "_delta_log").exists():
        raise SourceError(
            (
                "is a Delta table, whose files include replaced ones: write its current rows as "
                "plain Parquet."
            ),
            where=folder.name,
        )


def _describe(paths: tuple[Path, ...], folder: Path) -> StoredTable:
    parts = tuple(FilePart(path=path, name=path.relative_to(folder).as_posix()) for path in paths)
    forms = {find_form(path) for path in paths}
    if len(forms) > 1:
        raise SourceError(
            f"the parts are of several forms: {', '.join(sorted(forms))}.",
            where=paths[0].parent.name,
        )
    for part in parts:
        with reading(part.name):
            if not part.path.stat().st_size:
                raise SourceError("is empty.", where=part.name)
    return StoredTable(form=forms.pop(), parts=parts)


def make_missing_error(folder: Path, table: Table) -> SourceError:
    """The error for a table that must be there."""
    entries = list_entries(folder)
    names = [path.name for path in entries]
    hint = suggest_nearest(f"{table.name}.csv", names)
    there = f" The folder holds: {', '.join(names[:8])}." if names else " The folder is empty."
    troubles = [find_trouble(path) for path in entries if is_workbook(path)]
    there += "".join(f" {trouble}" for trouble in troubles if trouble)
    return SourceError(
        f"there is no table {table.name}; p2c looks for {table.name}.csv, .xlsx, .parquet, "
        f".jsonl, .json or a folder {table.name}.{hint}{there}",
        where=str(folder),
    )
