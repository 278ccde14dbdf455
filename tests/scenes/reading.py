"""What the tests of extraction share: files in, landed rows out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import polars as pl

from pipeline.extract.landing import LandedTable, ReadOptions, land_folder

ID = "1b67c282-793b-fdce-58be-d7f70c5fb4b9"
HEADER = "contactid,lastname,msdynce_contactnumber,msdynce_isactivecustomer,parentcustomerid"
ROW = f"{ID},Brown,CON-01000-ZQE454,true,"


def named(lastname: str) -> str:
    """The row with another last name, put in as it is."""
    return ROW.replace("Brown", lastname)


def landed(
    folder: Path,
    into: Path,
    tables: Collection[str] = ("contacts",),
    *,
    options: ReadOptions | None = None,
    extra: Sequence[str] = (),
    wished: Sequence[str] = (),
) -> Mapping[str, LandedTable]:
    """The tables of a folder."""
    return land_folder(
        folder,
        into,
        tables=tables,
        extra={"contacts": extra},
        wished={"contacts": wished},
        options=options or ReadOptions(),
        progress=lambda _table, _rows: None,
    ).tables


def rows(one: LandedTable) -> pl.DataFrame:
    """The rows of a landed table, under canonical names."""
    frame = pl.concat([pl.read_parquet(path) for path in one.files], how="vertical_relaxed")
    place = [] if one.in_place else ["source_file", "source_line"]
    return frame.select(
        *(pl.col(physical).alias(name) for name, physical in one.columns.items()), *place
    )


def contacts(
    folder: Path, into: Path, **others: object
) -> tuple[pl.DataFrame, list[tuple[str, int, str]]]:
    """Landed contacts, and file, line and detail of every unreadable row."""
    one = landed(folder, into, **others)["contacts"]  # type: ignore[arg-type]
    assert one.rows == rows(one).height
    return rows(one), [(row.source_file, row.source_line, row.detail) for row in one.unreadable]


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files into a folder, text as UTF-8 just as it is."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder
