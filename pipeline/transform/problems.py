"""Problems of rows: from SQL and mapping, weighed by gate and catalogue order, made findings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from pipeline.mapping.compile import CompiledTemplate
from pipeline.mapping.paths import COMPANY, CURRENCY, NUMBER
from pipeline.mapping.problem import PROBLEMS
from schemas.codes import Severity, find_code, load_codes
from schemas.text import trimmed

SCHEMA: Final = pl.Schema(
    {
        "row": pl.UInt32, "code": pl.String, "column": pl.String, "destination": pl.String,
        "limit": pl.String,
        "detail": pl.String, "value": pl.String,
    }
)  # fmt: skip
"""One row per problem: row number in the morsel, code, source column, destination column, blanks of
the message, value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RoutingRule:
    """A boolean column of ``route.sql`` and what its finding says."""

    code: str
    flag: pl.Expr
    column: str | pl.Expr
    value: pl.Expr
    detail: pl.Expr | None = None


def _make_rule(
    name: str,
    column: str | pl.Expr,
    value: str | pl.Expr,
    *,
    flag: pl.Expr | None = None,
    detail: pl.Expr | None = None,
) -> RoutingRule:
    shown = pl.col(value) if isinstance(value, str) else value
    return RoutingRule(
        code=name,
        flag=pl.col(name) if flag is None else flag,
        column=column,
        value=shown,
        detail=detail,
    )


def _make_unreadable(column: str | pl.Expr, raw: str, detail: pl.Expr | None = None) -> RoutingRule:
    flag = pl.col(raw).is_not_null()
    return _make_rule("value_unreadable", column, raw, flag=flag, detail=detail)


_OTHERS: Final = pl.col("others")
_MORE: Final = pl.col("owners") - 1 - _OTHERS.list.len()
_NAMES: Final = pl.when(_MORE > 0).then(
    pl.concat_str([_OTHERS.list.join(", "), pl.lit(" and "), _MORE.cast(pl.String),
    pl.lit(" more")])
).otherwise(_OTHERS.list.join(", "))  # fmt: skip

_EXPORT_NUMBERS: Final = (
    "Add the column Account Number of the company to the view and export it again"
)
_NAMELESS: Final = (
    pl.when(pl.col("company_problem") == "unknown")
    .then(pl.lit(f": it is no id, and the name of no account. {_EXPORT_NUMBERS}"))
    .when(pl.col("company_problem") == "ambiguous")
    .then(pl.lit(f": it is no id, and not the name of one account only. {_EXPORT_NUMBERS}"))
    .otherwise(pl.lit(""))
)
"""Why a company's name gives no account."""

_MOVED: Final = pl.lit(
    ": the cells of its row seem to stand in wrong columns, as a delimiter in a text without "
    "quotes moves them"
)

_NO_CODE: Final = pl.col("currency_problem").replace_strict(
    {
        "no_table": "the source has no table transactioncurrencies",
        "no_code": "transactioncurrencies has no code for it",
        "no_id": "it is no id, and not the name, symbol or code of one currency only",
        "not_listed": "its id is not in transactioncurrencies",
    },
    return_dtype=pl.String,
)
"""Why the code of a contact's currency is not known."""

_HAS_ACTIVITY: Final = pl.col("has_activity")
_YES: Final = pl.col("is_active_customer").fill_null(value=False)
_STALE: Final = _HAS_ACTIVITY & ~_YES & pl.col("unreadable_flag").is_null()
_EARLIER: Final = pl.col("earlier_keys")

