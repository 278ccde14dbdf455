"""The destination contract: a Pandera schema built from the catalogue, one named check per rule.

A failed check is a finding of its row, never the end of the run; the name of the check is the finding's code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.errors import SchemaErrors

from pipeline.errors import InvariantBroken
from pipeline.mapping.compile import PROBLEMS, Compiled, Target
from schemas.catalogue import Column
from schemas.text import utf16_length


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule of one destination column: ``holds`` is exact, ``surely`` is cheap and true only where ``holds`` is."""

    column: str
    code: str
    holds: pl.Expr
    surely: pl.Expr


@dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """What a task's destination rows must be: types and named checks as a Pandera schema, and the rules it is made of."""

    schema: pa.DataFrameSchema
    rules: tuple[Rule, ...]
    types: pl.Schema
    limits: Mapping[str, str]
    """Destination column → the allowed length or values that messages name."""
    _parts: dict[frozenset[str], pa.DataFrameSchema] = field(default_factory=dict)

    def only(self, columns: frozenset[str]) -> pa.DataFrameSchema:
        """The part of the schema that speaks of some columns: checks of the others cost as much when they all hold."""
        if columns not in self._parts:
            self._parts[columns] = pa.DataFrameSchema(
                {name: self.schema.columns[name] for name in columns}, name=self.schema.name
            )
        return self._parts[columns]


def contract(mapping: Compiled) -> Contract:
    """The contract of a mapped morsel, with the checks ``mandatory_missing``, ``too_long``, ``value_not_allowed``."""
    made = tuple(rule for target in mapping.targets for rule in _rules(target, mapping))
    columns = {
        one.name: pa.Column(
            one.column.dtype, checks=[_check(rule) for rule in made if rule.column == one.name], nullable=True
        )
        for one in mapping.targets
    }  # fmt: skip
    schema = pa.DataFrameSchema(columns, strict=True, ordered=True, name=mapping.entity.name)
    types = pl.Schema({one.name: one.column.dtype for one in mapping.targets})
    limits = {one.name: ", ".join(one.column.members) or str(one.limit or "") for one in mapping.targets}
    return Contract(schema=schema, rules=made, types=types, limits=limits)


def _rules(target: Target, mapping: Compiled) -> Iterator[Rule]:
    column, value = target.column, pl.col(target.name)
    if column.mandatory:
        yield _rule(column, "mandatory_missing", value.is_not_null())
    if column.name == _name_column(mapping):
        names = [name for name in mapping.entity.person_name if name in mapping.columns]
        yield _rule(column, "mandatory_missing", pl.any_horizontal(pl.col(names).is_not_null()))
    for filled, needed in mapping.entity.needs.items():
        if needed == column.name and filled in mapping.columns:
            yield _rule(column, "mandatory_missing", pl.col(filled).is_null() | value.is_not_null())
    if column.members:
        yield _rule(column, "value_not_allowed", value.is_in(column.members) | value.is_null())
    if target.limit is not None and column.dtype == pl.String():
        yield Rule(
            column=column.name,
            code="too_long",
            holds=(utf16_length(value) <= target.limit).fill_null(value=True),
            surely=(value.str.len_bytes() <= target.limit).fill_null(value=True),
        )


def _rule(column: Column, code: str, holds: pl.Expr) -> Rule:
    exact = holds.fill_null(value=False)
    return Rule(column=column.name, code=code, holds=exact, surely=exact)


def _name_column(mapping: Compiled) -> str | None:
    """The column under which a row without any name is reported: the last of the three that is mapped."""
    return next((name for name in reversed(mapping.entity.person_name) if name in mapping.columns), None)


def _check(rule: Rule) -> pa.Check:
    def holds(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(rule.holds.alias("holds"))

    return pa.Check(holds, name=rule.code, ignore_na=False)


def screened(frame: pl.DataFrame, held_against: Contract) -> pl.DataFrame:
    """Hold a mapped morsel against its contract: all its types, and the rows that are not surely valid check by check.

    Args:
        frame: destination columns.
        held_against: from ``contract``.

    Returns:
        Problems (``PROBLEMS``), empty when every row is valid.

    Raises:
        InvariantBroken: the frame has other columns or types than the contract; that is a defect of p2c.
    """
    doubts = frame.select((~rule.surely).alias(str(place)) for place, rule in enumerate(held_against.rules))
    in_doubt = frozenset(rule.column for place, rule in enumerate(held_against.rules) if doubts[str(place)].any())
    doubtful = doubts.select(pl.any_horizontal(pl.all()).arg_true()).to_series() if in_doubt else pl.Series(dtype=pl.UInt32)
    rows = frame[doubtful]
    try:
        if frame.schema != held_against.types:
            held_against.schema.validate(frame.lazy(), lazy=True)
        if in_doubt:
            held_against.only(in_doubt).validate(rows, lazy=True)
    except SchemaErrors as errors:
        cases: Any = errors.failure_cases
        broken = cases.filter(pl.col("index").is_null())
        if not broken.is_empty():
            raise InvariantBroken(f"mapping broke its own contract: {broken['check'].to_list()}") from errors
        return _problems(rows, doubtful, cases, held_against.limits)
    return PROBLEMS.to_frame()


def _problems(rows: pl.DataFrame, numbers: pl.Series, cases: pl.DataFrame, limits: Mapping[str, str]) -> pl.DataFrame:
    parts = []
    for (column, code), group in cases.group_by("column", "check", maintain_order=True):
        index = group["index"].cast(pl.UInt32)
        parts.append(
            pl.DataFrame({"row": numbers.gather(index).cast(pl.UInt32)}).with_columns(
                code=pl.lit(code),
                destination=pl.lit(column),
                limit=pl.lit("" if code == "mandatory_missing" else limits.get(str(column), "")),
                value=rows[str(column)].gather(index).cast(pl.String),
            )
        )
    return pl.concat([PROBLEMS.to_frame(), *parts])
