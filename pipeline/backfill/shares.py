"""The rows of a plan as they are written: the values of each, and in which request they go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow.parquet as pq

from pipeline.backfill.counter import format_number
from pipeline.run.ledger import Unit

NUMBER: Final = "msdynce_contactnumber"
ACTIVE: Final = "msdynce_isactivecustomer"
COMPANY_FLAG: Final = "msdynce_iscompanyanaccount"
COLUMNS: Final = {NUMBER: "number", ACTIVE: "active", COMPANY_FLAG: "company_flag"}
"""Column of contact → the stem of the plan's columns ``…_before`` and ``…_after``."""

TASK: Final = "Backfill"
_AREA: Final = "sales"
_ROWS_AT_ONCE: Final = 65_536
_NEEDED: Final = (
    "contactid",
    "action",
    "rank",
    "suffix",
    "etag",
    *(f"{one}_{side}" for one in COLUMNS.values() for side in ("before", "after")),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactWrite:
    """One contact: the version that was planned, and column → value to write.

    ``ranked``: it gets a new number.
    """

    contactid: str
    etag: str
    changes: Mapping[str, Any]
    ranked: bool

    def is_ours(self, now: Mapping[str, Any]) -> bool:
        """Whether Sales has exactly what we write."""
        return all(now.get(name) == value for name, value in self.changes.items())

    def is_met(self, now: Mapping[str, Any]) -> bool:
        """Whether Sales has what the plan wants, whoever wrote it.

        That is: some number where there was none, and the same flags.
        """
        rest = {
            name: value
            for name, value in self.changes.items()
            if not (self.ranked and name == NUMBER)
        }
        return (not self.ranked or bool(now.get(NUMBER))) and all(
            now.get(name) == value for name, value in rest.items()
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteShare:
    """The rows of one request."""

    unit: Unit
    rows: Sequence[ContactWrite] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbering:
    """The numbers that were reserved: the one of a rank is base + rank."""

    prefix: str
    base: int

    def text(self, rank: int, suffix: str) -> str:
        """The contact number of a rank."""
        return format_number(self.prefix, self.base + rank, suffix)


def make_unit(number: int) -> Unit:
    """The unit of a share; shares count from 1."""
    return Unit(task=TASK, legal_entity=_AREA, batch=number)


def read_writable(plan: Path) -> Iterator[pl.DataFrame]:
    """The rows of a plan that are to be written, in order, morsel by morsel."""
    with pq.ParquetFile(plan) as file:
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(_NEEDED)):
            yield pl.DataFrame(batch).filter(pl.col("action") != "none")


def read_shares(plan: Path, size: int, numbering: Numbering | None) -> Iterator[WriteShare]:
    """The rows of a plan, so many at a time.

    Args:
        plan: ``backfill-plan.parquet``.
        size: rows of a request.
        numbering: the reservation; null when the plan has no ranks.
    """
    kept: list[ContactWrite] = []
    number = 0
    for part in read_writable(plan):
        for row in part.iter_rows(named=True):
            kept.append(make_row(row, numbering))
            if len(kept) == size:
                number += 1
                yield WriteShare(unit=make_unit(number), rows=tuple(kept))
                kept.clear()
    if kept:
        yield WriteShare(unit=make_unit(number + 1), rows=tuple(kept))


def make_row(row: Mapping[str, Any], numbering: Numbering | None) -> ContactWrite:
    """One row of a plan as it is written: only the columns that change."""
    changes = {
        name: row[f"{stem}_after"]
        for name, stem in COLUMNS.items()
        if name != NUMBER and row[f"{stem}_before"] != row[f"{stem}_after"]
    }
    ranked = row["rank"] is not None and numbering is not None
    if numbering is not None and ranked:
        changes[NUMBER] = numbering.text(row["rank"], row["suffix"])
    elif row["rank"] is None and row["number_before"] != row["number_after"]:
        changes[NUMBER] = row["number_after"]
    return ContactWrite(
        contactid=row["contactid"], etag=row["etag"], changes=changes, ranked=ranked
    )
