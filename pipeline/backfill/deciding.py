"""Rows of ``sql/backfill/contacts.sql`` → the plan's rows and their findings, morsel by morsel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from pipeline.backfill.numbering import derive_suffixes
from pipeline.project.settings import BackfillSettings
from pipeline.run.facts import Numbers
from schemas.codes import find_code
from schemas.run import BACKFILL, FINDINGS

_PLACE: Final = "place:"
_FINDINGS: Final = (
    ("contactid_invalid", "contactid", pl.col("contactid").is_null(), pl.col("written_id")),
    ("contactid_repeated", "contactid", pl.col("state") == "repeated", pl.col("contactid")),
    (
        "value_unreadable",
        "msdynce_isactivecustomer",
        pl.col("active_unreadable"),
        pl.lit(None, pl.String),
    ),
    ("contact_number_malformed", "msdynce_contactnumber", pl.col("malformed"), pl.col("number")),
    (
        "flag_company_disagrees",
        "msdynce_iscompanyanaccount",
        pl.col("company_disagrees"),
        pl.lit(None, pl.String),
    ),
    (
        "flag_without_activity",
        "msdynce_isactivecustomer",
        pl.col("without_activity"),
        pl.lit(None, pl.String),
    ),
)


def decide_flags(rows: pl.DataFrame, settings: BackfillSettings) -> pl.DataFrame:
    """Rows of ``sql/backfill/contacts.sql`` with documents → the same with their new flags."""
    wanted, active, flag = pl.col("wanted"), pl.col("active"), pl.col("company_flag")
    has_activity = pl.col("quotes").is_not_null()
    disagrees = wanted & (flag != pl.col("is_account"))
    blank = (
        pl.when(active.is_null() & settings.null_to_no).then(pl.lit(value=False)).otherwise(active)
    )
    return rows.with_columns(
        active_after=pl.when(wanted & ~pl.col("active_unreadable"))
        .then(pl.when(has_activity).then(pl.lit(value=True)).otherwise(blank))
        .otherwise(active),
        company_flag_after=pl.when(wanted & settings.fix_company_flag)
        .then(pl.coalesce("is_account", "company_flag"))
        .otherwise(flag),
        company_disagrees=disagrees,
        without_activity=wanted & active & ~has_activity,
    )


def plan_rows(
    rows: pl.DataFrame,
    numbers: Numbers,
    md5: Callable[[pl.Series], pl.Series],
) -> pl.DataFrame:
    """The plan's rows (``BACKFILL``).

    Ranks, dates and flags are as they were decided; numbers and suffixes are made here.
    """
    ranked = rows["rank"].is_not_null()
    made = rows.filter(ranked).select("contactid", "rank")
    suffix = derive_suffixes(made["contactid"], numbers.seed, numbers.suffix_length, md5)
    digits = (pl.col("rank") + numbers.base).cast(pl.String).str.zfill(5)
    number = made.select(
        pl.concat_str(pl.lit(f"{numbers.prefix}-"), digits, pl.lit("-"), suffix)
    ).to_series()
    places = ranked.arg_true()
    activated = pl.col("active_after").ne_missing(pl.col("active"))
    other = pl.col("company_flag_after").ne_missing(pl.col("company_flag"))
    planned = rows.with_columns(
        contactid=pl.coalesce("contactid", pl.col("written_id").str.to_lowercase()),
        suffix=pl.repeat(None, rows.height, dtype=pl.String, eager=True).scatter(places, suffix),
        number_before=pl.col("number"),
        number_after=rows["number"].scatter(places, number),
        active_before=pl.col("active"),
        company_flag_before=pl.col("company_flag"),
        action=pl.when(pl.col("rank").is_not_null() & activated)
        .then(pl.lit("both"))
        .when(pl.col("rank").is_not_null())
        .then(pl.lit("number"))
        .when(activated)
        .then(pl.lit("activate"))
        .when(other)
        .then(pl.lit("other"))
        .otherwise(pl.lit("none")),
        outcome=pl.lit(None, pl.String),
        code=pl.lit(None, pl.String),
    )
    return planned.select(pl.col(name).cast(dtype) for name, dtype in BACKFILL.items())


def list_contact_findings(rows: pl.DataFrame) -> pl.DataFrame:
    """Findings about single contacts (``FINDINGS``), in the order of the contacts."""
    rows = rows.with_row_index(_PLACE)
    parts = [pl.DataFrame(schema={_PLACE: rows.schema[_PLACE], **FINDINGS})]
    for name, column, where, value in _FINDINGS:
        known = find_code(name)
        hit = rows.filter(where)
        if hit.height:
            parts.append(
                hit.select(
                    _PLACE,
                    contactid=pl.coalesce("contactid", pl.col("written_id").str.to_lowercase()),
                    task=pl.lit(None, pl.String),
                    severity=pl.lit(str(known.severity or "error")),
                    code=pl.lit(name),
                    column=pl.lit(column),
                    destination=pl.lit(None, pl.String),
                    message=pl.lit(known.message(column=column)),
                    value=value,
                    source_file=pl.col("source_file"),
                    source_line=pl.col("source_line"),
                )
            )
    return pl.concat(parts).sort(_PLACE, maintain_order=True).drop(_PLACE)
