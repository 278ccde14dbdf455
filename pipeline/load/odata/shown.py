"""The records that SCM shows in its answers: whether it wrote what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from pipeline.load.delivery import Answers, Outcome
from pipeline.load.odata.exchange import Slice
from pipeline.run.findings import CHANGED
from pipeline.scm.kept import SentRow, ShownRecord, find_changed_columns
from pipeline.scm.literals import COMPANY
from pipeline.scm.lookup import KEY
from pipeline.wire.json_body import parse_json
from pipeline.wire.multipart import PartAnswer
from schemas.codes import find_code
from schemas.text import WHITE_SPACE

ANOTHER: Final = Outcome("unknown", "key_differs", find_code("key_differs").message())
"""The outcome of a row for which SCM wrote a record of another key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownRows:
    """Rows that SCM wrote and shows: key → the row as it was sent, and SCM's record."""

    part: Slice
    rows: Mapping[str, tuple[SentRow, ShownRecord]]

    def find_others(self) -> frozenset[str]:
        """Rows for which SCM says that it wrote a record of another key."""
        return frozenset(
            key for key, (row, record) in self.rows.items() if self._is_another(row, record)
        )

    def _is_another(self, row: SentRow, record: ShownRecord) -> bool:
        """Whether a record has another key than the row.

        SCM may number records itself. A record without its key says nothing.
        """
        keys = {
            COMPANY: self.part.legal_entity,
            **{name: row[name] for name in self.part.entity.key},
        }
        return any(
            name in record and _fold(record[name]) != _fold(key) for name, key in keys.items()
        )

    def name_changes(self, keys: Sequence[str]) -> dict[str, Outcome]:
        """Of these rows, those that SCM has with other values than were sent; names the columns."""
        mine = {key: self.rows[key] for key in keys if key in self.rows}
        return {
            key: Outcome(f"{mine[key][0]['action']}d", CHANGED, ", ".join(columns))
            for key, columns in find_changed_columns(mine, self.part.columns).items()
        }


def _fold(key: object) -> str:
    return str(key or "").strip(WHITE_SPACE).upper()


def read_shown_rows(
    part: Slice, rows: pl.DataFrame, keys: Sequence[str], answers: Answers
) -> ShownRows:
    """The records in the answers to a request.

    Args:
        part: what was sent.
        rows: its rows, each with ``create`` or ``update``.
        keys: those of the request, in order.
        answers: what came back. An answer without a record says nothing.
    """
    sent = {row[KEY]: row for row in rows.iter_rows(named=True)}
    return ShownRows(
        part=part,
        rows={
            key: (sent[key], record)
            for number, key in enumerate(keys, start=1)
            if (answer := answers.get(number)) is not None
            and answer.ok
            and (record := _read_record(answer)) is not None
        },
    )


def _read_record(answer: PartAnswer) -> ShownRecord | None:
    """The record that an answer shows; null if it shows none."""
    try:
        record = parse_json(answer.body)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
