"""Problems of mapped values, and how the rows that have them are found.

For many conditions at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

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


Name = TypeVar("Name")


def tabulate_problem(
    rows: pl.Series, values: pl.Series, *, code: str, destination: str, limit: str = ""
) -> pl.DataFrame:
    """One problem for each of these rows, with the value that each of them has (``PROBLEMS``)."""
    same = {"code": code, "destination": destination, "limit": limit}
    columns = [pl.Series(name, [text]).new_from_index(0, rows.len()) for name, text in same.items()]
    return pl.DataFrame(
        [rows.cast(pl.UInt32).alias("row"), *columns, values.cast(pl.String).alias("value")]
    )


def find_row_numbers(
    frame: pl.DataFrame, conditions: Mapping[Name, pl.Expr]
) -> dict[Name, pl.Series]:
    """The numbers of the rows where each condition is true.

    Conditions that hold nowhere are left out. It is one look at the frame, however many conditions
    there are: each look costs more than a condition does. A condition has to be about a column: one
    that is a literal has one row, whatever the frame has.
    """
    if not conditions:
        return {}
    found = frame.select(
        condition.arg_true().implode().alias(str(place))
        for place, condition in enumerate(conditions.values())
    )
    rows = {name: found[str(place)][0] for place, name in enumerate(conditions)}
    return {name: numbers for name, numbers in rows.items() if not numbers.is_empty()}
