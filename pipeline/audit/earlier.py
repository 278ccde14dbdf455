"""What earlier runs did with a contact."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.run.evidence import Evidence, gathered
from pipeline.run.folder import RunFolder


def earlier_runs(runs: Sequence[RunFolder], contactid: str | None) -> list[dict[str, Any]]:
    """What earlier runs did: run, kind, decision, reason, outcome.

    For a backfill its action and numbers. What cannot be read of a damaged run is passed over.
    """
    found = []
    for run in runs:
        evidence = gathered(run)
        did = {
            **_did(evidence, run.decisions, contactid, ("decision", "reason")),
            **_did(evidence, run.outcomes, contactid, ("outcome", "destination_key")),
            **_did(
                evidence,
                run.path / "backfill.parquet",
                contactid,
                ("action", "number_before", "number_after", "outcome"),
            ),
        }
        if did:
            found.append({"run": str(run.run), "kind": evidence.kind, **did})
    return found


def _did(
    evidence: Evidence, path: Path, contactid: str | None, columns: Sequence[str]
) -> dict[str, Any]:
    if not path.is_file():
        return {}
    rows = evidence.frame(
        path, lambda table: table.filter(pl.col("contactid") == contactid).select(columns)
    )
    return rows.row(0, named=True) if rows is not None and rows.height else {}
