"""Ids and keys of a routed morsel as text.

Taken from the landed text once SQL has said that it can be read.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from pipeline.mapping.paths import COMPANY, name_text_column
from pipeline.mapping.problem import RowFinder
from schemas.text import WHITE_SPACE, trimmed

RAW: Final = (
    "raw:contactid", "raw:parentcustomerid", "raw:msdynce_contactnumber", "raw:owningbusinessunit",
    "raw:transactioncurrencyid",
)  # fmt: skip
"""What ``identified`` needs of each contact, as it is written in the source."""

_PLAIN_LENGTH: Final = 36
"""Text of this length is an id without braces and white space, or none at all."""


def _is_unusual(name: str) -> pl.Expr:
    return (pl.col(name).str.len_bytes() != _PLAIN_LENGTH).fill_null(value=False)


def _read_unusual(name: str) -> pl.Expr:
    read = pl.col(name).str.strip_chars(WHITE_SPACE + "{}").str.to_lowercase()
    return pl.when(read != "").then(read)


_UNUSUAL: Final = RowFinder(
    {
        "contactid": _is_unusual("raw:contactid") | pl.col("contactid_invalid"),
        "company_id": _is_unusual("raw:parentcustomerid"),
    }
)
"""Ids that need more than lower case."""
_READ_UNUSUAL: Final = {
    "contactid": pl.when("contactid_invalid")
    .then(trimmed(pl.col("raw:contactid")).str.to_lowercase())
    .otherwise(_read_unusual("raw:contactid")),
    "company_id": _read_unusual("raw:parentcustomerid"),
}
_AS_WRITTEN: Final = (
    pl.col("raw:contactid").str.to_lowercase().alias("contactid"),
    pl.col("raw:parentcustomerid").str.to_lowercase().alias("company_id"),
    trimmed(pl.col("raw:msdynce_contactnumber")).alias("contact_number"),
)
_KEYS: Final = (
    pl.coalesce("unreadable_company", "company_named", "company_id").alias("company_id"),
    pl.col("company_key").alias(name_text_column(COMPANY)),
    pl.when(pl.col("route") == "ContactToCustomer")
    .then(pl.concat_str(["legal_entity", "contact_number"], separator="/"))
    .when(pl.col("route").is_not_null())
    .then(pl.concat_str(["legal_entity", "contact_number", "company_key"], separator="/"))
    .alias("destination_key"),
)


def identify(morsel: pl.DataFrame) -> pl.DataFrame:
    """Add contactid, contact_number, company_id, destination_key and the company's key for mapping.

    Ids are 36 lower-case characters, whatever their case and braces; one that cannot be read stays
    as written.
    """
    read = morsel.with_columns_seq(_AS_WRITTEN)
    for name, rows in _UNUSUAL.find(morsel).items():
        ids = morsel.select_seq(pl.col(*RAW, "contactid_invalid").gather(rows))
        exact = read[name].clone().scatter(rows, ids.select_seq(_READ_UNUSUAL[name]).to_series())
        read = read.with_columns_seq(exact)
    return read.with_columns_seq(_KEYS)
