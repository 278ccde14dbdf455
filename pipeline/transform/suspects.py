"""Which few rows of a large table need an exact look, found by hashes: the rest meets no join.

A hash that occurs twice proves nothing; ``sql/plan/versions.sql`` and ``sql/plan/numbers.sql`` look
exactly.
But equal ids and equal numbers always have equal hashes, so nothing is missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspects:
    """Row numbers (``source_row``) of contacts.

    Those whose id may repeat, and all that need a look for any reason.
    """

    repeated: pl.Series
    all: pl.Series
    rows: int
    with_company: int


def find_suspects(contacts: pl.DataFrame, accounts: pl.DataFrame) -> Suspects:
    """Contacts that may share an id or a number with another row, or may be a company.

    A number may also be shared with an account.

    Args:
        contacts: ``sql/plan/hashes.sql``.
        accounts: hashes ``id`` and ``number`` of accounts.
    """
    twice = _find_repeated(contacts["id"])
    orphaned = ~pl.col("company").is_in(accounts["id"].implode()) | pl.col("of_contact")
    companies = (
        contacts.lazy()
        .filter(pl.col("company").is_not_null(), orphaned)
        .select("company")
        .unique()
        .collect()
    )
    numbers = pl.concat([_find_repeated(contacts["number"]), accounts["number"]]).unique()
    marked = contacts.select(
        "source_row",
        repeated=pl.col("id").is_in(twice.implode()),
        other=pl.col("number").is_in(numbers.implode())
        | pl.col("id").is_in(companies["company"].implode()),
    ).filter(pl.col("repeated").fill_null(value=False) | pl.col("other").fill_null(value=False))
    return Suspects(
        repeated=marked.filter("repeated")["source_row"],
        all=marked["source_row"],
        rows=contacts.height,
        with_company=contacts.height - contacts["company"].null_count(),
    )


def collect_marks(hashes: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Boolean columns of ``sql/plan/hashes.sql`` by number of the row, whatever order they came in.

    A bit a row.
    """
    none = pl.repeat(value=False, n=hashes.height, eager=True)
    found = {name: hashes.filter(name)["source_row"] for name in columns}
    return pl.DataFrame({name: none.clone().scatter(rows, True) for name, rows in found.items()})


def find_repeated_rows(hashes: pl.DataFrame) -> pl.Series:
    """``source_row`` of the rows whose ``id`` occurs more than once."""
    return hashes.filter(pl.col("id").is_in(_find_repeated(hashes["id"]).implode()))["source_row"]


def _find_repeated(hashes: pl.Series) -> pl.Series:
    ordered = hashes.drop_nulls().sort()
    return ordered.filter(ordered == ordered.shift()).unique()
