"""A contact's story as lines for the terminal, with what earlier runs did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import TypedDict

from pipeline.audit.earlier import Earlier
from pipeline.show.visible import make_visible
from schemas.codes import load_codes

Fact = tuple[str, str]
"""What something is called, and what is to be said of it."""

PlannedRow = Mapping[str, object]
"""A row of ``rows/<task>/``: what every planned row has, and its destination columns."""


class DecisionRow(TypedDict):
    """A row of ``decisions.parquet``."""

    contactid: str | None
    contact_number: str | None
    decision: str
    reason: str
    task: str | None
    legal_entity: str | None
    company_type: str | None
    company_type_from: str | None
    company_id: str | None
    company_key: str | None
    is_active_customer: bool | None
    destination_key: str | None
    source_file: str | None
    source_line: int | None


class FindingRow(TypedDict):
    """A row of ``findings.parquet``, as far as a story needs it."""

    severity: str
    code: str
    destination: str | None
    message: str


class AcceptedMark(TypedDict, total=False):
    """Until when and why a held or rejected contact was accepted; empty where it was not."""

    accepted_until: date
    accepted_why: str
    accepted_by: str


class BatchRow(TypedDict, total=False):
    """A row of ``batches.parquet``; empty where there is none."""

    task: str
    legal_entity: str
    batch: int
    status: str | None
    file: str | None
    definition_group: str | None
    execution_id: str | None
    attempt: int | None
    sent_at: datetime | None
    finished_at: datetime | None


class OutcomeRow(TypedDict, total=False):
    """A row of ``outcomes.parquet``; empty where there is none."""

    outcome: str
    code: str | None
    message: str | None


class ChangeRow(TypedDict):
    """A row of ``changes.parquet``: a field that the update changes."""

    column: str
    old: str | None
    new: str | None


class CheckStory(TypedDict):
    """A rule that a column's value must keep; ``code`` is the finding where it did not."""

    rule: str
    holds: bool
    code: str | None


