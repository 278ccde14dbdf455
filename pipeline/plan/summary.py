"""``summary.json`` of a plan of contacts into SCM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.extract.landing import LandedTable
from pipeline.plan.accepting import count_accepted
from pipeline.plan.counted_values import count_value_maps, list_named
from pipeline.plan.forecast import forecast_cost
from pipeline.plan.request import Planning
from pipeline.plan.since import compare_needs
from pipeline.run.facts import RunFacts
from pipeline.run.findings import RunFinding
from pipeline.run.summary import (
    PLANNED,
    CountedFinding,
    Equation,
    PlannedRowCount,
    Summary,
    make_equation,
    reach_verdict,
    refuse_unbalanced,
)
from pipeline.transform.tally import Tally
from schemas.codes import Decision
from schemas.run import OUTCOME_NAMES


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanCounts:
    """What planning counted."""

    tally: Tally
    findings: list[RunFinding]
    landed: Mapping[str, LandedTable]
    units: Mapping[str, str] = field(default_factory=dict)
    """Id or name of a business unit → its name."""


def summarize_plan(planning: Planning, facts: RunFacts, counted: PlanCounts) -> Summary:
    """The facts of a plan.

    Raises:
        InvariantBroken: an equation does not balance.
    """
    tally = counted.tally
    counts = {name.value: tally.decisions[name.value] for name in Decision}
    findings = dict(sorted(_count_findings(counted).items()))
    outcomes = _count_outcomes(tally)
    equations = _make_equations(counted, counts, outcomes)
    refuse_unbalanced(equations)
    accepted = count_accepted(planning, facts.started_at)
    return Summary(
        run=facts.run,
        kind=facts.kind,
        retry_of=facts.retry_of,
        applied=False,
        verdict=reach_verdict(counts, outcomes, findings, accepted.contacts),
        balanced=True,
        equations=equations,
        counts=counts,
        reasons={
            f"{decision}/{reason}": count
            for (decision, reason), count in sorted(tally.reasons.items())
        },
        findings=findings,
        outcomes=outcomes,
        actions=tuple(
            PlannedRowCount(task=task, legal_entity=entity, action=action, rows=count)
            for (task, entity, action), count in sorted(tally.actions.items())
        ),
        counted=tuple(
            CountedFinding(code=one.code, detail=one.detail, column=one.column, rows=one.concerned)
            for one in counted.findings
            if one.concerned > 1
            or one.detail.isdigit()
            or (one.detail and not one.column and one.source_file is None)
        ),
        value_maps=tuple(count_value_maps(tally, planning.mappings)),
        named=tuple(list_named(counted.tally, counted.units)),
        changes=tuple(planning.changes),
        accepted=accepted,
        since=compare_needs(planning.request.previous, planning.folder),
        forecast=forecast_cost(planning.project, planning.folder, tally, planning.mappings),
        systems=(*planning.source.lines, *planning.destination.lines),
    )


def _count_outcomes(tally: Tally) -> dict[str, int]:
    """Planned rows by outcome: unchanged ones have theirs, all others wait."""
    planned = sum(tally.actions.values())
    unchanged = sum(
        count for (_, _, action), count in tally.actions.items() if action == "unchanged"
    )
    return dict.fromkeys(OUTCOME_NAMES, 0) | {
        "unchanged": unchanged,
        "pending": planned - unchanged,
    }


def _make_equations(
    counted: PlanCounts, counts: Mapping[str, int], outcomes: Mapping[str, int]
) -> tuple[Equation, ...]:
    contacts, states = counted.landed["contacts"], counted.tally.states
    planned = sum(counted.tally.actions.values())
    unreadable = len(contacts.unreadable) + states["unreadable"]
    rows = {
        "contacts": sum(counts.values()),
        "superseded": states["superseded"],
        "deleted": states["deleted"],
        "unreadable": unreadable,
    }
    ways = {name: counts[name] for name in ("customer", "contact")}
    return (
        make_equation(
            "rows = contacts + superseded + deleted + unreadable",
            contacts.rows + len(contacts.unreadable),
            rows,
        ),
        make_equation(
            "contacts = customer + contact + skipped + held + rejected",
            sum(counts.values()),
            counts,
        ),
        make_equation(PLANNED, planned, outcomes),
        make_equation("planned = customer + contact", planned, ways),
    )


def _count_findings(counted: PlanCounts) -> dict[str, int]:
    """Rows that findings are about, by code."""
    counts = dict(counted.tally.findings)
    for one in counted.findings:
        counts[one.code] = counts.get(one.code, 0) + one.concerned
    unreadable = sum(len(table.unreadable) for table in counted.landed.values())
    unreadable += counts.get("row_unreadable", 0)
    return counts | ({"row_unreadable": unreadable} if unreadable else {})
