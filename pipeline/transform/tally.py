"""Counts over all contacts of a plan; what its summary is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from pipeline.mapping.closed import Usage
from schemas.text import WHITE_SPACE

_NO_CURRENCY_ID: Final = f"^[{WHITE_SPACE}]*([A-Z]{{3}}[{WHITE_SPACE}]*)?$"
"""A blank lookup of a currency, or its code, which needs no table."""


COUNTERS: Final = (
    "states", "decisions", "reasons", "findings", "actions", "defaulted", "blanks", "key_uses",
    "unmapped", "flags",
)  # fmt: skip
"""The counters of a tally."""


@dataclass(kw_only=True, slots=True)
class Tally:
    """Counts over all morsels; by row state, decision, finding code, task and column."""

    rows: int = 0
    states: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    actions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    defaulted: Counter[tuple[str, str]] = field(default_factory=Counter)
    blanks: Counter[tuple[str, str]] = field(default_factory=Counter)
    key_uses: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unmapped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    units: set[str] = field(default_factory=set)
    customers_with_currency_id: int = 0

    def count(self, decided: pl.DataFrame, findings: pl.DataFrame) -> None:
        """Add a morsel's decisions and findings."""
        for decision, reason, count in decided.group_by("decision", "reason").len().iter_rows():
            self.decisions[decision] += count
            self.reasons[decision, reason] += count
        self.findings.update(dict(findings["code"].value_counts().iter_rows()))
        flag = pl.col("is_active_customer")
        counts = decided.select(
            yes=flag.sum(), blank=(flag.is_null() & pl.col("unreadable_flag").is_null()).sum()
        ).row(0, named=True)  # fmt: skip
        self.flags.update({name: int(count or 0) for name, count in counts.items()})
        currency = pl.col("raw:transactioncurrencyid")
        used = (
            decided.lazy()
            .filter((pl.col("decision") == "customer") & currency.is_not_null())
            .select(currency.value_counts())
        )
        currencies = used.collect().to_series().struct.unnest()
        said = currencies.filter(~pl.col("raw:transactioncurrencyid").str.contains(_NO_CURRENCY_ID))
        self.customers_with_currency_id += int(said["count"].sum())

    def add(self, other: Tally) -> None:
        """Add the counts of the contacts that come next."""
        self.rows += other.rows
        self.customers_with_currency_id += other.customers_with_currency_id
        self.units |= other.units
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))

    def count_mapping(
        self, usage: Mapping[str, tuple[Usage, ...]], defaulted: Mapping[str, Mapping[str, int]]
    ) -> None:
        """Add what a morsel's mappings used and lacked, by task."""
        for name, columns in defaulted.items():
            for column, count in columns.items():
                self.defaulted[name, column] += count
        for name, usages in usage.items():
            for one in usages:
                for value, count, problem, key in one.values.select(
                    "value", "rows", "problem", "key"
                ).iter_rows():
                    if key is not None:
                        self.key_uses[name, one.destination, key] += count
                    if problem is not None:
                        self.unmapped[name, one.destination, value] += count
