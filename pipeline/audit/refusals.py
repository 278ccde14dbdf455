"""Rows that the destination refused, or whose outcome is unknown, by cause.

The messages of a system can hold values, so they are shown only when they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, cast

import polars as pl

from pipeline.audit.findings import FindingGroup, generalize
from pipeline.run.evidence import Evidence
from schemas.codes import load_codes

_ROWS = pl.len().cast(pl.Int64).alias("rows")


class RefusalCause(TypedDict):
    """Rows of a task that failed, or whose outcome is unknown, for one code."""

    task: str
    outcome: str
    code: str | None
    rows: int
    example: str | None
    message: str | None


def count_refusals(
    evidence: Evidence, codes: Sequence[str] = (), *, values: bool = False
) -> list[RefusalCause] | None:
    """Rows that failed or whose outcome is unknown, by task and code, most first.

    Args:
        evidence: the run.
        codes: only these; none: all.
        values: add a message of the system to each.

    Returns:
        One for each cause. Null where the outcomes cannot be read.
    """
    wanted = pl.col("outcome").is_in(["failed", "unknown"])
    if codes:
        wanted &= pl.col("code").is_in(list(codes))
    frame = evidence.frame(
        evidence.folder.outcomes,
        lambda rows: (
            rows.filter(wanted)
            .group_by("task", "outcome", "code")
            .agg(_ROWS, pl.col("contactid").min().alias("example"), pl.col("message").min())
        ),
    )
    if frame is None:
        return None
    ordered = frame.sort(
        ["rows", "task", "code", "outcome"],
        descending=[True, False, False, False],
        nulls_last=True,
    )
    shown = ordered if values else ordered.with_columns(message=pl.lit(None, pl.String))
    return cast("list[RefusalCause]", shown.to_dicts())


def group_refusals(
    evidence: Evidence, codes: Sequence[str] = (), *, values: bool = False
) -> list[FindingGroup] | None:
    """Causes as findings are told: in plain words, with what to do. Null as ``count_refusals``."""
    found = count_refusals(evidence, codes, values=values)
    return None if found is None else [_make_group(one) for one in found]


def _make_group(one: RefusalCause) -> FindingGroup:
    known = load_codes().get(one["code"] or "")
    sentence = "" if known is None else generalize(known.sentence)
    return {
        "code": one["code"] or one["outcome"],
        "severity": "error" if known is None or known.severity is None else known.severity,
        "outcome": one["outcome"],
        "task": one["task"],
        "column": None,
        "destination": None,
        "rows": one["rows"],
        "example": one["example"],
        "message": one["message"] or sentence,
        "one_message": False,
        "advice": "" if known is None else known.advice,
        "values": {},
        "named": "",
    }