class FieldStory(TypedDict):
    """One row of the mapping: where its value comes from, and what happened to it."""

    destination: str
    source: str | None
    value: str | None
    transform: str
    result: object
    result_from: str | None
    checks: list[CheckStory]


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """What is known of one contact in one run.

    What cannot be read is empty, and ``notes`` says so.
    """

    decision: DecisionRow
    findings: list[FindingRow]
    accepted: AcceptedMark
    source: dict[str, str]
    """The row as it was read, blanks left out."""
    version: int | None
    """The version of the Delta table that contacts were read from; null for other forms."""
    fields: list[FieldStory]
    planned: PlannedRow
    changes: list[ChangeRow]
    batch: BatchRow
    outcome: OutcomeRow
    earlier: list[Earlier]
    notes: list[str]

    def as_item(self) -> dict[str, object]:
        """The story for ``--json``."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def render_story(story: Story, folder: Path) -> str:
    """The story as lines.

    It shows the contact's values, because the user asked for them. Control characters are made
    visible.
    """
    return "\n".join(make_visible(line) for line in _render_lines(story, folder))


def _render_lines(story: Story, folder: Path) -> Iterator[str]:
    decision = story.decision
    yield f"Contact {decision['contactid']}, number {decision['contact_number'] or 'none'}"
    yield from map(_render_fact, list_facts(story))
    if story.source:
        yield "  row as read"
        yield from (f"    {name} = {str(value)!r}" for name, value in story.source.items())
    if story.fields:
        yield "  fields        destination ← source value → result"
        yield from (f"    {line}" for one in story.fields for line in _render_field(one))
    if story.planned:
        action = f"{story.planned['action']}, row hash {story.planned['row_hash']}"
        yield _render_fact(("action", action))
    if story.changes:
        yield "  changes       destination: value before → value after"
        yield from (f"    {_render_change(one)}" for one in story.changes)
    yield from map(_render_fact, list_deeds(story, folder))


def _render_fact(fact: Fact) -> str:
    return f"  {fact[0]:<13} {fact[1]}"


def list_facts(story: Story) -> Iterator[Fact]:
    """What was read and decided, with all findings."""
    decision = story.decision
    version = "" if story.version is None else f", version {story.version} of the Delta table"
    yield "read from", f"{decision['source_file']} line {decision['source_line']}{version}"
    yield "active", _render_flag(decision["is_active_customer"])
    yield "company", _render_company(decision)
    yield "decision", f"{decision['decision']}/{decision['reason']}: {_explain_decision(story)}"
    mark = story.accepted
    if mark:
        until = mark["accepted_until"].isoformat()
        yield "accepted", f"until {until} by {mark['accepted_by']}: {mark['accepted_why']}"
    entity = decision["legal_entity"] or "none"
    yield "task", f"{decision['task'] or 'none'}, legal entity {entity}"
    yield "key", decision["destination_key"] or "none"
    for one in story.findings:
        yield one["severity"], f"{one['code']}: {one['message']}"


def list_deeds(story: Story, folder: Path) -> Iterator[Fact]:
    """What was done: batch, package, import and outcome, and what earlier runs did."""
    yield from _list_batch(story.batch, folder)
    if story.outcome:
        known = load_codes().get(story.outcome.get("code") or "")
        parts = [
            story.outcome["outcome"],
            *(text for text in (story.outcome.get("code"), story.outcome.get("message")) if text),
        ]
        advice = f". {known.advice}" if known else ""
        yield "outcome", f"{': '.join(parts).rstrip('.')}{advice}"
    for before in story.earlier:
        yield "earlier", f"{before['run']}, {before['kind']}: {_render_earlier(before)}"
    for note in story.notes:
        yield "not whole", note


def _explain_decision(story: Story) -> str:
    reason = story.decision["reason"]
    own = [one["message"] for one in story.findings if one["code"] == reason]
    known = load_codes().get(reason)
    if known is None:
        return "another version of p2c wrote this reason."
    return f"{own[0] if own else known.sentence} {known.advice}"


def _render_flag(flag: bool | None) -> str:
    return "blank" if flag is None else "Yes" if flag else "No"


def _render_company(decision: DecisionRow) -> str:
    if decision["company_id"] is None:
        return "none"
    kind = decision["company_type"] or "of unknown type"
    known = f"{kind} {decision['company_key'] or 'without number'}"
    return (
        f"{decision['company_id']}, {known} (type from "
        f"{decision['company_type_from'] or 'nothing'})"
    )


def _render_field(one: FieldStory) -> Iterator[str]:
    value = "" if one["value"] is None else f" {str(one['value'])!r}"
    result = (
        "not known"
        if one["result_from"] is None
        else "blank"
        if one["result"] is None
        else repr(str(one["result"]))
    )
    transform = f" [{one['transform']}]" if one["transform"] else ""
    mark = "→ would be" if one["result_from"] == "mapping" else "→"
    yield f"{one['destination']} ← {one['source'] or 'constant'}{value}{transform} {mark} {result}"
    held = [check["rule"] for check in one["checks"] if check["holds"]]
    if held:
        yield f"    holds: {'; '.join(held)}"
    for check in one["checks"]:
        if not check["holds"]:
            yield f"    DOES NOT HOLD: {check['rule']} ({check['code']})"


def _render_change(one: ChangeRow) -> str:
    before, after = (
        "blank" if value is None else repr(value) for value in (one["old"], one["new"])
    )
    return f"{one['column']}: {before} → {after}"


def _list_batch(batch: BatchRow, folder: Path) -> Iterator[Fact]:
    if batch:
        name = batch.get("file")
        file = f", {folder / name}" if name else ""
        said = f"{batch['batch']} of {batch['task']} in {batch['legal_entity']}, {batch['status']}"
        yield "batch", f"{said}{file}"
        names = ("definition_group", "execution_id", "attempt", "sent_at", "finished_at")
        known = {name: value for name, value in batch.items() if value is not None}
        parts = [f"{one.replace('_', ' ')} {known[one]}" for one in names if one in known]
        if parts:
            yield "import", ", ".join(parts)


def _render_earlier(one: Earlier) -> str:
    if one.get("action"):
        number = (
            f", number {one.get('number_before') or 'none'} → {one.get('number_after') or 'none'}"
        )
        return f"{one['action']}{number}, {one.get('outcome') or 'not applied'}"
    outcome = f", {one['outcome']}" if one.get("outcome") else ""
    return f"{one.get('decision', 'no decision')}/{one.get('reason', '')}{outcome}"
