"""Counts over all contacts of a plan; what its summary is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from pipeline.mapping.closed import Usage
from pipeline.transform.named import Place, count_values

COUNTERS: Final = (
    "states", "decisions", "reasons", "findings", "actions", "defaulted", "blanks", "key_uses",
    "unmapped", "flags", "lost", "units", "values",
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
    lost: Counter[str] = field(default_factory=Counter)
    """Planned rows by task whose key was loaded earlier, and which SCM does not have."""
    units: Counter[str] = field(default_factory=Counter)
    """Contact rows by business unit, as contacts spell it; a blank counts as a blank text."""
    values: Counter[tuple[Place, str]] = field(default_factory=Counter)
    """Findings of lists by their place and value."""

    def count(self, decided: pl.DataFrame, findings: pl.DataFrame) -> None:
        """Add a morsel's decisions and findings."""
        for decision, reason, count in decided.group_by("decision", "reason").len().iter_rows():
            self.decisions[decision] += count
            self.reasons[decision, reason] += count
        self.findings.update(dict(findings["code"].value_counts().iter_rows()))
        self.values.update(count_values(findings))
        flag = pl.col("is_active_customer")
        is_read = pl.col("unreadable_flag").is_null()
        counts = decided.select_seq(
            yes=flag.sum(), blank=(flag.is_null() & is_read).sum(), unread=(~is_read).sum()
        ).row(0, named=True)
        self.flags.update({name: int(count or 0) for name, count in counts.items()})

    def add(self, other: Tally) -> None:
        """Add the counts of the contacts that come next."""
        self.rows += other.rows
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
                for used in one.values:
                    if used.key is not None:
                        self.key_uses[name, one.destination, used.key] += used.rows
                    if used.problem is not None:
                        self.unmapped[name, one.destination, used.value or ""] += used.rows
