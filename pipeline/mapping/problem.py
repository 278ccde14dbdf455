"""Problems of mapped values, and how the rows that have them are found.

For many conditions at once.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import polars as pl

PROBLEMS: Final = pl.Schema(
    {
        "row": pl.UInt32,
        "code": pl.String,
        "destination": pl.String,
        "limit": pl.String,
        "value": pl.String,
    }
)
"""One row per problem of one value: row number in the morsel, code, destination column, limit for
the message, value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One problem of these rows, with the value that each of them has."""

    rows: pl.Series
    values: pl.Series
    code: str
    destination: str
    limit: str = ""


def tabulate_problems(problems: Sequence[Problem]) -> pl.DataFrame:
    """All of them as ``PROBLEMS``, in their order."""
    if not problems:
        return PROBLEMS.to_frame()
    said = pl.DataFrame(
        [(one.code, one.destination, one.limit) for one in problems],
        schema=["code", "destination", "limit"],
        orient="row",
    )
    places = pl.concat(
        [
            pl.Series([place], dtype=pl.UInt32).new_from_index(0, one.rows.len())
            for place, one in enumerate(problems)
        ]
    )
    rows = pl.concat([one.rows.cast(pl.UInt32) for one in problems])
    values = pl.concat([one.values.cast(pl.String) for one in problems])
    told = said[places]
    return pl.DataFrame([rows.alias("row"), *told.get_columns(), values.alias("value")])


Name = TypeVar("Name", bound=Hashable)


class RowFinder(Generic[Name]):
    """Finds the rows where conditions are true.

    It is one look at the frame, however many conditions there are: each look costs more than a
    condition does, and so does writing a condition down.
    """

    def __init__(self, conditions: Mapping[Name, pl.Expr]) -> None:
        """A condition has to be about a column.

        One that is a literal has one row, whatever the frame has.
        """
        self._marks = {
            name: condition.arg_true().implode().alias(str(place))
            for place, (name, condition) in enumerate(conditions.items())
        }

    def find(
        self, frame: pl.DataFrame, among: Sequence[Name] | None = None
    ) -> dict[Name, pl.Series]:
        """The numbers of the rows where each condition is true.

        Conditions that hold nowhere are left out. ``among``: only these are looked at.
        """
        names = list(self._marks) if among is None else among
        if not names:
            return {}
        found = frame.select_seq([self._marks[name] for name in names]).get_columns()
        rows = {name: some[0] for name, some in zip(names, found, strict=True)}
        return {name: numbers for name, numbers in rows.items() if numbers.len()}


def find_row_numbers(
    frame: pl.DataFrame, conditions: Mapping[Name, pl.Expr]
) -> dict[Name, pl.Series]:
    """The numbers of the rows where each condition is true; see ``RowFinder``."""
    return RowFinder(conditions).find(frame)
