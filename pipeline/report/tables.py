"""What the page counts in a run's tables.

A table that cannot be read gives null, or an empty list where that reads the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, TypedDict, cast

import duckdb
import polars as pl

from pipeline.audit.refusals import RefusalCause, count_refusals
from pipeline.report.throughput import Span
from pipeline.run.evidence import Evidence
from schemas.codes import load_codes
from sql.query import query
from sql.session import session

_SAMPLES: Final = 5
_MANY: Final = 20_000
_CHANGES: Final = 200
_ROWS: Final = pl.len().cast(pl.Int64).alias("rows")


class TaskOutcome(TypedDict):
    """Planned rows of a task with one outcome."""

    task: str
    outcome: str
    rows: int


class FailureCause(RefusalCause):
    """Rows that failed, in plain words, with what to do."""

    sentence: str
    advice: str


class Batch(TypedDict):
    """A row of ``batches.parquet``."""

    task: str
    legal_entity: str
    batch: int
    rows: int
    file: str | None
    bytes: int | None
    definition_group: str | None
    execution_id: str | None
    sent_at: datetime | None
    finished_at: datetime | None
    status: str | None
    created: int | None
    updated: int | None
    failed: int | None


class BatchTotal(TypedDict):
    """All batches of one task and legal entity; ``rate`` is in rows per second."""

    task: str
    legal_entity: str
    batches: int
    rows: int
    bytes: int | None
    created: int | None
    updated: int | None
    failed: int | None
    sent_at: datetime | None
    finished_at: datetime | None
    rate: float | None


class EntityCount(TypedDict):
    """Contacts of one legal entity, null where they have none.

    ``stopped`` are held or rejected, ``refused`` are planned but were not accepted, or nobody
    knows. The others of ``planned`` are in SCM, or wait to be loaded.
    """

    legal_entity: str | None
    contacts: int
    planned: int
    refused: int
    stopped: int
    skipped: int


class ChangedValue(TypedDict):
    """A field that an update changes, with its values."""

    task: str
    destination_key: str
    column: str
    old: str | None
    new: str | None


def count_legal_entities(evidence: Evidence) -> list[EntityCount] | None:
    """One row per legal entity, most contacts first."""
    frame = evidence.frame(
        evidence.folder.decisions, lambda rows: rows.group_by("legal_entity", "decision").agg(_ROWS)
    )
    if frame is None:
        return None
    found: dict[str | None, dict[str, int]] = {}
    for entity, decision, rows in frame.iter_rows():
        found.setdefault(entity, {})[decision] = rows
    refused = _count_refused(evidence)
    ordered = sorted(found.items(), key=lambda one: (one[0] is None, -sum(one[1].values()), one[0]))
    return [
        {
            "legal_entity": entity,
            "contacts": sum(counts.values()),
            "planned": counts.get("customer", 0) + counts.get("contact", 0),
            "refused": refused.get(entity, 0),
            "stopped": counts.get("held", 0) + counts.get("rejected", 0),
            "skipped": counts.get("skipped", 0),
        }
        for entity, counts in ordered
    ]


def _count_refused(evidence: Evidence) -> dict[str | None, int]:
    """Rows that failed or whose outcome is unknown, by the legal entity that their key names."""
    frame = evidence.frame(
        evidence.folder.outcomes,
        lambda rows: (
            rows.filter(pl.col("outcome").is_in(["failed", "unknown"]))
            .group_by(pl.col("destination_key").str.split("/").list.first().alias("legal_entity"))
            .agg(_ROWS)
        ),
    )
    return {} if frame is None else dict(frame.iter_rows())


def read_changes(evidence: Evidence) -> list[ChangedValue]:
    """The first fields that updates change, with their values, in source order."""
    if not evidence.folder.changes.is_file():
        return []
    names = ["task", "destination_key", "column", "old", "new"]
    frame = evidence.frame(evidence.folder.changes, lambda rows: rows.select(names).head(_CHANGES))
    return [] if frame is None else cast("list[ChangedValue]", frame.to_dicts())


def count_outcomes_by_task(evidence: Evidence) -> list[TaskOutcome] | None:
    """Planned rows by task and outcome; null where they cannot be read."""
    frame = evidence.frame(
        evidence.folder.outcomes, lambda rows: rows.group_by("task", "outcome").agg(_ROWS)
    )
    if frame is None:
        return None
    return cast("list[TaskOutcome]", frame.sort("task", "outcome").to_dicts())


def list_failures(evidence: Evidence, *, values: bool) -> Iterator[FailureCause]:
    """Rows that failed or whose outcome is unknown, by task and code, most first.

    Messages of SCM can hold values.
    """
    is_load = evidence.kind.is_load
    if not evidence.folder.outcomes.is_file() and not is_load:
        return
    for one in count_refusals(evidence, values=values) or ():
        known = load_codes().get(one["code"] or "")
        yield {
            **one,
            "sentence": known.sentence if known and "{" not in known.sentence else "",
            "advice": known.advice if known else "",
        }


def read_batches(evidence: Evidence) -> pl.DataFrame | None:
    """The table of batches, in order of task, legal entity and number."""
    frame = evidence.frame(evidence.folder.batches, lambda rows: rows)
    return None if frame is None else frame.sort("task", "legal_entity", "batch")


def unpack_batches(found: pl.DataFrame) -> list[Batch]:
    """The batches as they stand in the table."""
    return cast("list[Batch]", found.to_dicts())


def list_spans(found: pl.DataFrame) -> list[Span]:
    """Finished batches; of very many, those with equal ends as one."""
    done = found.filter(pl.col("finished_at").is_not_null()).select(
        start=pl.col("sent_at"), end=pl.col("finished_at"), rows=pl.col("rows")
    )
    if done.height > _MANY:
        done = done.group_by(pl.col("end").dt.truncate("1s")).agg(
            pl.col("start").min(), pl.col("rows").sum()
        )
    return [Span(**one) for one in done.sort("end").iter_rows(named=True)]


def read_samples(evidence: Evidence) -> dict[tuple[str, str | None, str | None], Sequence[str]]:
    """A few values of each cause, for pages that may show values.

    Code, column, destination → the first in order.
    """
    try:
        with session(memory="400MB") as here:
            here.parquet("findings", evidence.folder.findings)
            found = here.frame(query("report/value_samples"), count=_SAMPLES)
            return {
                (code, column, destination): some
                for code, column, destination, some in found.iter_rows()
            }
    except duckdb.Error:
        return {}


def count_backfilled(evidence: Evidence) -> list[Mapping[str, object]] | None:
    """One row per action and outcome of a backfill.

    Contacts, first and last number by rank, evidence.
    """
    path = evidence.folder.path / "backfill.parquet"
    frame = evidence.frame(
        path,
        lambda rows: rows.group_by("action", "outcome").agg(
            _ROWS,
            pl.col("rank").min().alias("first_rank"),
            pl.col("rank").max().alias("last_rank"),
            (pl.col("company_flag_before").ne_missing(pl.col("company_flag_after")))
            .sum()
            .cast(pl.Int64)
            .alias("company_flags"),
            *(pl.col(name).sum().cast(pl.Int64) for name in ("quotes", "orders", "invoices")),
        ),
    )
    return None if frame is None else list(frame.sort("action", "outcome").to_dicts())


def total_batches(found: pl.DataFrame) -> list[BatchTotal]:
    """One row per task and legal entity."""
    keys = ["task", "legal_entity"]
    grouped = found.group_by(keys, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("batches"),
        *(pl.col(name).sum() for name in ("rows", "bytes", "created", "updated", "failed")),
        pl.col("sent_at").min(),
        pl.col("finished_at").max(),
    )
    found_totals = [{**one, "rate": None} for one in grouped.iter_rows(named=True)]
    return [{**one, "rate": _compute_rate(one)} for one in cast("list[BatchTotal]", found_totals)]


def _compute_rate(one: BatchTotal) -> float | None:
    """Rows per second; null where a batch has no ends, or no time passed between them."""
    if one["sent_at"] is None or one["finished_at"] is None:
        return None
    seconds = (one["finished_at"] - one["sent_at"]).total_seconds()
    return one["rows"] / seconds if seconds > 0 else None
