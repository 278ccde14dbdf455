"""The run folder's tables: the interface that others rely on (DESIGN 4).

Names and types are stable.
"""

from __future__ import annotations

from typing import Final

import polars as pl

DECISIONS: Final[pl.Schema] = pl.Schema(
    {
        "contactid": pl.String,
        "contact_number": pl.String,
        "decision": pl.String,
        "reason": pl.String,
        "task": pl.String,
        "legal_entity": pl.String,
        "company_type": pl.String,
        "company_type_from": pl.String,
        "company_id": pl.String,
        "company_key": pl.String,
        "is_active_customer": pl.Boolean,
        "destination_key": pl.String,
        "source_file": pl.String,
        "source_line": pl.Int64,
    }
)
"""One row per contact, in source order."""

FINDINGS: Final[pl.Schema] = pl.Schema(
    {
        "contactid": pl.String,
        "task": pl.String,
        "severity": pl.String,
        "code": pl.String,
        "column": pl.String,
        "destination": pl.String,
        "message": pl.String,
        "value": pl.String,
        "source_file": pl.String,
        "source_line": pl.Int64,
    }
)
"""One row per problem; contactid is null for problems of the run and for unreadable rows."""

PLANNED: Final[pl.Schema] = pl.Schema(
    {
        "contactid": pl.String,
        "legal_entity": pl.String,
        "destination_key": pl.String,
        "batch": pl.Int32,
        "action": pl.String,
        "row_hash": pl.String,
    }
)
"""What every planned row has besides its destination columns; batch is null when unchanged."""

BATCHES: Final[pl.Schema] = pl.Schema(
    {
        "task": pl.String(),
        "legal_entity": pl.String(),
        "batch": pl.Int32(),
        "rows": pl.Int64(),
        "file": pl.String(),
        "bytes": pl.Int64(),
        "sha256": pl.String(),
        "definition_group": pl.String(),
        "execution_id": pl.String(),
        "attempt": pl.Int32(),
        "sent_at": pl.Datetime("us", "UTC"),
        "finished_at": pl.Datetime("us", "UTC"),
        "status": pl.String(),
        "created": pl.Int64(),
        "updated": pl.Int64(),
        "failed": pl.Int64(),
    }
)
"""One row per batch of one task and legal entity."""

OUTCOMES: Final[pl.Schema] = pl.Schema(
    {
        "contactid": pl.String,
        "task": pl.String,
        "destination_key": pl.String,
        "batch": pl.Int32,
        "outcome": pl.String,
        "code": pl.String,
        "message": pl.String,
    }
)
"""One row per planned row, once it has an outcome."""

BACKFILL: Final[pl.Schema] = pl.Schema(
    {
        "contactid": pl.String(),
        "action": pl.String(),
        "company_flag_before": pl.Boolean(),
        "company_flag_after": pl.Boolean(),
        "rank": pl.Int64(),
        "suffix": pl.String(),
        "number_before": pl.String(),
        "number_after": pl.String(),
        "active_before": pl.Boolean(),
        "active_after": pl.Boolean(),
        "quotes": pl.Int64(),
        "orders": pl.Int64(),
        "invoices": pl.Int64(),
        "first_activity": pl.Datetime("us", "UTC"),
        "last_activity": pl.Datetime("us", "UTC"),
        "document": pl.String(),
        "etag": pl.String(),
        "outcome": pl.String(),
        "code": pl.String(),
    }
)
"""``backfill-plan.parquet``: one row per contact, in source order; ``rank`` counts those that need
a number, oldest first, and ``number_after`` is a preview there. ``backfill.parquet`` has the same
columns, with what became of each row."""

BACKFILL_ACTIONS: Final = ("number", "activate", "both", "other", "none")

CHANGES: Final[pl.Schema] = pl.Schema(
    {
        "contactid": pl.String(),
        "task": pl.String(),
        "destination_key": pl.String(),
        "column": pl.String(),
        "old": pl.String(),
        "new": pl.String(),
    }
)
"""``changes.parquet``: one row per field that an update changes, in source order; a null is a
blank."""

OUTCOME_NAMES: Final = (
    "created",
    "updated",
    "unchanged",
    "written",
    "failed",
    "unknown",
    "pending",
)
ACTIONS: Final = ("create", "update", "unchanged", "upsert")