RULES: Final = (
    _make_rule("contactid_invalid", "contactid", "contactid"),
    _make_rule("contactid_repeated", "contactid", "contactid"),
    _make_unreadable("isdelete", "unreadable_deletion"),
    _make_unreadable("msft_datastate", "unreadable_retention"),
    _make_unreadable("msdynce_isactivecustomer", "unreadable_flag"),
    _make_unreadable("parentcustomerid", "unreadable_company", _NAMELESS),
    _make_unreadable("parentcustomeridtype", "unreadable_type"),
    _make_unreadable("statecode", "unreadable_state"),
    _make_unreadable("merged", "unreadable_merged"),
    _make_unreadable(pl.col("misplaced_column"), "misplaced_value", _MOVED),
    _make_rule("archived", "msft_datastate", "contactid"),
    _make_rule("filtered_out", "", "contactid"),
    _make_rule("not_selected", "", "contactid"),
    _make_rule("flag_blank", "msdynce_isactivecustomer", "is_active_customer"),
    _make_rule("no_company", "parentcustomerid", "company_id"),
    _make_rule("company_is_contact", "parentcustomerid", "company_id"),
    _make_rule("company_name_unknown", "parentcustomerid", "company_id"),
    _make_rule("company_name_ambiguous", "parentcustomerid", "company_id"),
    _make_rule("account_not_found", "parentcustomerid", "company_id"),
    _make_rule("account_without_number", "parentcustomerid", "company_id"),
    _make_rule("account_not_in_scm", "parentcustomerid", "company_key"),
    _make_rule("company_not_found", "parentcustomerid", "company_id"),
    _make_rule(
        "legal_entity_unmapped", "owningbusinessunit", trimmed(pl.col("raw:owningbusinessunit"))
    ),
    _make_rule("contact_number_missing", NUMBER, "contact_number"),
    _make_rule("contact_number_repeated", NUMBER, "contact_number", detail=_NAMES),
    _make_rule("contact_number_is_account_number", NUMBER, "contact_number"),
    _make_rule("contact_number_invalid", NUMBER, "contact_number"),
    _make_rule(
        "currency_not_found",
        "transactioncurrencyid",
        trimmed(pl.col("raw:transactioncurrencyid")),
        detail=_NO_CODE,
    ),
    _make_rule("takeover", NUMBER, "contact_number"),
    _make_rule("number_of_organization", NUMBER, "contact_number"),
    _make_rule("number_of_prospect", NUMBER, "contact_number"),
    _make_rule("contact_number_malformed", NUMBER, "contact_number"),
    _make_rule("party_number_differs", "parentcustomerid", "company_key"),
    _make_rule("company_type_disagrees", "parentcustomeridtype", "company_id"),
    _make_rule("flag_company_disagrees", "msdynce_iscompanyanaccount", "company_id"),
    _make_rule("currency_disagrees", CURRENCY, "code_beside_currency"),
    _make_rule(
        "flag_unreadable",
        "msdynce_iscompanyanaccount",
        "flag_unreadable",
        flag=pl.col("flag_unreadable").is_not_null(),
    ),
    _make_rule("customer_inactive", "statecode", "contactid"),
    _make_rule("customer_merged", "merged", "contactid"),
    _make_rule("flag_stale", "msdynce_isactivecustomer", "is_active_customer", flag=_STALE),
    _make_rule(
        "flag_without_activity",
        "msdynce_isactivecustomer",
        "is_active_customer",
        flag=~_HAS_ACTIVITY & _YES,
    ),
    _make_rule("company_changed", "parentcustomerid", "company_key", detail=_EARLIER),
    _make_rule("promoted", "msdynce_isactivecustomer", "is_active_customer", detail=_EARLIER),
    _make_rule("demoted", "msdynce_isactivecustomer", "is_active_customer", detail=_EARLIER),
    _make_rule("no_longer_routed", "parentcustomerid", "earlier_keys"),
    _make_rule("legal_entity_changed", "owningbusinessunit", "legal_entity", detail=_EARLIER),
)
"""In catalogue order."""

_STAY_WHEN_SKIPPED: Final = (
    "company_type_disagrees", "flag_company_disagrees", "flag_unreadable", "flag_stale",
    "flag_without_activity",
    "no_longer_routed",
)  # fmt: skip

