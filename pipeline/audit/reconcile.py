"""What was planned against what SCM has.

First keys, then fields, both in the one form of ``normalize``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypedDict, cast

import polars as pl

from pipeline.audit.parted import split_rows
from pipeline.scm.normal import normalize
from schemas.catalogue import Column, Entity

LEGAL_ENTITY: Final = "dataAreaId"

DIFFERENCES: Final = pl.Schema(
    {
        "task": pl.String,
        "contactid": pl.String,
        "destination_key": pl.String,
        "difference": pl.String,
        "column": pl.String,
        "planned": pl.String,
        "found": pl.String,
    }
)
"""One row per difference: ``missing`` (SCM does not have the row), ``repeated`` (it has several),
``differs`` (a field)."""

_KEY: Final = "\x1f"


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskComparison:
    """What a comparison of one task found."""

    differences: pl.DataFrame
    rows: int
    """Planned rows that were compared."""
    equal: int
    """Rows of them that SCM has with equal fields."""
    not_compared: tuple[str, ...]
    """Destination columns that the other side does not have."""


def compare_rows(
    planned: pl.DataFrame,
    found: pl.DataFrame,
    entity: Entity,
    task: str,
    kept: Collection[str] = (),
) -> TaskComparison:
    """Compare planned rows with SCM's.

    Args:
        planned: destination columns, contactid, legal_entity, destination_key.
        found: SCM's rows: destination columns in their OData spelling, as text or typed; with
            dataAreaId rows are looked for in their legal entity, without it in all.
        entity: what both are rows of.
        task: for the differences.
        kept: columns in which a row without a value leaves what SCM has.

    Returns:
        Every difference, in the order of the planned rows. A row that only SCM has is not a
        difference: others write there too.

    Raises:
        ValueError: ``found`` lacks a key column.
    """
    _refuse_keyless(found, entity)
    by_entity = LEGAL_ENTITY in found.columns
    columns = _list_compared(planned, entity, kept)
    here = _build_key(entity, "legal_entity" if by_entity else None)
    there = _build_key(entity, LEGAL_ENTITY if by_entity else None)
    left = planned.select("contactid", "destination_key", key=here).with_row_index("row")
    right = found.select(key=there).with_row_index("other")
    pairs = left.join(_take_first(right), on="key", how="left", maintain_order="left")
    repeated = right.filter(pl.col("key").is_duplicated()).select("key").unique()
    several = left.join(repeated, on="key", how="semi", maintain_order="left")
    both = pairs.filter(pl.col("other").is_not_null())
    parts = [
        _list_differences(task, pairs.filter(pl.col("other").is_null()), "missing"),
        _list_differences(task, several, "repeated"),
        *(_find_differing(task, one, planned, found, both) for one in _shared(columns, found)),
    ]
    ordered = _order(left, parts)
    return TaskComparison(
        differences=ordered,
        rows=planned.height,
        equal=planned.height - ordered["destination_key"].n_unique(),
        not_compared=tuple(one.name for one in columns if one.name not in found.columns),
    )


def _list_compared(planned: pl.DataFrame, entity: Entity, kept: Collection[str]) -> list[Column]:
    return [
        replace(one, keeps=one.name in kept)
        for one in entity.columns
        if one.name in planned.columns and one.name not in entity.key
    ]


def _shared(columns: Sequence[Column], found: pl.DataFrame) -> list[Column]:
    return [one for one in columns if one.name in found.columns]


def _take_first(right: pl.DataFrame) -> pl.DataFrame:
    return right.unique("key", keep="first", maintain_order=True)


def _find_differing(
    task: str, column: Column, planned: pl.DataFrame, found: pl.DataFrame, both: pl.DataFrame
) -> pl.DataFrame:
    """The rows of both sides whose values of a column differ.

    ``both``: the rows' numbers on either side, ``row`` and ``other``.
    """
    here, there = (
        side[column.name]
        .gather(both[place])
        .to_frame("value")
        .select(normalize(pl.col("value"), column))
        .to_series()
        for side, place in ((planned, "row"), (found, "other"))
    )
    different = here.ne_missing(there)
    if column.keeps:
        different &= planned[column.name].gather(both["row"]).is_not_null()
    sides = {"planned": here.filter(different), "found": there.filter(different)}
    return _list_differences(task, both.filter(different), "differs", column.name, sides)


def _order(left: pl.DataFrame, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Differences in the order of the planned rows."""
    return (
        pl.concat(parts)
        .join(left.select("destination_key", "row"), on="destination_key", how="left")
        .sort("row", maintain_order=True)
        .select(DIFFERENCES.names())
    )


