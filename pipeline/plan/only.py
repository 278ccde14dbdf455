"""The contacts that ``--only`` names: a list in a file of text, or a workbook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.errors import SourceError, UsageError, during
from pipeline.extract.files.discover import is_workbook
from pipeline.extract.side_files import ReadOptions, land_file
from pipeline.run.findings import RunFinding
from pipeline.suggest import explain_no_file
from schemas.catalogue import Table
from schemas.sales import CONTACTS, EXAMPLE_NUMBER
from schemas.text import WHITE_SPACE, parse_guid
from sql.query import query
from sql.session import Session

_HEADERS: Final = frozenset(
    {"contactid", "contact", "contactnumber", "msdyncecontactnumber", "number", "id"}
)
"""What the first line may say, without spaces and underscores."""
_NUMBER: Final = re.compile(r"(?=.*[0-9])[^\s@]{1,20}")
_ONLY: Final = Table(
    name=CONTACTS.name,
    singular=CONTACTS.singular,
    key=CONTACTS.key,
    fields=CONTACTS.fields[:1],
    required=((CONTACTS.key,),),
)
"""Contacts, as far as a list of them goes."""

ONLY: Final = pl.Schema({"contactid": pl.String, "number": pl.String, "line": pl.Int64})
"""One row per contact that was asked for, by its id or its number, and the line that names it."""

_NAMED: Final = 5
"""So many contacts that are not there are named."""


def read_only_ids(path: Path) -> pl.DataFrame:
    """The contacts of ``--only``: one a line, or a CSV whose first column they are.

    A header line may name that column. Or a workbook with a column contactid, as a view has it.

    Returns:
        ``ONLY``: contactid, or the number of a contact where a line has that; the other is null.

    Raises:
        UsageError: the file is missing, or a line is neither.
        SourceError: the workbook cannot be read, or has no such column.
    """
    if not path.is_file():
        raise UsageError(
            f"--only: {explain_no_file(path)} --only takes a file with a contactid or Contact "
            "Number on each line."
        )
    found: list[tuple[str | None, str | None, int]] = []
    for line, cell in _list_cells(path):
        contactid = parse_guid(cell)
        if contactid is None and _NUMBER.fullmatch(cell) is None:
            raise UsageError(
                "is neither a contactid (a GUID) nor a Contact Number, as in "
                f"{EXAMPLE_NUMBER}. Write one of them on each line.",
                where=f"--only {path.name}, line {line}",
            )
        found.append((contactid, None if contactid else cell, line))
    return pl.DataFrame(found, schema=ONLY, orient="row")


def _list_cells(path: Path) -> list[tuple[int, str]]:
    """The line, and what is in the first column, of every row that has something there."""
    if is_workbook(path):
        frame, unreadable = land_file(path, _ONLY, ReadOptions())
        if unreadable:
            first = unreadable[0]
            raise SourceError(
                f"the row of line {first.source_line} cannot be read: {first.detail}.",
                where=f"--only {path.name}",
            )
        return frame.select("source_line", "contactid").drop_nulls().rows()
    with during("reading --only"):
        lines = path.read_bytes().decode("utf-8-sig", "replace").splitlines()
    cells = [
        (number, re.split("[,;\t]", line, maxsplit=1)[0].strip(WHITE_SPACE + '"'))
        for number, line in enumerate(lines, start=1)
    ]
    return [
        (number, cell)
        for number, cell in cells
        if cell and (number > 1 or re.sub("[ _]", "", cell.casefold()) not in _HEADERS)
    ]


def find_missing_only(session: Session) -> list[RunFinding]:
    """The contacts that were asked for and that the source does not have, as one finding.

    The session has ``only_given`` (``ONLY``; a number that no contact has is without contactid)
    and ``contacts``.
    """
    missing = session.frame(query("plan/only_missing"))
    if missing.is_empty():
        return []
    named = [f"{one} (line {line})" for one, line in missing.head(_NAMED).iter_rows()]
    more = [f"and {missing.height - _NAMED:,} more"] if missing.height > _NAMED else []
    return [
        RunFinding(
            code="only_not_found",
            detail=", ".join([*named, *more]),
            column=CONTACTS.key,
            rows=missing.height,
        )
    ]