_UNWANTED: Final = ("archived", "filtered_out", "not_selected")
"""Reasons after which nothing more is said of a contact."""

_FOLLOWS: Final = {
    "contact_number_missing": (NUMBER, ("mandatory_missing",)),
    "contact_number_invalid": (NUMBER, ("too_long", "contact_number_malformed")),
    "company_name_unknown": (COMPANY, ("mandatory_missing",)),
    "company_name_ambiguous": (COMPANY, ("mandatory_missing",)),
    "account_not_found": (COMPANY, ("mandatory_missing",)),
    "account_without_number": (COMPANY, ("mandatory_missing",)),
    "company_not_found": (COMPANY, ("mandatory_missing",)),
    "currency_not_found": (CURRENCY, ("mandatory_missing",)),
}
"""code → the source column and the codes that merely follow from it there."""


def find_routing_problems(morsel: pl.DataFrame) -> pl.DataFrame:
    """The problems that SQL found in a morsel (which has ``row``)."""
    hits = morsel.select_seq(_list_flags()).row(0) if morsel.height else ()
    found = [
        morsel.lazy().filter(RULES[place].flag).select(_describe(place))
        for place, hit in enumerate(hits)
        if hit
    ]
    return pl.concat([SCHEMA.to_frame(), *pl.collect_all(found)])


@cache
def _list_flags() -> list[pl.Expr]:
    """Whether a rule holds anywhere."""
    return [rule.flag.any().alias(str(place)) for place, rule in enumerate(RULES)]


@cache
def _describe(place: int) -> list[pl.Expr]:
    """The problem of a row where the rule at this place holds."""
    rule = RULES[place]
    said = {
        "code": pl.lit(rule.code),
        "column": pl.lit(rule.column) if isinstance(rule.column, str) else rule.column,
        "destination": pl.lit(""),
        "limit": pl.lit(""),
        "detail": pl.lit("") if rule.detail is None else rule.detail,
        "value": rule.value.cast(pl.String),
    }
    return [pl.col("row"), *(value.alias(name) for name, value in said.items())]


def find_unread_values(rows: pl.DataFrame, mapping: CompiledTemplate) -> pl.DataFrame:
    """Problems of typed values that a task takes and that could not be read (``PROBLEMS``).

    ``rows`` have a column ``unread:…`` for each source column that has such values.
    """
    found = [
        rows.select(f"unread:{source}")
        .with_row_index("row")
        .filter(pl.col(f"unread:{source}").is_not_null())
        .select(
            "row",
            code=pl.lit("value_unreadable"),
            destination=pl.lit(one.name),
            limit=pl.lit(""),
            value=pl.col(f"unread:{source}"),
        )
        .select(PROBLEMS.names())
        for one in mapping.targets
        if (source := one.direct_source) and f"unread:{source}" in rows.columns
    ]
    return pl.concat([PROBLEMS.to_frame(), *found])


def place_mapping_problems(
    problems: pl.DataFrame, rows: pl.Series, mapping: CompiledTemplate
) -> pl.DataFrame:
    """Problems of one task's mapping: rows numbered as in the morsel, source columns named."""
    if problems.is_empty():
        return SCHEMA.to_frame()
    sources = {one.name: one.row.row.source or "" for one in mapping.targets}
    return problems.with_columns_seq(
        row=rows.gather(problems["row"]),
        column=pl.col("destination").replace_strict(sources, return_dtype=pl.String),
        detail=pl.lit(""),
    )[SCHEMA.names()]


@cache
def _tabulate_codes() -> pl.DataFrame:
    entries = list(load_codes().values())
    return pl.DataFrame(
        {
            "code": [one.code for one in entries],
            "order": [one.order for one in entries],
            "gate": [one.gate for one in entries],
            "decision": [one.decision for one in entries],
            "severity": [one.severity for one in entries],
        },
        schema={
            "code": pl.String,
            "order": pl.Int32,
            "gate": pl.Int32,
            "decision": pl.String,
            "severity": pl.String,
        },
    )


