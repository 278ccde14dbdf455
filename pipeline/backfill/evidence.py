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

    def __init__(self, evidence: Path, ranks: pl.DataFrame) -> None:
        """``ranks``: ``sql/backfill/ranks.sql``."""
        self._parts = self._read(evidence)
        self._held = pl.DataFrame(schema={_ROW: pl.Int64(), **EVIDENCE})
        self._ranks = ranks
        self._met = 0

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """``rows`` with the columns of ``EVIDENCE`` and ``rank``, each null where there is none."""
        if rows.is_empty():
            return rows.with_columns(
                pl.lit(None, kind).alias(name)
                for name, kind in {**EVIDENCE, "rank": pl.Int64()}.items()
            )
        last = rows[_ROW][-1]
        while self._held.is_empty() or self._held[_ROW][-1] <= last:
            part = next(self._parts, None)
            if part is None:
                break
            self._held = pl.concat([self._held, part])
        count = self._held[_ROW].search_sorted(last, side="right")
        documents, self._held = self._held.head(count), self._held.slice(count)
        end = self._ranks[_ROW].search_sorted(last, side="right")
        ranks, self._met = self._ranks.slice(self._met, end - self._met), end
        return rows.join(documents, on=_ROW, how="left", maintain_order="left").join(
            ranks, on=_ROW, how="left", maintain_order="left"
        )

    def close(self) -> None:
        """Nothing may be left.

        Raises:
            InvariantBroken: documents or ranks belong to no row that came by.
        """
        if (
            self._held.height
            or next(self._parts, None) is not None
            or self._met != self._ranks.height
        ):
            raise InvariantBroken("documents or ranks were not met by their contacts.")

    @staticmethod
    def _read(path: Path) -> Iterator[pl.DataFrame]:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield pl.DataFrame(batch).select(
                    _ROW, *(pl.col(name).cast(kind) for name, kind in EVIDENCE.items())
                )
