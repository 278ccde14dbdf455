"""The destination contract: one boolean column per rule, and a Pandera schema of the same rules.

Both are built from the catalogue. A rule that does not hold is a finding of its row, never the end
of the run; its name is the finding's code. The schema's types are held against every morsel, its
checks against those rows that were looked at closely, passed all gates and go into the plan: one
that breaks a rule there has lost its problem on the way, a defect of p2c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.errors import SchemaErrors

from pipeline.errors import InvariantBroken
from pipeline.mapping.compile import CompiledTemplate, Target
from pipeline.mapping.problem import PROBLEMS, Problem, RowFinder, tabulate_problems
from schemas.catalogue import Column
from schemas.text import utf16_length

_AT_ONCE: Final = 50_000
"""Rows that wait for a look at the schema."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractRule:
    """One rule of one destination column.

    ``holds`` is exact, ``surely`` is cheap and true only where ``holds`` is.
    """

    column: str
    code: str
    holds: pl.Expr
    surely: pl.Expr


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a task's destination rows must be.

    Rules, and the Pandera schema of types and named checks made of them.
    """

    schema: pa.DataFrameSchema
    rules: tuple[ContractRule, ...]
    types: pl.Schema
    limits: Mapping[str, str]
    """Destination column → the allowed length or values that messages name."""

    @cached_property
    def doubtful(self) -> RowFinder[int]:
        """Finds rows where a rule, by its place, does not surely hold."""
        return RowFinder({place: ~rule.surely for place, rule in enumerate(self.rules)})

    @cached_property
    def broken(self) -> RowFinder[int]:
        """Finds rows where a rule does not hold."""
        return RowFinder({place: ~rule.holds for place, rule in enumerate(self.rules)})

    def keep(self, planned: pl.DataFrame) -> None:
        """Hold rows that go into a plan against the schema.

        Raises:
            InvariantBroken: a row that no gate stopped breaks a rule, or is of other columns or
                types.
        """
        try:
            self.schema.validate(planned, lazy=True)
        except SchemaErrors as errors:
            cases = pl.DataFrame(errors.failure_cases)
            broken = cases.select("column", "check").unique().sort("column", "check").rows()
            raise InvariantBroken(
                f"planned rows break the contract of {self.schema.name}: {broken}."
            ) from errors


class Guard:
    """Holds planned rows against their contract, many at once.

    The schema costs the same for one row and for a thousand.
    """

    def __init__(self, keep: Callable[[pl.DataFrame], None], *, at_once: int = _AT_ONCE) -> None:
        """``keep`` is the contract's own (``Contract.keep``)."""
        self._keep = keep
        self._at_once = at_once
        self._waiting: list[pl.DataFrame] = []

    def look(self, rows: pl.DataFrame) -> None:
        """Hold these rows against the contract, now or when more have come.

        They wait as copies: a few rows taken out of a frame would keep all texts of that frame in
        memory.

        Raises:
            InvariantBroken: see ``Contract.keep``.
        """
        if rows.is_empty():
            return
        self._waiting.append(pl.DataFrame(rows.to_arrow(compat_level=pl.CompatLevel.oldest())))
        if sum(frame.height for frame in self._waiting) >= self._at_once:
            self.finish()

    def finish(self) -> None:
        """Let no row wait any longer.

        Raises:
            InvariantBroken: see ``Contract.keep``.
        """
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._keep(pl.concat(waiting))


def build_contract(mapping: CompiledTemplate) -> Contract:
    """The contract of a mapped morsel.

    Its checks are ``mandatory_missing``, ``too_long`` and ``value_not_allowed``.
    """
    made = tuple(rule for target in mapping.targets for rule in _list_rules(target, mapping))
    columns = {
        one.name: pa.Column(
            one.column.dtype,
            checks=[_make_check(rule) for rule in made if rule.column == one.name], nullable=True
        )
        for one in mapping.targets
    }  # fmt: skip
    schema = pa.DataFrameSchema(columns, strict=True, ordered=True, name=mapping.entity.name)
    types = pl.Schema({one.name: one.column.dtype for one in mapping.targets})
    limits = {one.name: one.column.members_text or str(one.limit or "") for one in mapping.targets}
    return Contract(schema=schema, rules=made, types=types, limits=limits)


def _list_rules(target: Target, mapping: CompiledTemplate) -> Iterator[ContractRule]:
    column, value = target.column, pl.col(target.name)
    if column.mandatory:
        yield _make_rule(column, "mandatory_missing", value.is_not_null())
    if column.name == _find_name_column(mapping):
        names = [name for name in mapping.entity.person_name if name in mapping.columns]
        yield _make_rule(
            column, "mandatory_missing", pl.any_horizontal(pl.col(names).is_not_null())
        )
    for filled, needed in mapping.entity.needs.items():
        if needed == column.name and filled in mapping.columns:
            yield _make_rule(
                column, "mandatory_missing", pl.col(filled).is_null() | value.is_not_null()
            )
    if column.members:
        yield _make_rule(column, "value_not_allowed", value.is_in(column.members) | value.is_null())
    if target.limit is not None and column.dtype == pl.String():
        yield ContractRule(
            column=column.name,
            code="too_long",
            holds=(utf16_length(value) <= target.limit).fill_null(value=True),
            surely=(value.str.len_bytes() <= target.limit).fill_null(value=True),
        )


def _make_rule(column: Column, code: str, holds: pl.Expr) -> ContractRule:
    exact = holds.fill_null(value=False)
    return ContractRule(column=column.name, code=code, holds=exact, surely=exact)


def _find_name_column(mapping: CompiledTemplate) -> str | None:
    """The column under which a row without any name is reported.

    The last of the three that is mapped.
    """
    return next(
        (name for name in reversed(mapping.entity.person_name) if name in mapping.columns), None
    )


def _make_check(rule: ContractRule) -> pa.Check:
    def holds(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(rule.holds.alias("holds"))

    return pa.Check(holds, name=rule.code, ignore_na=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Screened:
    """The problems of a morsel (``PROBLEMS``), and the rows that were looked at closely.

    Sound rows are among them.
    """

    problems: pl.DataFrame
    doubtful: pl.Series


def screen(frame: pl.DataFrame, held_against: Contract) -> Screened:
    """Hold a mapped morsel against its contract, rule by rule.

    Exactly only where a rule does not surely hold.

    Raises:
        InvariantBroken: the frame has other columns or types than the contract; that is a defect of
            p2c.
    """
    if frame.schema != held_against.types:
        held_against.keep(frame.clear())
    doubts = held_against.doubtful.find(frame)
    if not doubts:
        return Screened(problems=PROBLEMS.to_frame(), doubtful=pl.Series(dtype=pl.UInt32))
    doubtful = pl.concat(list(doubts.values())).unique().sort()
    rows = frame[doubtful]
    broken = held_against.broken.find(rows, list(doubts))
    found = [
        _name_broken(held_against.rules[place], rows, doubtful, where, held_against.limits)
        for place, where in broken.items()
    ]
    return Screened(problems=tabulate_problems(found), doubtful=doubtful)


def _name_broken(
    rule: ContractRule,
    rows: pl.DataFrame,
    numbers: pl.Series,
    broken: pl.Series,
    limits: Mapping[str, str],
) -> Problem:
    return Problem(
        rows=numbers[broken],
        values=rows[rule.column][broken],
        code=rule.code,
        destination=rule.column,
        limit="" if rule.code == "mandatory_missing" else limits.get(rule.column, ""),
    )
