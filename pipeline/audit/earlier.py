"""What earlier runs did with a contact."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, cast

import polars as pl

from pipeline.run.evidence import Evidence, gather_evidence
from pipeline.run.folder import RunFolder


class Earlier(TypedDict, total=False):
    """What an earlier run did; for a backfill its action and numbers."""

    run: str
    kind: str
    decision: str
    reason: str
    outcome: str | None
    destination_key: str | None
    action: str
    number_before: str | None
    number_after: str | None


def find_earlier_runs(runs: Sequence[RunFolder], contactid: str | None) -> list[Earlier]:
    """What earlier runs did.

    What cannot be read of a damaged run is skipped.
    """
    found: list[Earlier] = []
    for run in runs:
        evidence = gather_evidence(run)
        did = {
            **_read_deed(evidence, run.decisions, contactid, ("decision", "reason")),
            **_read_deed(evidence, run.outcomes, contactid, ("outcome", "destination_key")),
            **_read_deed(
                evidence,
                run.path / "backfill.parquet",
                contactid,
                ("action", "number_before", "number_after", "outcome"),
            ),
        }
        if did:
            found.append(cast("Earlier", {"run": run.run, "kind": evidence.kind, **did}))
    return found


def _read_deed(
    evidence: Evidence, path: Path, contactid: str | None, columns: Sequence[str]
) -> dict[str, object]:
    if not path.is_file():
        return {}
    rows = evidence.frame(
        path, lambda table: table.filter(pl.col("contactid") == contactid).select(columns)
    )
    return rows.row(0, named=True) if rows is not None and rows.height else {}
