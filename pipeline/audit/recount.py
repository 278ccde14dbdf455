"""The equations counted again: the summary's figures against the tables they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import duckdb
import polars as pl

from pipeline.errors import list_first
from pipeline.lazy import import_lazily
from pipeline.run.chain import Check
from pipeline.run.evidence import Evidence
from pipeline.run.facts import Kind
from pipeline.run.rows import find_altered_batches
from pipeline.run.summary import Equation
from schemas.run import OUTCOME_NAMES
from sql.query import query
from sql.session import session

if TYPE_CHECKING:
    from pipeline.backfill import recount as backfills
else:
    backfills = import_lazily("pipeline.backfill.recount")

_LISTED: Final = 5
"""Differences that a check names."""
_MEMORY: Final = "400MB"
_OUTCOME: Final = ("task", "destination_key", "contactid", "outcome")


def recount_run(evidence: Evidence) -> list[Check]:
    """Every equation of a run, from its tables.

    A table that cannot be read is reported elsewhere and left out here.
    """
    checks = [_check_equation(one) for one in evidence.summary.equations]
    for recount in _list_recounts(evidence):
        checks += _recount_safely(recount, evidence)
    return checks


Recount = Callable[[Evidence], list[Check]]


def _list_recounts(evidence: Evidence) -> tuple[Recount, ...]:
    """What can be counted again of a run of this kind."""
    loaded = (_recount_findings, _recount_planned, _recount_batches, _recount_outcomes)
    if evidence.kind.is_load:
        return (_recount_decisions, *loaded)
    if evidence.kind is Kind.UNDO and (evidence.folder.path / "undo.parquet").is_file():
        return loaded
    return (backfills.recount_backfill,)


def _recount_safely(recount: Recount, evidence: Evidence) -> list[Check]:
    """Count again, in tables that may hold anything."""
    try:
        return recount(evidence)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, duckdb.Error):
        sentence = "A table does not have the columns that p2c writes: it was altered."
        return [Check(what="tables", status="altered", sentence=sentence)]


def _check_equation(one: Equation) -> Check:
    total = sum(one.terms.values())
    what = f"equation {one.equation}"
    if total == one.left:
        return Check(what=what, status="ok", sentence=f"{one.left:,} = {total:,}.")
    return Check(what=what, status="altered", sentence=f"{one.left:,} is not {total:,}.")


def _recount_decisions(evidence: Evidence) -> list[Check]:
    frame = evidence.frame(
        evidence.folder.decisions,
        lambda rows: rows.group_by("decision", "reason").agg(rows=pl.len().cast(pl.Int64)),
    )
    if frame is None or "counts" not in evidence.summary_says:
        return []
    counts = dict.fromkeys(evidence.summary.counts, 0) | dict(
        frame.group_by("decision").agg(pl.col("rows").sum()).iter_rows()
    )
    reasons = {f"{decision}/{reason}": rows for decision, reason, rows in frame.iter_rows()}
    return [
        _compare_counts("decisions.parquet", "decisions", evidence.summary.counts, counts),
        _compare_counts("decisions.parquet", "reasons", evidence.summary.reasons, reasons),
    ]


def _recount_findings(evidence: Evidence) -> list[Check]:
    frame = evidence.frame(
        evidence.folder.findings,
        lambda rows: rows.group_by("code").agg(rows=pl.len().cast(pl.Int64)),
    )
    if frame is None or "findings" not in evidence.summary_says:
        return []
    said = Counter(evidence.summary.findings)
    for one in evidence.summary.counted:
        said[one.code] -= one.rows - 1
    return [_compare_counts("findings.parquet", "findings", said, dict(frame.iter_rows()))]


def _list_tasks(evidence: Evidence) -> list[str]:
    return sorted(path.name for path in (evidence.folder.path / "rows").glob("*") if path.is_dir())


def _recount_planned(evidence: Evidence) -> list[Check]:
    if "actions" not in evidence.summary_says or any(
        name.startswith("rows/") for name in evidence.purged
    ):
        return []
    found: dict[str, int] = {}
    for task in _list_tasks(evidence):
        frame = evidence.frame(
            evidence.folder.rows_files(task),
            lambda rows: rows.group_by("legal_entity", "action").agg(rows=pl.len().cast(pl.Int64)),
        )
        if frame is None:
            return []
        found |= {f"{task} {entity} {action}": rows for entity, action, rows in frame.iter_rows()}
    said = {
        f"{one.task} {one.legal_entity} {one.action}": one.rows for one in evidence.summary.actions
    }
    return [_compare_counts("rows", "planned rows", said, found)]


def _recount_batches(evidence: Evidence) -> list[Check]:
    """Whether the batches are those of the planned rows: they decide what is sent."""
    name = evidence.folder.batches.name
    if any(one.startswith("rows/") for one in evidence.purged):
        return []
    wrong = find_altered_batches(evidence.folder)
    if wrong is not None:
        return [Check(what=name, status="altered", sentence=wrong)]
    return [Check(what=name, status="ok", sentence="Its batches are those of the planned rows.")]


def _recount_outcomes(evidence: Evidence) -> list[Check]:
    if not evidence.started:
        return _check_untouched(evidence)
    if not evidence.summary.applied or evidence.interrupted == "confirm":
        return []  # Whichever of the two tables is there, its hash vouches for it.
    frame = evidence.frame(
        evidence.folder.outcomes,
        lambda rows: rows.group_by("outcome").agg(rows=pl.len().cast(pl.Int64)),
    )
    if frame is None:
        return []
    said = {name: rows for name, rows in evidence.summary.outcomes.items() if name != "pending"}
    found = dict.fromkeys((name for name in OUTCOME_NAMES if name != "pending"), 0) | dict(
        frame.iter_rows()
    )
    return [
        _compare_counts("outcomes.parquet", "outcomes", said, found),
        *_match_outcomes(evidence),
    ]


def _check_untouched(evidence: Evidence) -> list[Check]:
    """Before a run is applied, no row has an outcome."""
    name = evidence.folder.outcomes.name
    frame = evidence.frame(evidence.folder.outcomes, lambda rows: rows.select(_OUTCOME).head(1))
    if frame is not None and frame.is_empty():
        return [Check(what=name, status="ok", sentence="No row has an outcome yet.")]
    sentence = f"{name} was altered, or is missing: no row has an outcome before an apply."
    return [Check(what=name, status="altered", sentence=sentence)]


def _match_outcomes(evidence: Evidence) -> list[Check]:
    """Whether exactly the planned rows have outcomes: equal sets of contact and key, by task."""
    checks = []
    for task in _list_tasks(evidence):
        files = evidence.folder.rows_files(task)
        try:
            with session(memory=_MEMORY) as here:
                here.parquet("planned", files)
                here.parquet("outcomes", evidence.folder.outcomes)
                same = bool(here.frame(query("audit/outcomes_match"), task=task).item())
        except duckdb.Error:
            continue
        sentence = (
            f"Every planned row of {task} has its outcome."
            if same
            else f"Rows of {task} and their outcomes differ."
        )
        checks.append(
            Check(what="outcomes.parquet", status="ok" if same else "altered", sentence=sentence)
        )
    return checks


def _compare_counts(
    file: str, what: str, said: Mapping[str, int], found: Mapping[str, int]
) -> Check:
    different = [name for name in {**said, **found} if said.get(name, 0) != found.get(name, 0)]
    if not different:
        return Check(
            what=file,
            status="ok",
            sentence=f"Its {what} are those of the summary: {sum(found.values()):,}.",
        )
    counts = [
        f"{name} {found.get(name, 0):,} instead of {said.get(name, 0):,}" for name in different
    ]
    listed = list_first(counts, _LISTED)
    return Check(
        what=file, status="altered", sentence=f"Its {what} differ from the summary: {listed}."
    )
