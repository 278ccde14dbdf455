"""The destination contract: a Pandera schema built from the catalogue, one named check per rule.

A failed check is a finding of its row, never the end of the run; the name of the check is the finding's code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.errors import SchemaErrors

from pipeline.errors import InvariantBroken
from pipeline.mapping.compile import PROBLEMS, Compiled, Target
from schemas.catalogue import Column
from schemas.text import utf16_length


def contract(mapping: Compiled) -> pa.DataFrameSchema:
    """The Pandera schema of a mapped morsel: types, and the checks ``mandatory_missing``, ``too_long``, ``value_not_allowed``."""
    return pa.DataFrameSchema(
        {one.name: _column(one, mapping) for one in mapping.targets},
        strict=True,
        ordered=True,
        name=mapping.entity.name,
    )


def _column(target: Target, mapping: Compiled) -> pa.Column:
    column, checks = target.column, []
    if column.mandatory:
        checks.append(_check("mandatory_missing", pl.col(column.name).is_not_null()))
    if column.name == _name_column(mapping):
        names = [name for name in mapping.entity.person_name if name in mapping.columns]
        checks.append(_check("mandatory_missing", pl.any_horizontal(pl.col(names).is_not_null())))
    for filled, needed in mapping.entity.needs.items():
        if needed == column.name and filled in mapping.columns:
            checks.append(_check("mandatory_missing", pl.col(filled).is_null() | pl.col(needed).is_not_null()))
    if column.members:
        allowed = pl.col(column.name).is_in(column.members) | pl.col(column.name).is_null()
        checks.append(_check("value_not_allowed", allowed))
    if target.limit is not None and column.dtype == pl.String():
        checks.append(pa.Check(_within(column, target.limit), name="too_long", ignore_na=False))
    return pa.Column(column.dtype, checks=checks, nullable=True)


def _name_column(mapping: Compiled) -> str | None:
    """The column under which a row without any name is reported: the last of the three that is mapped."""
    return next((name for name in reversed(mapping.entity.person_name) if name in mapping.columns), None)


def _check(name: str, rule: pl.Expr) -> pa.Check:
    def holds(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(rule.fill_null(value=False).alias("holds"))

    return pa.Check(holds, name=name, ignore_na=False)


def _within(column: Column, limit: int) -> Callable[[PolarsData], pl.LazyFrame]:
    """Length in UTF-16 code units; a text of no more bytes than that needs no counting."""

    def holds(data: PolarsData) -> pl.LazyFrame:
        value = pl.col(column.name)
        short = (value.str.len_bytes() <= limit).fill_null(value=True)
        frame = data.lazyframe.select(value).collect()
        if frame.select(short.all()).item():
            return frame.lazy().select(short.alias("holds"))
        return frame.lazy().select((short | (utf16_length(value) <= limit)).alias("holds"))

    return holds


def screened(frame: pl.DataFrame, schema: pa.DataFrameSchema, limits: dict[str, str]) -> pl.DataFrame:
    """Hold a mapped morsel against its contract.

    Args:
        frame: destination columns.
        schema: from ``contract``.
        limits: destination column → what a message says is allowed.

    Returns:
        Problems (``PROBLEMS``), empty when every row is valid.

    Raises:
        InvariantBroken: the frame has other columns or types than the contract; that is a defect of p2c.
    """
    if frame.is_empty():
        return PROBLEMS.to_frame()
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases: Any = errors.failure_cases
        broken = cases.filter(pl.col("index").is_null())
        if not broken.is_empty():
            raise InvariantBroken(f"mapping broke its own contract: {broken['check'].to_list()}") from errors
        return _problems(frame, cases, limits)
    return PROBLEMS.to_frame()


def _problems(frame: pl.DataFrame, cases: pl.DataFrame, limits: dict[str, str]) -> pl.DataFrame:
    parts = []
    for (column, code), group in cases.group_by("column", "check", maintain_order=True):
        rows = group["index"].cast(pl.UInt32)
        parts.append(
            pl.DataFrame({"row": rows}).with_columns(
                code=pl.lit(code),
                destination=pl.lit(column),
                limit=pl.lit("" if code == "mandatory_missing" else limits.get(str(column), "")),
                value=frame[str(column)].gather(rows).cast(pl.String),
            )
        )
    return pl.concat([PROBLEMS.to_frame(), *parts])


def limits(mapping: Compiled) -> dict[str, str]:
    """What messages name as the allowed length or the allowed values of each destination column."""
    return {one.name: ", ".join(one.column.members) if one.column.members else str(one.limit or "") for one in mapping.targets}
