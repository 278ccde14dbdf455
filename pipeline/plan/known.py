"""What the plan knows from elsewhere.

SCM's customers from an export, the last load, the contacts of ``--only``.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from pipeline.errors import SourceError, UsageError, during
from pipeline.extract.landing import ReadOptions, land_file
from pipeline.project.resolve import Project
from pipeline.run.memory import folder_of
from schemas.scm import CUSTOMERS_EXPORT
from schemas.text import WHITE_SPACE, read_guid


def customers(path: Path) -> pl.DataFrame:
    """A *Customers V2* export: CustomerAccount, PartyNumber and, if it has them, dataAreaId, as text.

    Raises:
        SourceError: the file is missing, cannot be read, lacks a column, or has rows that cannot be
            read. A row that is lost here could turn a takeover into an overwrite.
    """
    if not path.is_file():
        raise SourceError("there is no such file.", where=f"destination.known_customers, {path}")
    frame, unreadable = land_file(path, CUSTOMERS_EXPORT, ReadOptions())
    if unreadable:
        first = unreadable[0]
        raise SourceError(
            (
                f"{len(unreadable)} rows cannot be read, the first in line {first.source_line}: "
                f"{first.detail}."
            ),
            where=f"destination.known_customers, {path.name}",
        )
    names = [field.name for field in CUSTOMERS_EXPORT.fields]
    missing = [pl.lit(None, pl.String).alias(name) for name in names if name not in frame.columns]
    return frame.with_columns(missing).select(names)


def only_ids(path: Path) -> pl.DataFrame:
    """The contactids of ``--only``: one a line, or a CSV whose first column they are.

    A header line may say contactid.

    Raises:
        UsageError: the file is missing, or a line is no contactid.
    """
    if not path.is_file():
        raise UsageError(f"--only: there is no file {path}.")
    with during("reading --only"):
        lines = path.read_bytes().decode("utf-8-sig", "replace").splitlines()
    found: list[str] = []
    for number, line in enumerate(lines, start=1):
        cell = re.split("[,;\t]", line, maxsplit=1)[0].strip(WHITE_SPACE + '"')
        if not cell or (number == 1 and cell.casefold() == "contactid"):
            continue
        contactid = read_guid(cell)
        if contactid is None:
            raise UsageError("is no contactid.", where=f"--only {path.name}, line {number}")
        found.append(contactid)
    return pl.DataFrame({"contactid": found}, schema={"contactid": pl.String})


def loaded(runs: Path, project: Project) -> pl.DataFrame | None:
    """destination_key and row_hash of every row that was created or updated at this destination before."""
    files = sorted(folder_of(runs, project.settings.destination.name).glob("*.parquet"))
    if not files:
        return None
    return pl.concat(
        [
            pl.read_parquet(path, columns=["destination_key", "row_hash"], glob=False)
            for path in files
        ]
    ).unique("destination_key", keep="last", maintain_order=True)
