"""``summary.json`` of a backfill's plan: equations, counts, what applying will cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from pipeline.errors import InvariantBroken
from pipeline.run.facts import PLANNED, equation
from pipeline.run.findings import RunFinding
from schemas.codes import code
from schemas.run import BACKFILL_ACTIONS, OUTCOME_NAMES

_ROW_BYTES: Final = 600
"""Of one conditional update in a batch, as the sandbox gets it."""
_RATE: Final = 50.0
"""Rows a second, assumed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What planning counted.

    ``rows``: contact rows that were read; ``request_rows``: null where files are written.
    """

    run: str
    rows: int
    unreadable: int
    left_out: Mapping[str, int]
    actions: Counter[str]
    findings: Counter[str]
    of_run: Sequence[RunFinding]
    numbers: Mapping[str, Any]
    request_rows: int | None


def backfill_summary(told: Told) -> dict[str, Any]:
    """The summary.

    Raises:
        InvariantBroken: an equation does not balance.
    """
    contacts = sum(told.actions.values())
    pending = contacts - told.actions["none"]
    outcomes = dict.fromkeys(OUTCOME_NAMES, 0) | {"pending": pending}
    terms = {"contacts": contacts, **told.left_out, "unreadable": told.unreadable}
    counts = {one: told.actions[one] for one in BACKFILL_ACTIONS}
    equations = [
        equation(
            "rows = contacts + superseded + deleted + unreadable",
            told.rows + told.unreadable,
            terms,
        ),
        equation("contacts = number + activate + both + other + none", contacts, counts),
        equation(PLANNED, pending, outcomes),
    ]
    if not all(one["balanced"] for one in equations):
        raise InvariantBroken(f"the equations of the backfill do not balance: {equations}.")
    errors = any(str(code(name).severity) == "error" for name in told.findings)
    return {
        "run": told.run,
        "kind": "backfill",
        "applied": False,
        "verdict": "attention" if errors else "clean",
        "balanced": True,
        "equations": equations,
        "counts": counts,
        "reasons": {},
        "findings": dict(sorted((told.findings + Counter(row_unreadable=told.unreadable)).items())),
        "counted": [
            {"code": one.code, "detail": one.detail, "column": one.column}
            for one in told.of_run
            if one.detail
        ],
        "outcomes": outcomes,
        "actions": [],
        "value_maps": [],
        "forecast": _forecast(pending, told.request_rows),
        "numbers": told.numbers,
    }


def _forecast(pending: int, request_rows: int | None) -> dict[str, Any]:
    """What applying will cost: requests of a live Sales, none for files."""
    said = (
        "assumed; a Sales was not measured"
        if request_rows
        else "assumed; files are written as fast as the disk takes them"
    )
    return {
        "requests": ceil(pending / request_rows) if request_rows else 0,
        "bytes": pending * _ROW_BYTES,
        "minutes": round(pending / _RATE / 60, 1) if request_rows else 0.0,
        "rate": _RATE if request_rows else 0.0,
        "rate_from": said,
    }
