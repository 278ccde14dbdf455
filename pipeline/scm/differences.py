"""What differs between two states of the same rows, field by field. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from pipeline.scm.normal import normalize
from schemas.catalogue import Column

OLD: Final = "old:"
NEW: Final = "new:"
"""In front of a column's name: its value in either state."""

DIFFERING: Final = pl.Schema(
    {
        "row": pl.Int64,
        "place": pl.Int32,
        "contactid": pl.String,
        "destination_key": pl.String,
        "column": pl.String,
        "old": pl.String,
        "new": pl.String,
    }
)
"""One row per field that differs: the row's number, the column's place in the template, and both
values in one form (``normalize``); null is blank."""

_ROW: Final = ["row", "contactid", "destination_key"]


def find_differences(pairs: pl.DataFrame, columns: Mapping[str, Column]) -> pl.DataFrame:
    """Fields whose values differ, whatever either side calls blank.

    Args:
        pairs: row, contactid, destination_key, and of each column ``new:…`` and ``old:…``. A column
            without ``old:…`` had no value.
        columns: destination columns in the order of the template; keys are not compared.

    Returns:
        ``DIFFERING``, column by column. A field that keeps what SCM has is not changed by a blank.
    """
    found = [
        _compare(pairs, place, column)
        for place, column in enumerate(columns.values())
        if not column.key
    ]
    return pl.concat([DIFFERING.to_frame(), *found])


def _compare(pairs: pl.DataFrame, place: int, column: Column) -> pl.DataFrame:
    given = OLD + column.name
    before = pl.col(given) if given in pairs.columns else pl.lit(None, pl.String)
    sent = pl.col(NEW + column.name).is_not_null() if column.keeps else pl.lit(value=True)
    sides = pairs.filter(sent).select(
        *_ROW,
        old=normalize(before, column),
        new=normalize(pl.col(NEW + column.name), column),
    )
    return sides.filter(pl.col("old").ne_missing(pl.col("new"))).select(
        pl.col("row").cast(pl.Int64),
        pl.lit(place, pl.Int32).alias("place"),
        "contactid",
        "destination_key",
        pl.lit(column.name).alias("column"),
        "old",
        "new",
    )
