"""A backfill recounted.

Outcomes are compared with the summary, every number with its rank and the reservation.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from pipeline.backfill.reserve import find_base
from pipeline.backfill.results import PLAN, RESULT
from pipeline.run.chain import Check
from pipeline.run.evidence import Evidence
from schemas.run import OUTCOME_NAMES

_WRITTEN: Final = ("updated", "unknown")


def recount_backfill(evidence: Evidence) -> list[Check]:
    """The checks of an applied backfill, or of its undo; none where it was not applied."""
    if not evidence.summary.applied or not (evidence.folder.path / RESULT).is_file():
        return []
    checks = [_check_outcomes(evidence, name) for name in (RESULT, evidence.folder.outcomes.name)]
    return [one for one in [*checks, _check_numbers(evidence)] if one is not None]


def _check_outcomes(evidence: Evidence, name: str) -> Check | None:
    frame = evidence.frame(
        evidence.folder.path / name,
        lambda rows: (
            rows.filter(pl.col("outcome").is_not_null())
            .group_by("outcome")
            .agg(rows=pl.len().cast(pl.Int64))
        ),
    )
    if frame is None:
        return None
    found = dict.fromkeys(OUTCOME_NAMES, 0) | dict(frame.iter_rows())
    said = dict.fromkeys(OUTCOME_NAMES, 0) | dict(evidence.summary.outcomes)
    wrong = [
        f"{one} {found[one]:,} instead of {said[one]:,}"
        for one in OUTCOME_NAMES
        if found[one] != said[one]
    ]
    if wrong:
        return Check(
            what=name,
            status="altered",
            sentence=f"Its outcomes differ from the summary: {', '.join(wrong)}.",
        )
    return Check(
        what=name,
        status="ok",
        sentence=f"Its outcomes are those of the summary: {sum(found.values()):,}.",
    )


def _check_numbers(evidence: Evidence) -> Check | None:
    """Whether the n-th contact has the n-th number behind the base that the journal has."""
    base = find_base(evidence.entries)
    if base is None:
        return None
    text = pl.col("number_after").str.extract(r"^[^-]+-([0-9]+)-")
    is_numbered = pl.col("rank").is_not_null() & pl.col("outcome").is_in(_WRITTEN)
    frame = evidence.frame(
        evidence.folder.path / RESULT,
        lambda rows: rows.filter(is_numbered).select(
            rows=pl.len(),
            wrong=(text.cast(pl.Int64) != pl.col("rank") + base).fill_null(value=True).sum(),
        ),
    )
    if frame is None:
        return None
    rows, wrong = frame.row(0)
    if wrong:
        sentence = (
            f"{wrong:,} of {rows:,} numbers are not those that their ranks got from the "
            f"reservation at {base}."
        )
        return Check(what=RESULT, status="altered", sentence=sentence)
    return Check(
        what=RESULT,
        status="ok",
        sentence=f"All {rows:,} numbers follow from {PLAN} and the reservation at {base}.",
    )
