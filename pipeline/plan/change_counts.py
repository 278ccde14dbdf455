"""Counts of fields that updates change, while the fields stream by in source order. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import polars as pl

from pipeline.run.summary import FieldChange, TaskChanges

EXAMPLES: Final = 3


@dataclass(kw_only=True, slots=True)
class ChangeCounts:
    """Counts of one task.

    ``updates`` is how many rows there are, ``compared`` of how many of them the other side is
    known.
    """

    task: str
    against: Literal["scm", "last load"]
    updates: int
    compared: int = 0
    changed: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    cleared: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    _last: str | None = None

    def add(self, changes: pl.DataFrame) -> None:
        """Add rows of ``changes.parquet``; the fields of one record follow one another."""
        if changes.is_empty():
            return
        keys = changes["destination_key"]
        begins = (keys != keys.shift(1)).fill_null(keys[0] != self._last)
        self.changed += int(begins.sum())
        self._last = keys[-1]
        self.rows.update(dict(changes["column"].value_counts().iter_rows()))
        cleared = changes.filter(pl.col("new").is_null())
        self.cleared.update(dict(cleared["column"].value_counts().iter_rows()))
        first = changes.group_by("column", maintain_order=True).agg(
            pl.col("destination_key").head(EXAMPLES)
        )
        for column, some in first.iter_rows():
            kept = self.examples.setdefault(column, [])
            kept += some[: EXAMPLES - len(kept)]

    def summarize(self, columns: Sequence[str]) -> TaskChanges:
        """The counts, columns with most rows first, then in the order of ``columns``."""
        places = {name: place for place, name in enumerate(columns)}
        ordered = sorted(self.rows.items(), key=lambda one: (-one[1], places[one[0]]))
        return TaskChanges(
            task=self.task,
            against=self.against,
            updates=self.updates,
            compared=self.compared,
            changed=self.changed,
            fields=tuple(
                FieldChange(
                    column=column,
                    rows=rows,
                    cleared=self.cleared[column],
                    examples=tuple(self.examples[column]),
                )
                for column, rows in ordered
            ),
        )