def compare_in_parts(
    planned: pl.LazyFrame,
    found: pl.LazyFrame,
    entity: Entity,
    task: str,
    parts: int,
    kept: Collection[str],
    room: Path,
) -> TaskComparison:
    """``compare_rows`` for more rows than fit into memory, one part of the keys after another.

    Both sides are read once, and put into ``room`` by their keys. Within a part, differences are in
    the order of the planned rows.
    """
    if parts == 1:
        return compare_rows(planned.collect(), found.collect(), entity, task, kept)
    by_entity = LEGAL_ENTITY in found.collect_schema().names()
    here, there = (
        split_rows(
            rows, _build_key(entity, area if by_entity else None), parts, room / f"{task}-{name}"
        )
        for name, rows, area in (
            ("planned", planned, "legal_entity"), ("found", found, LEGAL_ENTITY)
        )
    )  # fmt: skip
    results = [
        compare_rows(_take_part(ours), _take_part(theirs), entity, task, kept)
        for ours, theirs in zip(here, there, strict=True)
    ]
    return TaskComparison(
        differences=pl.concat([one.differences for one in results]),
        rows=sum(one.rows for one in results),
        equal=sum(one.equal for one in results),
        not_compared=results[0].not_compared,
    )


def _take_part(path: Path) -> pl.DataFrame:
    rows = pl.read_parquet(path, glob=False)
    path.unlink()
    return rows


def _refuse_keyless(found: pl.DataFrame, entity: Entity) -> None:
    lacking = [name for name in entity.key if name not in found.columns]
    if lacking:
        raise ValueError(f"no column {', '.join(lacking)}: the rows have no key")


def _build_key(entity: Entity, legal_entity: str | None) -> pl.Expr:
    columns = [column for column in entity.columns if column.key]
    parts = [normalize(pl.col(column.name), column).fill_null("") for column in columns]
    where = (
        [pl.col(legal_entity).cast(pl.String).str.to_lowercase().fill_null("")]
        if legal_entity
        else []
    )
    return pl.concat_str([*where, *parts], separator=_KEY)


def _list_differences(
    task: str,
    rows: pl.DataFrame,
    difference: str,
    column: str | None = None,
    sides: dict[str, pl.Series] | None = None,
) -> pl.DataFrame:
    values = sides or {
        name: pl.Series(name, [None] * rows.height, dtype=pl.String)
        for name in ("planned", "found")
    }
    return rows.select("contactid", "destination_key").select(
        pl.lit(task).alias("task"),
        "contactid",
        "destination_key",
        pl.lit(difference).alias("difference"),
        pl.lit(column, dtype=pl.String).alias("column"),
        *(series.alias(name) for name, series in values.items()),
    )


class DifferenceGroup(TypedDict):
    """Differences of one task, kind and column, with a contact as an example."""

    task: str
    difference: str
    column: str | None
    rows: int
    example: str | None


def group_differences(differences: pl.DataFrame) -> list[DifferenceGroup]:
    """Differences by task, kind and column, most rows first, with a contact as an example.

    No values.
    """
    counted = differences.group_by("task", "difference", "column").agg(
        pl.len().cast(pl.Int64).alias("rows"), pl.col("contactid").min().alias("example")
    )
    ordered = counted.sort(
        ["rows", "task", "difference", "column"],
        descending=[True, False, False, False],
        nulls_last=True,
    )
    return cast("list[DifferenceGroup]", ordered.to_dicts())


def summarize_comparison(results: Sequence[TaskComparison]) -> str:
    """A comparison in one sentence."""
    rows, equal = sum(one.rows for one in results), sum(one.equal for one in results)
    if rows == equal:
        if rows == 1:
            return "The row that was compared is in SCM as it was planned."
        return f"All {rows:,} rows that were compared are in SCM as they were planned."
    return (
        f"Of {rows:,} rows that were compared, {equal:,} are in SCM as they were planned and "
        f"{rows - equal:,} are not."
    )
