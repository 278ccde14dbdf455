"""``summary.json`` of a backfill's plan: equations, counts, what applying will cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from pipeline.backfill.results import PLAN
from pipeline.run.facts import Kind, Numbers
from pipeline.run.findings import RunFinding
from pipeline.run.folder import Clock, RunFolder, RunId
from pipeline.run.summary import (
    PLANNED,
    CountedFinding,
    Forecast,
    Summary,
    make_equation,
    refuse_unbalanced,
)
from pipeline.run.vouching import write_plan
from schemas.codes import find_code
from schemas.run import BACKFILL_ACTIONS, OUTCOME_NAMES

_ROW_BYTES: Final = 600
"""Of one conditional update in a batch, as the sandbox gets it."""
_RATE: Final = 50.0
"""Rows a second, assumed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedBackfill:
    """What planning counted.

    ``rows``: contact rows that were read, ``without_id`` of them deletions that have no id;
    ``unreadable``: those that could not be read; ``request_rows``: null where files are written.
    """

    rows: int
    unreadable: int
    without_id: int
    left_out: Mapping[str, int]
    actions: Counter[str]
    findings: Counter[str]
    of_run: Sequence[RunFinding]
    numbers: Numbers
    request_rows: int | None


def write_backfill(folder: RunFolder, run: RunId, counted: CountedBackfill, clock: Clock) -> None:
    """Write the summary of a plan whose tables are written, and let the journal vouch for all.

    The folder has another name than the ``run`` as long as it is not whole.

    Raises:
        InvariantBroken: an equation does not balance.
    """
    landed = sorted(folder.source.glob("*.parquet"))
    files = (folder.run_json, folder.findings, folder.path / PLAN, *landed)
    write_plan(folder, _summarize(run, counted), files, clock)


def _summarize(run: str, counted: CountedBackfill) -> Summary:
    """The summary.

    Raises:
        InvariantBroken: an equation does not balance.
    """
    contacts = sum(counted.actions.values())
    pending = contacts - counted.actions["none"]
    outcomes = dict.fromkeys(OUTCOME_NAMES, 0) | {"pending": pending}
    terms = {
        "contacts": contacts,
        **counted.left_out,
        "unreadable": counted.unreadable + counted.without_id,
    }
    counts = {one: counted.actions[one] for one in BACKFILL_ACTIONS}
    equations = (
        make_equation(
            "rows = contacts + superseded + deleted + unreadable",
            counted.rows + counted.unreadable,
            terms,
        ),
        make_equation("contacts = number + activate + both + other + none", contacts, counts),
        make_equation(PLANNED, pending, outcomes),
    )
    refuse_unbalanced(equations)
    errors = any(str(find_code(name).severity) == "error" for name in counted.findings)
    unreadable = Counter(row_unreadable=counted.unreadable)
    return Summary(
        run=run,
        kind=Kind.BACKFILL,
        applied=False,
        verdict="attention" if errors else "clean",
        balanced=True,
        equations=equations,
        counts=counts,
        findings=dict(sorted((counted.findings + unreadable).items())),
        outcomes=outcomes,
        counted=tuple(
            CountedFinding(code=one.code, detail=one.detail, column=one.column, rows=one.concerned)
            for one in counted.of_run
            if one.detail and one.source_line is None
        ),
        forecast=_forecast(pending, counted.request_rows),
        numbers=counted.numbers,
    )


def _forecast(pending: int, request_rows: int | None) -> Forecast:
    """What applying will cost: requests of a live Sales, none for files."""
    said = (
        "assumed; a Sales was not measured"
        if request_rows
        else "assumed; files are written as fast as the disk takes them"
    )
    return Forecast(
        requests=ceil(pending / request_rows) if request_rows else 0,
        bytes=pending * _ROW_BYTES,
        minutes=round(pending / _RATE / 60, 1) if request_rows else 0.0,
        rate=_RATE if request_rows else 0.0,
        rate_from=said,
    )
