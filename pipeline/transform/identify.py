"""Ids and keys of a routed morsel as text.

Taken from the landed text once SQL has said that it can be read.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from pipeline.mapping.paths import COMPANY, name_text_column
from schemas.text import WHITE_SPACE, trimmed

RAW: Final = (
    "raw:contactid", "raw:parentcustomerid", "raw:msdynce_contactnumber", "raw:owningbusinessunit",
    "raw:transactioncurrencyid",
)  # fmt: skip
"""What ``identified`` needs of each contact, as it is written in the source."""

_PLAIN_LENGTH: Final = 36
"""Text of this length is an id without braces and white space, or none at all."""


def identify(morsel: pl.DataFrame) -> pl.DataFrame:
    """Add contactid, contact_number, company_id, destination_key and the company's key for mapping.

    Ids are 36 lower-case characters, whatever their case and braces; one that cannot be read stays
    as written.
    """
    customer = pl.col("route") == "ContactToCustomer"
    entity = pl.col("legal_entity")
    return morsel.with_columns(
        _read_ids(morsel, "raw:contactid", unreadable="contactid_invalid").alias("contactid"),
        _read_ids(morsel, "raw:parentcustomerid").alias("company_id"),
        contact_number=trimmed(pl.col("raw:msdynce_contactnumber")),
    ).with_columns(
        pl.coalesce("unreadable_company", "company_named", "company_id").alias("company_id"),
        pl.col("company_key").alias(name_text_column(COMPANY)),
        destination_key=pl.when(customer)
        .then(pl.concat_str([entity, "contact_number"], separator="/"))
        .when(pl.col("route").is_not_null())
        .then(pl.concat_str([entity, "contact_number", "company_key"], separator="/")),
    )


def _read_ids(morsel: pl.DataFrame, name: str, unreadable: str | None = None) -> pl.Series:
    """Ids of a column; only those of an unusual length need more than lower case."""
    written = morsel[name]
    unusual = (written.str.len_bytes() != _PLAIN_LENGTH).fill_null(value=False)
    odd = (unusual if unreadable is None else unusual | morsel[unreadable]).arg_true()
    ids = written.str.to_lowercase()
    if odd.is_empty():
        return ids
    some = morsel[odd] if unreadable is None else morsel.select(name, unreadable)[odd]
    read = pl.col(name).str.strip_chars(WHITE_SPACE + "{}").str.to_lowercase()
    otherwise = pl.lit(value=False) if unreadable is None else pl.col(unreadable)
    found = (
        pl.when(otherwise)
        .then(trimmed(pl.col(name)).str.to_lowercase())
        .when(read != "")
        .then(read)
    )
    return ids.scatter(odd, some.select(found).to_series())
