"""Documents and ranks of contacts.

They are kept on disk and in a column while contacts stream by in source order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from pipeline.errors import InvariantBroken
from pipeline.run.files import replacing
from sql.query import query
from sql.session import Session

EVIDENCE: Final = pl.Schema(
    {
        "quotes": pl.Int64(),
        "orders": pl.Int64(),
        "invoices": pl.Int64(),
        "first_activity": pl.Datetime("us", "UTC"),
        "last_activity": pl.Datetime("us", "UTC"),
        "document": pl.String(),
    }
)
RANKS: Final = pl.Schema({"rank": pl.Int64()})
_ROW: Final = "source_row"


def store_activity(session: Session, statuses: Sequence[int]) -> None:
    """Store the documents of each of their customers as ``activity_of``.

    Args:
        session: has ``accounts`` and the tables of documents.
        statuses: the states of documents that count; empty for all.
    """
    session.store("activity_of", query("backfill/activity"), statuses=list(statuses))


def write_evidence(session: Session, target: Path) -> None:
    """Write the documents of each contact row, in source order.

    Args:
        session: has ``candidates`` and ``activity_of``; it gets ``evidence``.
        target: the Parquet file to write.
    """
    session.store("evidence", query("backfill/evidence"))
    with replacing(target) as partial:
        session.copy(query("backfill/evidence_in_order"), partial)


def count_strays(session: Session, statuses: Sequence[int]) -> Mapping[str, int]:
    """Documents that raise nobody's flag, by the code of the finding.

    Args:
        session: has ``activity_of``, and ``evidence`` without ``source_row`` where a customer is
            not there.
        statuses: the states of documents that count; empty for all.
    """
    found = session.frame(query("backfill/documents_met"))
    met, nobodys, missing = (int(value) for value in found.row(0))
    documents = session.frame(query("backfill/documents"), statuses=list(statuses)).item()
    return {
        "activity_of_nobody": nobodys,
        "activity_of_account": int(documents) - met,
        "activity_of_missing": missing,
    }


class EvidenceColumns:
    """Puts documents and ranks next to contact rows. Each row comes once, in source order."""

    def __init__(self, evidence: Path, ranks: Path) -> None:
        """``ranks``: ``sql/backfill/ranks_in_order.sql``."""
        self._sides = (RowsBeside(evidence, EVIDENCE), RowsBeside(ranks, RANKS))

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """``rows`` with the columns of ``EVIDENCE`` and ``rank``, each null where there is none."""
        if rows.is_empty():
            return rows.with_columns(
                pl.lit(None, kind).alias(name) for name, kind in {**EVIDENCE, **RANKS}.items()
            )
        last = int(rows[_ROW][-1])
        for side in self._sides:
            rows = rows.join(side.take(last), on=_ROW, how="left", maintain_order="left")
        return rows

    def close(self) -> None:
        """Nothing may be left.

        Raises:
            InvariantBroken: documents or ranks belong to no row that came by.
        """
        if any(side.is_left() for side in self._sides):
            raise InvariantBroken("documents or ranks were not met by their contacts.")


class RowsBeside:
    """Rows of a file in source order, some at a time."""

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._parts = _read_rows(path, schema)
        self._held = pl.DataFrame(schema={_ROW: pl.Int64(), **schema})

    def take(self, last: int) -> pl.DataFrame:
        """The rows up to the row ``last``; they do not come again."""
        while self._held.is_empty() or self._held[_ROW][-1] <= last:
            part = next(self._parts, None)
            if part is None:
                break
            self._held = pl.concat([self._held, part])
        count = self._held[_ROW].search_sorted(last, side="right")
        taken, self._held = self._held.head(count), self._held.slice(count)
        return taken

    def is_left(self) -> bool:
        """Whether there are rows that nobody took."""
        return bool(self._held.height) or next(self._parts, None) is not None


def _read_rows(path: Path, schema: pl.Schema) -> Iterator[pl.DataFrame]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            yield pl.DataFrame(batch).select(
                _ROW, *(pl.col(name).cast(kind) for name, kind in schema.items())
            )
