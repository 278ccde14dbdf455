"""Columns with a closed list behind them (country, state, value map).

Each distinct value of a morsel is looked up once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from pipeline.mapping.lookup import Lookup, look_up_country

_BETWEEN = "\x1f"

Cell = str | int | bool | None
"""A value of a source column: text, or what was read as a number or as two options."""


class UsedValue(NamedTuple):
    """How one distinct source value met a closed list: as text, and in how many rows."""

    value: str | None
    key: str | None
    """Of the value map; null if none was used."""
    problem: str | None
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """How often each distinct source value met a closed list.

    What value-map coverage is made of.
    """

    destination: str
    values: tuple[UsedValue, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueOutcomes:
    """What becomes of a source column: by distinct ``keys``, which are its values.

    With a ``country``, they are the texts of both. ``results`` and ``used`` are in their order.
    """

    source: str
    country: str | None
    keys: pl.Series
    results: pl.Series
    used: tuple[UsedValue, ...]

    def replace(self) -> pl.Expr:
        """The source column replaced by what it becomes."""
        if not self.used:  # Polars would leave the column as it was, whatever its type.
            return pl.col(self.source).cast(pl.String)
        return self._given().replace_strict(self.keys, self.results, return_dtype=pl.String)

    @property
    def problems(self) -> list[str]:
        """The codes of the problems that values have."""
        return list(dict.fromkeys(one.problem for one in self.used if one.problem is not None))

    def have(self, problem: str) -> pl.Expr:
        """Which rows have a problem."""
        wrong = [place for place, one in enumerate(self.used) if one.problem == problem]
        return self._given().is_in(self.keys[wrong].implode(), nulls_equal=True)

    def _given(self) -> pl.Expr:
        if self.country is None:
            return pl.col(self.source)
        return pl.concat_str(
            pl.col(self.source).cast(pl.String).fill_null(""),
            pl.col(self.country).fill_null(""),
            separator=_BETWEEN,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueLookup:
    """Looks up what the columns of one morsel hold.

    Args:
        texts: clean source columns; numbers and booleans are compared as their text.
        countries: the project's own country spellings, folded → ISO-2.
    """

    texts: pl.DataFrame
    countries: Mapping[str, str]
    _counted: dict[tuple[str, str | None], Sequence[tuple[Cell, str | None, int]]] = field(
        default_factory=dict
    )

    def look_up(self, lookup: Lookup, source: str, country: str | None) -> ValueOutcomes:
        """Look up each distinct value of a column, or each distinct pair of state and country.

        Args:
            lookup: the row of the mapping.
            source: the column.
            country: the column of the country that a state belongs to.
        """
        counted = self._count(source, country)
        used, results = [], []
        for given, where, rows in counted:
            value = _write(given)
            iso = look_up_country(where, self.countries) if where else None
            result, problem, key = lookup.outcome(value, iso)
            results.append(result)
            used.append(UsedValue(value=value, key=key, problem=problem, rows=rows))
        keys = (
            pl.Series([one[0] for one in counted], dtype=self.texts.schema[source])
            if country is None
            else pl.Series(
                [f"{_write(given) or ''}{_BETWEEN}{where or ''}" for given, where, _ in counted],
                dtype=pl.String,
            )
        )
        return ValueOutcomes(
            source=source,
            country=country,
            keys=keys,
            results=pl.Series(results, dtype=pl.String),
            used=tuple(used),
        )

    def _count(self, source: str, country: str | None) -> Sequence[tuple[Cell, str | None, int]]:
        """The distinct values of a column, and of the country beside it, and their rows."""
        if (source, country) not in self._counted:
            if country is None:
                counts = self.texts[source].value_counts().iter_rows()
                found = [(given, None, rows) for given, rows in counts]
            else:
                pairs = self.texts.select(given=pl.col(source), country=pl.col(country))
                found = pairs.group_by("given", "country").len().rows()
            self._counted[source, country] = sorted(found, key=_order)
        return self._counted[source, country]


def _order(counted: tuple[Cell, str | None, int]) -> tuple[object, ...]:
    given, country, _ = counted
    return given is not None, 0 if given is None else given, country or ""


def _write(given: Cell) -> str | None:
    """A value as Polars writes it as text."""
    if isinstance(given, bool):
        return "true" if given else "false"
    return None if given is None else str(given)
