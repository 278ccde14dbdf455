"""A corrected file laid over the source.

The result is a folder of links to the source's files, with one more part of contacts.

The corrected rows carry a versionnumber above all others, so that the rule for several rows of one
contact takes them (DESIGN 2.1) and the rows they replace count as superseded. Nothing is written
into the source.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

import duckdb
import polars as pl

from pipeline.errors import SourceError, UsageError, during
from pipeline.extract.files.discover import Form, StoredTable
from pipeline.extract.files.entries import list_entries
from pipeline.extract.files.places import Places
from pipeline.extract.files.workbook_sheets import holds_table
from pipeline.extract.files.workbook_writing import write_workbook
from pipeline.extract.side_files import ReadOptions, land_file
from pipeline.show.spreadsheet import restore
from schemas.sales import CONTACTS, CORRECTED_VERSION, TABLES
from schemas.text import guid_of, trimmed
from sql.query import SelectColumn, query
from sql.session import Session, session

_PREFIX: Final = "corrected-"
_SHARED: Final = "other-tables-of-"


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrectedSource:
    """The folder to read from, and the contactids of the corrected rows."""

    folder: Path
    contactids: list[str]


def lay_over(
    source: Path, corrected: Path, into: Path, columns: Mapping[str, str], options: ReadOptions
) -> CorrectedSource:
    """Make the folder that holds the source and the corrected rows.

    Args:
        source: the folder of exports.
        corrected: rows of contacts, whole, as ``p2c findings RUN --repair`` writes them.
        into: where the folder is made; it must not be there.
        columns: catalogue column → column of the source, as the run recorded them.
        options: limits of reading.

    Raises:
        UsageError: the file does not exist, or the source cannot take another part.
        SourceError: a row cannot be read or has no contactid, or a column of the source is missing.
    """
    if not corrected.is_file():
        hint = ": it is a folder" if corrected.is_dir() else ""
        raise UsageError(f"--corrected: there is no file {corrected}{hint}.")
    places = Places.look(source)
    if places.link is not None:
        raise UsageError(
            "--corrected works on exports, not on a Synapse Link folder: correct Sales and export "
            "again."
        )
    stored = places.find_contacts()
    _refuse_delta(stored)
    _refuse_bundle(stored)
    rows = _read_rows(corrected, columns, options)
    number = sum(part.path.name.startswith(_PREFIX) for part in stored.parts) + 1
    with during("laying the corrected file over the source"):
        into.mkdir(parents=True)
        _link_source(places, into, stored)
        versioned = rows.with_columns(versionnumber=pl.lit(str(CORRECTED_VERSION + number)))
        _write(into / CONTACTS.name / f"{_PREFIX}{number}", versioned, stored, columns)
    ids = rows.select(guid_of(pl.col("contactid"))).to_series().unique(maintain_order=True)
    return CorrectedSource(folder=into, contactids=ids.to_list())


def _refuse_delta(stored: StoredTable) -> None:
    """A Delta table takes no further part: its log says which files count."""
    if stored.form is Form.DELTA:
        raise UsageError(
            "--corrected works on exports, not on a Delta table: correct Sales and wait for the "
            "lake to follow, or plan from a copy of the table's current rows as plain Parquet."
        )


def _refuse_bundle(stored: StoredTable) -> None:
    """A file with several tables in it takes no further part."""
    if stored.form is Form.RECORDS or any(part.member is not None for part in stored.parts):
        raise UsageError(
            "--corrected works on files of contacts alone, and this source has them in one file "
            "with other tables: unpack the zip, or export contacts as CSV."
        )


def _read_rows(corrected: Path, columns: Mapping[str, str], options: ReadOptions) -> pl.DataFrame:
    frame, unreadable = land_file(corrected, CONTACTS, options)
    where = f"--corrected {corrected.name}"
    if unreadable:
        raise SourceError(
            f"the row of line {unreadable[0].source_line} cannot be read: {unreadable[0].detail}.",
            where=where,
        )
    missing = sorted(columns.keys() - {*frame.columns, "versionnumber"})
    if missing:
        raise SourceError(
            f"lacks columns that the source has: {', '.join(missing)}. They would become blank; "
            "take the file that "
            "`p2c findings RUN --repair FILE` writes and correct it.",
            where=where,
        )
    text = [
        name for name in frame.columns if frame.schema[name] == pl.String and name != "source_file"
    ]
    rows = frame.select(restore(pl.col(name)) for name in text).with_columns(
        contactid=trimmed(pl.col("contactid"))
    )
    wrong = rows.with_row_index("row").filter(guid_of(pl.col("contactid")).is_null())
    if wrong.height:
        raise SourceError(
            f"row {wrong['row'][0] + 1} has no contactid that is a GUID.", where=where
        )
    return rows


def _link_source(places: Places, into: Path, stored: StoredTable) -> None:
    """Links to all files of the source; those of contacts become parts of a folder."""
    first = stored.parts[0].path
    holders = [path for path in places.candidates if first.is_relative_to(path)]
    found = max(holders, key=lambda path: len(path.parts))
    _link_others(places.folder, into, found)
    (into / CONTACTS.name).mkdir(exist_ok=True)
    for part in stored.parts:
        if (
            stored.form is Form.WORKBOOK
            and part.path.parent == places.folder
            and _is_shared(part.path)
        ):
            _link(part.path, into / f"{_SHARED}{part.path.name}")
        below = part.path.relative_to(found) if part.path != found else PurePath(found.name)
        at = into / CONTACTS.name / below
        at.parent.mkdir(parents=True, exist_ok=True)
        _link(part.path, at)


def _link_others(folder: Path, into: Path, contacts: Path) -> None:
    """Links to everything in a folder but contacts, which may lie deeper, as in a lakehouse."""
    into.mkdir(exist_ok=True)
    for path in list_entries(folder):
        if contacts.is_relative_to(path) and path != contacts:
            _link_others(path, into / path.name, contacts)
        elif path != contacts:
            _link(path, into / path.name)


def _is_shared(workbook: Path) -> bool:
    """Whether other tables are in a workbook with contacts."""
    return any(holds_table(workbook, table) for table in TABLES.values() if table is not CONTACTS)


def _link(path: Path, at: Path) -> None:
    """A symbolic link, or a copy where the system allows none."""
    try:
        at.symlink_to(path.resolve())
    except OSError:
        (shutil.copytree if path.is_dir() else shutil.copyfile)(path, at)


def _write(at: Path, rows: pl.DataFrame, stored: StoredTable, columns: Mapping[str, str]) -> None:
    match stored.form:
        case Form.DELIMITED:
            rows.write_csv(at.with_suffix(".csv"), quote_style="necessary")
        case Form.LINES:
            rows.write_ndjson(at.with_suffix(".jsonl"))
        case Form.PAGES:
            at.with_suffix(".json").write_text(
                f'{{"value": {rows.write_json()}}}', encoding="utf-8"
            )
        case Form.RECORDS:
            _refuse_bundle(stored)
        case Form.WORKBOOK:
            write_workbook(at.with_suffix(".xlsx"), rows)
        case Form.PARQUET:
            _write_parquet(at.with_suffix(".parquet"), rows, stored.parts[0].path, columns)
        case Form.DELTA:
            _refuse_delta(stored)


def _write_parquet(at: Path, rows: pl.DataFrame, like: Path, columns: Mapping[str, str]) -> None:
    """The rows with the names and types of the source's own file.

    All parts must be spelled alike.
    """
    if "versionnumber" not in columns:
        raise SourceError(
            "has no column versionnumber, so the corrected rows cannot replace the others.",
            where=like.name,
        )
    with session() as here:
        here.register("corrected", rows)
        here.parquet("source", like)
        here.store("rows_typed", query("plan/corrected_types"))
        taken = [SelectColumn(name=physical, of=name) for name, physical in columns.items()]
        try:
            here.run(query("plan/corrected_rows", columns=taken))
            here.frame(query("plan/corrected")).write_parquet(at)
        except duckdb.Error as error:  # Its text has the value in it, and is not shown.
            wrong = _find_unfit(here, taken) or ["a column"]
            raise SourceError(
                f"{', '.join(wrong)}: a value is not of the type that {like.name} has there.",
                where="--corrected",
            ) from error


def _find_unfit(here: Session, taken: Sequence[SelectColumn]) -> list[str]:
    """The columns with values that cannot have their column's type."""
    unfit = []
    for one in taken:
        try:
            here.run(query("plan/corrected_rows", columns=[one]))
        except duckdb.Error:
            unfit.append(one.of)
    return unfit
