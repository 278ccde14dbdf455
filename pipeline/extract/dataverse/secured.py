"""Columns of contacts that column security hides from whoever reads: all of their values are null.

Sales says nothing where it leaves a value out, so such a column looks like one that is blank.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import polars as pl

from pipeline.extract.landing import LandedTable
from pipeline.wire.dataverse import Sales
from schemas.sales import CONTACTS

_ROWS: Final = 1_000
"""Rows that show whether a column may be hidden; only then all rows are looked at."""


def find_hidden_columns(
    sales: Sales, landed: Mapping[str, LandedTable], columns: Collection[str]
) -> list[str]:
    """Of these columns of contacts, the secured ones without a value in any row.

    Sales is asked only where a column has no value at first. Empty if it does not answer.
    """
    contacts = landed.get(CONTACTS.name)
    if contacts is None or not contacts.rows:
        return []
    rows = pl.scan_parquet(list(contacts.files), glob=False)
    known = sorted(set(columns) & contacts.columns.keys())
    blank = _find_blank(rows.head(_ROWS), known)
    secured = sales.secured(CONTACTS.singular) if blank else frozenset()
    return _find_blank(rows, [name for name in blank if name in secured])


def _find_blank(rows: pl.LazyFrame, columns: Sequence[str]) -> list[str]:
    if not columns:
        return []
    counts = rows.select(pl.col(columns).count()).collect(engine="streaming").row(0, named=True)
    return [name for name, filled in counts.items() if not filled]
