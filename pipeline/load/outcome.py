"""From what a system said to an outcome for every planned row, joined back to its contact.

A row about which nothing was said has the outcome that its action foresaw.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InvariantBroken, during
from pipeline.run.folder import RunFolder
from pipeline.run.ledger import IMPORT, REFUSED, EndedUnit, Place, Unit
from pipeline.run.memory import fold_key
from schemas.run import BATCHES, OUTCOMES

_ROWS_AT_ONCE: Final = 262_144
_FILES_KEPT: Final = 64
_COLUMNS: Final = ["contactid", "legal_entity", "destination_key", "batch", "action", "row_hash"]
_CHANGING: Final = ["update", "delete", "restore"]
"""Actions that foresee a change of a record that is there; the last two are an undo's."""

_PLACE: Final = ["legal_entity", "batch"]


def count_outcomes(
    rows: pl.DataFrame, refused: pl.DataFrame, known: frozenset[str]
) -> dict[str, int]:
    """Rows by outcome, and ``rows`` in all.

    Args:
        rows: destination_key and action.
        refused: ``REFUSED``, what differs from what the actions foresaw.
        known: keys that were loaded before, legal entities in lower case; an ``upsert`` of them
            foresees an update.
    """
    counts = dict.fromkeys(("created", "updated", "failed", "unknown"), 0)
    counts.update(_add_outcomes(rows, refused, known)["outcome"].value_counts().iter_rows())
    return {"rows": rows.height, **counts}


def _add_outcomes(rows: pl.DataFrame, refused: pl.DataFrame, known: frozenset[str]) -> pl.DataFrame:
    loaded = fold_key().is_in(list(known)) if known else pl.lit(value=False)
    updated = pl.col("action").is_in(_CHANGING) | ((pl.col("action") == "upsert") & loaded)
    foreseen = pl.when(updated).then(pl.lit("updated")).otherwise(pl.lit("created"))
    joined = rows.join(refused, on="destination_key", how="left", maintain_order="left")
    return joined.with_columns(outcome=pl.coalesce("outcome", foreseen))


def read_outcomes(
    folder: RunFolder,
    task: str,
    units: Sequence[EndedUnit],
    planned: Mapping[Place, int],
    known: frozenset[str],
) -> Iterator[pl.DataFrame]:
    """Planned rows that have an outcome, in source order.

    They have the columns of ``OUTCOMES``, legal_entity, row_hash and action. Rows of units that
    have not ended are left out; unchanged rows were not sent.

    Args:
        folder: the run.
        task: the task.
        units: units that ended, of any task.
        planned: rows of each batch of the task.
        known: keys that were loaded before.

    Raises:
        InvariantBroken: a file of the run folder is missing or cut.
    """
    answers = _Answers(folder, [one for one in units if one.unit.task == task], planned)
    for path in folder.rows_files(task):
        for part in _read_morsels(path):
            rows = answers.ended(part)
            sent = pl.col("batch").is_not_null()
            yield (
                _add_outcomes(rows, answers.of(rows), known)
                .with_columns(
                    task=pl.lit(task),
                    outcome=pl.when(sent).then("outcome").otherwise(pl.lit("unchanged")),
                )
                .select(*OUTCOMES.names(), "legal_entity", "row_hash", "action")
            )


