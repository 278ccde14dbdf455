"""Which rows of a run the lines of error files mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from pipeline.apply.errorfile import REFUSED_LINES, explain_refusals
from pipeline.errors import UsageError
from pipeline.load.packages.naming import RowNames, list_quoted, match_names, strip_marks
from pipeline.mapping.template import list_entities_by_task
from pipeline.run.folder import RunFolder
from pipeline.suggest import suggest_nearest
from sql.query import query
from sql.session import Session

_SHOWN: Final = 10
_NAMED: Final = 5
"""Packages that a message names."""
_HEADERS: Final = ("CustomerAccount", "contactid", "destination_key or Record ID")
_AREA: Final = r"^[A-Za-z0-9_-]*[A-Za-z][A-Za-z0-9_-]*$"
_LONGEST_AREA: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedRows:
    """What was imported by hand: the batches (task, legal_entity, batch), and who was refused.

    ``refused``: destination_key, code and message by task.
    """

    batches: pl.DataFrame
    refused: Mapping[str, pl.DataFrame]

    def select_batches(self, task: str) -> pl.DataFrame:
        """The batches of a task that were imported."""
        return self.batches.filter(pl.col("task") == task).select("legal_entity", "batch")


def choose_batches(folder: RunFolder, packages: Sequence[str]) -> pl.DataFrame:
    """Task, legal entity and number of the batches that packages stand for; none: of all.

    Raises:
        UsageError: the run has no such package; all that are unknown are named.
    """
    batches = pl.read_parquet(folder.batches, glob=False).select("task", "legal_entity", "batch")
    if not packages:
        return batches
    names = batches.select(pl.format("{}/{}-{}", "task", "legal_entity", "batch")).to_series()
    known = {name.lower(): name for name in names}
    wanted = [_name_package(name) for name in packages]
    unknown = [
        f"--package {given}: the run has no such package.{suggest_nearest(name, names)}"
        for given, name in zip(packages, wanted, strict=True)
        if name not in known
    ]
    if unknown:
        more = ", …" if len(names) > _NAMED else ""
        raise UsageError(f"{' '.join(unknown)} It has {', '.join(names.head(_NAMED))}{more}.")
    return batches.filter(names.is_in([known[name] for name in wanted]))


def _name_package(given: str) -> str:
    """A package as the run names it, but in lower case."""
    name = given.replace("\\", "/").lower().removeprefix("./")
    return name.removesuffix(".zip").removeprefix("packages/")


def place_lines(
    here: Session,
    folder: RunFolder,
    tasks: Sequence[str],
    lines: pl.DataFrame,
    batches: pl.DataFrame,
) -> ImportedRows:
    """Find the row that each line means.

    Args:
        here: a session of its own.
        folder: an applied folder load.
        tasks: its tasks.
        lines: ``REFUSED_LINES``.
        batches: the imported ones.

    Raises:
        UsageError: a line means no row that was imported, or several.
    """
    named = _name_lines(folder, tasks, lines, batches).with_row_index("number")
    found = []
    here.register("refused", named.drop("cells"))
    for task in tasks:
        here.parquet("planned", folder.rows_files(task))
        here.register("imported", batches.filter(pl.col("task") == task))
        found.append(here.frame(query("apply/refused"), task=task))
    placed = pl.concat(found).filter(
        pl.col("is_imported") | ~pl.col("is_imported").any().over("number")
    )
    _refuse_strangers(named, placed)
    return ImportedRows(
        batches=batches,
        refused={
            task: explain_refusals(
                placed.filter(pl.col("task") == task)
                .sort("number")
                .unique("destination_key", keep="first", maintain_order=True)
            )
            for task in tasks
        },
    )


def _refuse_strangers(named: pl.DataFrame, placed: pl.DataFrame) -> None:
    """Refuse lines that mean no row, several, or one of a package that was not imported."""
    rows = placed.group_by("number").agg(
        rows=pl.col("destination_key").n_unique(), imported=pl.col("is_imported").all()
    )
    told = named.join(rows, on="number", how="left", maintain_order="left")
    problems = [
        f"{_list_places(told.filter(wrong))} {what}"
        for wrong, what in (
            (
                pl.col("rows").is_null(),
                "names no single row that this run sent. Check the run, the key and its company.",
            ),
            (
                pl.col("rows") > 1,
                "names several rows: add a column with the legal entity, or name a --package.",
            ),
            (
                pl.col("rows").eq(1) & ~pl.col("imported"),
                "names a row of a package that --package leaves out.",
            ),
        )
        if told.filter(wrong).height
    ]
    if told.filter(
        pl.col("rows").is_null() & pl.col("cells").is_not_null() & (pl.col("line") == 1)
    ).height:
        problems.append(f"If line 1 is a header, name the column of keys: {', '.join(_HEADERS)}.")
    if problems:
        raise UsageError(f"--errors: {' '.join(problems)} Nothing was recorded.")


def _list_places(lines: pl.DataFrame) -> str:
    """The lines by file, the first ones, as the beginning of a sentence with a singular verb."""
    places = [f"{file} line {line}" for file, line in lines.select("file", "line").iter_rows()]
    more = f" and {len(places) - _SHOWN:,} more" if len(places) > _SHOWN else ""
    each = "" if len(places) == 1 else f"each of {len(places):,} lines ("
    return f"{each}{', '.join(places[:_SHOWN])}{more}{')' if each else ''}"


def _name_lines(
    folder: RunFolder, tasks: Sequence[str], lines: pl.DataFrame, batches: pl.DataFrame
) -> pl.DataFrame:
    """The lines, those of keys that SCM joined with their legal entity and key.

    Rows of imported packages are tried first, then all: so that it can be said which were left out.
    """
    rows = lines.to_dicts()
    wanted = sorted(
        {strip_marks(name) for row in rows if row["cells"] for name in _list_names(row)} - {""}
    )
    if not wanted:
        return lines
    places = batches.select("task", "legal_entity", "batch")
    first = [_make_names(folder, task, wanted, places) for task in tasks]
    others = [_make_names(folder, task, wanted, None) for task in tasks]
    for row in rows:
        if row["cells"]:
            found = _find_row(first, row) or _find_row(others, row)
            area, _, key = (found or "").partition("/")
            row["legal_entity"], row["key"] = area.lower() or None, key.upper() or None
    return pl.DataFrame(rows, schema=REFUSED_LINES)


def _list_names(row: Mapping[str, object]) -> list[str]:
    cells = [str(cell) for cell in _as_cells(row)]
    return [",".join(cells), *cells, *list_quoted(str(row["message"] or ""))]


def _as_cells(row: Mapping[str, object]) -> list[str]:
    cells = row["cells"]
    return [str(one) for one in cells] if isinstance(cells, list) else []


def _make_names(
    folder: RunFolder, task: str, wanted: Sequence[str], batches: pl.DataFrame | None
) -> RowNames:
    entity = list_entities_by_task()[task]
    rows = pl.scan_parquet(folder.rows_files(task), glob=False).filter(
        pl.col("batch").is_not_null() & match_names(entity, wanted)
    )
    if batches is not None:
        mine = batches.filter(pl.col("task") == task).lazy()
        rows = rows.join(mine, on=["legal_entity", "batch"], how="semi")
    return RowNames(
        rows.select("legal_entity", "destination_key", *entity.key).collect(engine="streaming"),
        entity,
    )


def _find_row(names: Sequence[RowNames], row: Mapping[str, object]) -> str | None:
    """The one row that a line means, by all its cells, by one of them, or by what its text quotes.

    A cell that looks like another legal entity than that of the row speaks against it.
    """
    cells = _as_cells(row)
    whole = {one.of(",".join(cells)) for one in names} - {None}
    if whole:
        return whole.pop() if len(whole) == 1 else None
    parts = {one.of(cell) for one in names for cell in cells} - {None}
    if not parts:
        parts = {one.quoted_in(str(row["message"] or "")) for one in names} - {None}
    if len(parts) != 1:
        return None
    key = parts.pop()
    area = "" if key is None else key.partition("/")[0].lower()
    others = pl.Series(cells).filter(pl.Series(cells).str.contains(_AREA))
    strange = [one for one in others if len(one) <= _LONGEST_AREA and one.lower() != area]
    return None if strange else key
