"""Which few rows of a large table need an exact look, found by hashes: the rest meets no join.

A hash that occurs twice proves nothing; ``sql/plan/versions.sql`` and ``sql/plan/numbers.sql`` look
exactly.
But equal ids and equal numbers always have equal hashes, so nothing is missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from sql.query import query
from sql.session import Session

_AT_ONCE: Final = 3_000_000
"""Hashes that are sorted at once: 24 MB, and as much for each step. More are sorted in parts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HashCounts:
    """How many contact rows there are, and what their hashes say of their lookups."""

    rows: int
    with_company: int
    with_name: int
    """Those with a company that is no id."""
    has_currency_name: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspects:
    """Row numbers (``source_row``) of contacts.

    Those whose id may repeat, and all that need a look for any reason.
    """

    repeated: pl.Series
    all: pl.Series


def count_hashes(session: Session) -> HashCounts:
    """Count ``hashes`` (``sql/plan/hashes.sql``)."""
    rows, with_company, with_name, has_name = session.frame(query("plan/hash_counts")).row(0)
    return HashCounts(
        rows=rows, with_company=with_company, with_name=with_name, has_currency_name=has_name
    )


def find_suspects(session: Session, rows: int, *, at_once: int = _AT_ONCE) -> Suspects:
    """Contacts that may share an id or a number with another row, or may be a company.

    A number may also be shared with an account.

    Args:
        session: has ``hashes`` (``sql/plan/hashes.sql``) and ``account_hashes``.
        rows: how many contacts there are.
        at_once: hashes to sort at once.
    """
    parts = -(-rows // at_once) or 1
    for column, name in (("id", "ids_twice"), ("number", "numbers_twice")):
        text = query("plan/hashes_of_part", column=column)
        found = [
            _find_repeated(session.frame(text, part=part, parts=parts)["hash"])
            for part in range(parts)
        ]
        session.register(name, pl.concat(found).to_frame())
    marked = session.frame(query("plan/suspect_rows"))
    return Suspects(repeated=marked.filter("is_repeated")["source_row"], all=marked["source_row"])


def collect_booleans(session: Session, rows: int, columns: Sequence[str]) -> pl.DataFrame:
    """Boolean columns of ``hashes`` by number of the row, whatever order they came in.

    A bit a row.
    """
    none = pl.repeat(value=False, n=rows, eager=True)
    found = {name: session.frame(query("plan/rows_marked", mark=name)) for name in columns}
    return pl.DataFrame(
        {name: none.clone().scatter(one["source_row"], True) for name, one in found.items()}
    )


def find_repeated_rows(hashes: pl.DataFrame) -> pl.Series:
    """``source_row`` of the rows whose ``id`` occurs more than once."""
    return hashes.filter(pl.col("id").is_in(_find_repeated(hashes["id"]).implode()))["source_row"]


def _find_repeated(hashes: pl.Series) -> pl.Series:
    ordered = hashes.drop_nulls().sort()
    return ordered.filter(ordered == ordered.shift()).unique()
