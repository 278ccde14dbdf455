"""Columns with a closed list behind them (country, state, value map).

Each distinct value of a morsel is looked up once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.mapping.lookup import Lookup, look_up_country


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """How often each distinct source value met a closed list.

    What value-map coverage is made of.
    """

    destination: str
    values: pl.DataFrame
    """value, key (used, null if none), problem, rows"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueOutcomes:
    """What becomes of a source column.

    By distinct ``given`` value (and ``country``) result, problem, key, rows.
    """

    source: str
    country: str | None
    values: pl.DataFrame

    def usage(self, destination: str) -> Usage:
        """The values as text, for coverage."""
        return Usage(
            destination=destination, values=self.values.select("value", "rows", "problem", "key")
        )

    def results(self) -> pl.Expr:
        """The source column replaced by what it becomes."""
        if self.values.is_empty():  # Polars would leave the column as it was, whatever its type.
            return pl.col(self.source).cast(pl.String)
        return self._given().replace_strict(
            self._keys(self.values), self.values["result"], return_dtype=pl.String
        )

    @property
    def problems(self) -> list[str]:
        """The codes of the problems that values have."""
        return list(dict.fromkeys(self.values["problem"].drop_nulls()))

    def have(self, problem: str) -> pl.Expr:
        """Which rows have a problem."""
        wrong = self.values.filter(pl.col("problem") == problem)
        return self._given().is_in(self._keys(wrong).implode(), nulls_equal=True)

    def _given(self) -> pl.Expr:
        return (
            pl.col(self.source)
            if self.country is None
            else _join(pl.col(self.source), pl.col(self.country))
        )

    def _keys(self, values: pl.DataFrame) -> pl.Series:
        if self.country is None:
            return values["given"]
        return values.select(_join(pl.col("given"), pl.col("country"))).to_series()


def look_up_values(
    lookup: Lookup,
    texts: pl.DataFrame,
    source: str,
    country: str | None,
    countries: Mapping[str, str],
) -> ValueOutcomes:
    """Look up each distinct value of a column; for states, each distinct pair of state and country.

    Args:
        lookup: the row of the mapping.
        texts: clean source columns; numbers and booleans are compared as their text.
        source: the column.
        country: the column of the country that a state belongs to.
        countries: the project's own country spellings, folded → ISO-2.
    """
    nation = pl.lit(None, pl.String) if country is None else pl.col(country)
    pairs = texts.select(given=pl.col(source), country=nation)
    counted = (
        pairs.get_column("given")
        .value_counts(name="rows")
        .with_columns(country=pl.lit(None, pl.String))
        if country is None
        else pairs.group_by("given", "country").len(name="rows")
    )
    distinct = counted.sort("given", "country").with_columns(value=pl.col("given").cast(pl.String))
    found = [
        lookup.outcome(value, look_up_country(where, countries) if where else None)
        for value, where in distinct.select("value", "country").iter_rows()
    ]
    results = {
        name: [one[place] for one in found]
        for place, name in enumerate(("result", "problem", "key"))
    }
    return ValueOutcomes(
        source=source,
        country=country,
        values=distinct.with_columns(
            pl.Series(name, values, dtype=pl.String) for name, values in results.items()
        ),
    )


def _join(value: pl.Expr, country: pl.Expr) -> pl.Expr:
    return pl.concat_str(
        [value.cast(pl.String).fill_null(""), country.fill_null("")], separator="\x1f"
    )
