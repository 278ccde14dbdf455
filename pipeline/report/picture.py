"""Which bars and bands the picture of a run has: source → contacts → decisions → outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.report.flow import FlowColumn, FlowLink, Node
from pipeline.report.tables import TaskOutcome
from pipeline.run.evidence import Evidence
from pipeline.run.summary import Summary

_TASK_OF: Final = {"customer": "ContactToCustomer", "contact": "Contacts"}
_TONES: Final = {
    "customer": "customer", "contact": "contact", "contacts": "source", "skipped": "quiet",
    "held": "held", "rejected": "wrong", "superseded": "quiet", "deleted": "quiet",
    "unreadable": "wrong", "failed": "wrong", "unknown": "held", "pending": "quiet",
    "unchanged": "quiet", "none": "quiet",
}  # fmt: skip
_DONE: Final = "done"


def make_flow(
    evidence: Evidence, outcomes: Sequence[TaskOutcome] | None
) -> tuple[tuple[FlowColumn, ...], tuple[FlowLink, ...]]:
    """Columns and links of a run; empty where the summary lacks the numbers."""
    summary = evidence.summary
    if not summary.counts or not summary.equations:
        return (), ()
    if not evidence.kind.is_load:
        return _make_actions(summary.counts)
    columns = [
        FlowColumn(
            heading="Rows read",
            nodes=(Node(name="rows", rows=summary.equations[0].left, tone="source"),),
        ),
        _make_column("Contacts", summary.equations[0].terms),
        _make_column("Decisions", summary.counts),
    ]
    links = [
        FlowLink(column=0, source="rows", target=one.name, rows=one.rows)
        for one in columns[1].nodes
    ]
    if any(one.name == "contacts" for one in columns[1].nodes):
        links += [
            FlowLink(column=1, source="contacts", target=one.name, rows=one.rows)
            for one in columns[2].nodes
        ]
    ends = _count_ends(summary, outcomes)
    if ends:
        columns.append(_make_column("Outcomes" if summary.applied else "Planned", _sum_ends(ends)))
        links += [
            FlowLink(column=2, source=decision, target=end, rows=rows)
            for decision, found in ends.items()
            for end, rows in found.items()
            if rows
        ]
    return tuple(columns), tuple(links)


def _make_actions(counts: Mapping[str, int]) -> tuple[tuple[FlowColumn, ...], tuple[FlowLink, ...]]:
    total = sum(counts.values())
    nodes = _make_column("Actions", counts)
    links = tuple(
        FlowLink(column=0, source="contacts", target=one.name, rows=one.rows) for one in nodes.nodes
    )
    return (
        FlowColumn(heading="Contacts", nodes=(Node(name="contacts", rows=total, tone="source"),)),
        nodes,
    ), links


def _make_column(heading: str, counts: Mapping[str, int]) -> FlowColumn:
    nodes = tuple(
        Node(name=name, rows=rows, tone=_TONES.get(name, _DONE))
        for name, rows in counts.items()
        if rows
    )
    return FlowColumn(heading=heading, nodes=nodes)


def _count_ends(
    summary: Summary, outcomes: Sequence[TaskOutcome] | None
) -> dict[str, dict[str, int]]:
    """For each decision that is planned: what happened to its rows, or what is planned for them."""
    rows: list[tuple[str, str, int]] = []
    if summary.applied and outcomes is not None:
        rows = [(one["task"], one["outcome"], one["rows"]) for one in outcomes]
    elif not summary.applied:
        rows = [(one.task, one.action, one.rows) for one in summary.actions]
    found: dict[str, dict[str, int]] = {}
    for decision, task in _TASK_OF.items():
        ends: dict[str, int] = {}
        for name, end, count in rows:
            if name == task:
                ends[end] = ends.get(end, 0) + count
        if ends and summary.counts.get(decision):
            found[decision] = ends
    return found


def _sum_ends(ends: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for found in ends.values():
        for end, rows in found.items():
            total[end] = total.get(end, 0) + rows
    return total