@cache
def _tabulate_followers() -> pl.DataFrame:
    pairs = [
        (name, source, one) for name, (source, followers) in _FOLLOWS.items() for one in followers
    ]
    return pl.DataFrame(pairs, schema=["code", "column", "follower"], orient="row")


def weigh_problems(problems: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Which problem decides each row, and which of the others are worth a finding.

    Returns:
        ``first``: row, reason, decision, gate; and the problems with ``severity`` set, in row and
            catalogue order.
    """
    known = _drop_followers(problems.lazy()).join(
        _tabulate_codes().lazy(), on="code", how="left", maintain_order="left"
    )
    first = (
        known.filter(pl.col("gate").is_not_null())
        .sort("row", "order", maintain_order=True)
        .group_by("row", maintain_order=True)
        .agg(
            reason=pl.col("code").first(),
            decision=pl.col("decision").first(),
            gate=pl.col("gate").first(),
        )
    )
    findings = (
        known.join(
            first.select("row", "reason", first_gate="gate", end="decision"), on="row", how="left"
        )
        .filter(~(_SKIPPED & (_LATER | _IDLE)))
        .with_columns(severity=_SEVERITY)
        .filter(pl.col("severity").is_not_null())
        .sort("row", "order", "column", "destination", maintain_order=True)
    )
    weighed, worth = pl.collect_all([first, findings])
    return weighed, worth


_SKIPPED: Final = (pl.col("end") == "skipped").fill_null(value=False)
_SCOPE: Final = 2
"""The last gate whose problems are told of contacts that are skipped."""
_LATER: Final = (pl.col("gate") > _SCOPE).fill_null(value=False)
_IDLE: Final = pl.col("gate").is_null() & (
    pl.col("reason").is_in(_UNWANTED).fill_null(value=False)
    | ~pl.col("code").is_in(_STAY_WHEN_SKIPPED)
)
_SEVERITY: Final = (
    pl.when(pl.col("gate").is_null() | (pl.col("code") == pl.col("reason")))
    .then(pl.col("severity"))
    .otherwise(pl.lit(Severity.ALSO.value))
)
_UNMAPPED: Final = (
    "value_unreadable", "value_not_mapped", "country_unknown", "state_unknown", "value_invalid",
)  # fmt: skip
"""Problems after which a column is blank."""


def _drop_followers(problems: pl.LazyFrame) -> pl.LazyFrame:
    """Leave out what merely follows from another problem of the same row."""
    follow = (
        problems.select("row", "code")
        .join(_tabulate_followers().lazy(), on="code")
        .select("row", "column", code="follower")
    )
    kept = problems.join(follow, on=["row", "column", "code"], how="anti", maintain_order="left")
    blanks = kept.filter(pl.col("code").is_in(_UNMAPPED)).select(
        "row", "destination", code=pl.lit("mandatory_missing")
    )
    return kept.join(blanks, on=["row", "destination", "code"], how="anti", maintain_order="left")


def write_messages(findings: pl.DataFrame) -> pl.DataFrame:
    """Add ``message``: the catalogue's sentence with its blanks filled in, never with the value."""
    keyed = findings.with_columns_seq(named=_NAMED)
    distinct = keyed[_BLANKS].unique(maintain_order=True)
    texts = [
        find_code(name).message(column=column, limit=limit, detail=detail)
        for name, column, limit, detail in distinct.iter_rows()
    ]
    written = distinct.with_columns_seq(pl.Series("message", texts, dtype=pl.String))
    return (
        keyed.lazy()
        .join(written.lazy(), on=_BLANKS, how="left", nulls_equal=True, maintain_order="left")
        .drop("named")
        .collect()
    )


_NAMED: Final = (
    pl.when(pl.col("destination") == "").then(pl.col("column")).otherwise(pl.col("destination"))
)
_BLANKS: Final = ["code", "named", "limit", "detail"]