class _Answers:
    """What was said of the rows of one task, by batch."""

    def __init__(
        self, folder: RunFolder, units: Sequence[EndedUnit], planned: Mapping[Place, int]
    ) -> None:
        rows: Counter[Place] = Counter()
        spans: dict[Place, list[range]] = {}
        self._files: dict[Place, list[Path]] = {}
        for one in units:
            place, first = (one.unit.legal_entity, one.unit.batch), int(one.facts.get("first", 0))
            rows[place] += int(one.facts["rows"])
            spans.setdefault(place, []).append(range(first, first + int(one.facts["rows"])))
            if "file" in one.facts:
                self._files.setdefault(place, []).append(folder.path / str(one.facts["file"]))
        self._whole = {place for place, count in rows.items() if count == planned[place]}
        self._rows = {
            place: [row for span in spans[place] for row in span]
            for place in spans.keys() - self._whole
        }
        self._seen: Counter[Place] = Counter()
        self._read = lru_cache(maxsize=_FILES_KEPT)(_read_table)

    def ended(self, part: pl.DataFrame) -> pl.DataFrame:
        """The rows of a morsel that are unchanged or were sent by a unit that ended.

        Morsels come in source order.
        """
        places = (
            part.group_by(_PLACE, maintain_order=True).len().filter(pl.col("batch").is_not_null())
        )
        if all((entity, batch) in self._whole for entity, batch, _ in places.iter_rows()):
            return part
        kept = [part["batch"].is_null()]
        for entity, batch, count in places.iter_rows():
            there = part.select(
                (pl.col("legal_entity") == entity)
                & (pl.col("batch") == batch).fill_null(value=False)
            ).to_series()
            kept.append(there & self._is_ended((entity, batch), there))
            self._seen[entity, batch] += count
        mask = kept[0]
        for one in kept[1:]:
            mask = mask | one
        return part.filter(mask)

    def _is_ended(self, place: Place, there: pl.Series) -> pl.Series:
        if place in self._whole:
            return there
        position = there.cast(pl.Int64).cum_sum() - 1 + self._seen[place]
        return position.is_in(self._rows.get(place, []))

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """``REFUSED`` of the batches that these rows are of."""
        places = rows.select(_PLACE).unique().drop_nulls().iter_rows()
        files = [file for place in places for file in self._files.get(place, ())]
        return pl.concat([REFUSED.to_frame(), *(self._read(file) for file in files)])


def _read_morsels(path: Path) -> Iterator[pl.DataFrame]:
    try:
        with during("reading the planned rows"), pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=_COLUMNS):
                yield pl.DataFrame(batch)
    except pa.ArrowInvalid as error:
        raise InvariantBroken(
            "is not a whole Parquet file; the run folder was altered", where=str(path)
        ) from error


def _read_table(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InvariantBroken(
            "is missing or cut; the run folder was altered", where=str(path)
        ) from error


def list_batches(
    units: Sequence[EndedUnit], packages: Mapping[tuple[str, str, int], Mapping[str, Any]]
) -> pl.DataFrame:
    """``BATCHES`` of what ended, one row per batch.

    Args:
        units: units that ended.
        packages: what the journal says of each package: task, legal entity and batch → its line's
            payload.
    """
    found: dict[tuple[str, str, int], list[EndedUnit]] = {}
    for one in units:
        found.setdefault((one.unit.task, one.unit.legal_entity, one.unit.batch), []).append(one)
    rows = [_describe_batch(parts, packages.get(key, {})) for key, parts in found.items()]
    return pl.DataFrame(rows, schema=BATCHES).sort("task", "legal_entity", "batch")


def _describe_batch(parts: Sequence[EndedUnit], package: Mapping[str, Any]) -> dict[str, object]:
    unit: Unit = parts[0].unit
    facts = parts[0].facts
    is_package = facts["effect"] == IMPORT

    def total(name: str) -> int:
        return sum(int(one.facts.get(name, 0)) for one in parts)

    sent: dict[str, dt.datetime] = {
        "sent_at": min(one.sent_at for one in parts),
        "finished_at": max(one.ended_at for one in parts),
    }
    return {
        **dict.fromkeys(BATCHES.names()),
        **{name: getattr(unit, name) for name in ("task", "legal_entity", "batch")},
        **{
            name: package.get(name)
            for name in ("file", "bytes", "sha256", "definition_group")
            if is_package
        },
        "bytes": package.get("bytes") if is_package else total("bytes"),
        "execution_id": facts.get("execution_id"),
        "attempt": max(int(one.facts["attempt"]) for one in parts),
        **sent,
        "status": facts["result"] if is_package else "answered",
        **{name: total(name) for name in ("rows", "created", "updated", "failed")},
    }
