"""A contact's story as lines for the terminal, and what earlier runs did with the contact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pipeline.show.visible import visible
from schemas.codes import catalogue


def told(story: Story, folder: Path) -> str:
    """The story as lines.

    It shows the contact's values, for that was asked; control characters are made visible.
    """
    return "\n".join(visible(line) for line in _lines(story, folder))


def _lines(story: Story, folder: Path) -> Iterator[str]:
    decision = story.decision
    yield f"Contact {decision['contactid']}, number {decision['contact_number'] or 'none'}"
    yield f"  read from     {decision['source_file']} line {decision['source_line']}"
    yield f"  active        {_yes_no(decision['is_active_customer'])}"
    yield f"  company       {_company(decision)}"
    yield f"  decision      {decision['decision']}/{decision['reason']}: {_sentence(story)}"
    yield (
        f"  task          {decision['task'] or 'none'}, legal entity "
        f"{decision['legal_entity'] or 'none'}"
    )
    yield f"  key           {decision['destination_key'] or 'none'}"
    for one in story.findings:
        yield f"  {one['severity']:<13} {one['code']}: {one['message']}"
    if story.source:
        yield "  row as read"
        yield from (f"    {name} = {str(value)!r}" for name, value in story.source.items())
    if story.fields:
        yield "  fields        destination ← source value → result"
        yield from (f"    {line}" for one in story.fields for line in _field(one))
    if story.planned:
        yield f"  action        {story.planned['action']}, row hash {story.planned['row_hash']}"
    yield from _way(story, folder)
    for one in story.earlier:
        yield f"  earlier       {one['run']}, {one['kind']}: {_earlier(one)}"
    for note in story.notes:
        yield f"  not whole     {note}"


def _sentence(story: Story) -> str:
    reason = story.decision["reason"]
    own = [one["message"] for one in story.findings if one["code"] == reason]
    known = catalogue().get(reason)
    if known is None:
        return "another version of p2c wrote this reason."
    return f"{own[0] if own else known.sentence} {known.advice}"


def _yes_no(flag: bool | None) -> str:
    return "blank" if flag is None else "Yes" if flag else "No"


def _company(decision: Mapping[str, Any]) -> str:
    if decision["company_id"] is None:
        return "none"
    kind = decision["company_type"] or "of unknown type"
    known = f"{kind} {decision['company_key'] or 'without number'}"
    return (
        f"{decision['company_id']}, {known} (type from "
        f"{decision['company_type_from'] or 'nothing'})"
    )


def _field(one: Mapping[str, Any]) -> Iterator[str]:
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


def _way(story: Story, folder: Path) -> Iterator[str]:
    """Batch, package, import and outcome."""
    batch = story.batch
    if batch:
        file = f", {folder / batch['file']}" if batch.get("file") else ""
        yield (
            f"  batch         {batch['batch']} of {batch['task']} in {batch['legal_entity']}, "
            f"{batch['status']}{file}"
        )
        names = ("definition_group", "execution_id", "attempt", "sent_at", "finished_at")
        parts = [
            f"{name.replace('_', ' ')} {batch[name]}"
            for name in names
            if batch.get(name) is not None
        ]
        if parts:
            yield f"  import        {', '.join(parts)}"
    if story.outcome:
        known = catalogue().get(story.outcome.get("code") or "")
        parts = [
            story.outcome["outcome"],
            *(text for text in (story.outcome.get("code"), story.outcome.get("message")) if text),
        ]
        advice = f". {known.advice}" if known else ""
        yield f"  outcome       {': '.join(parts).rstrip('.')}{advice}"


def _earlier(one: Mapping[str, Any]) -> str:
    if one.get("action"):
        number = (
            f", number {one.get('number_before') or 'none'} → {one.get('number_after') or 'none'}"
        )
        return f"{one['action']}{number}, {one.get('outcome') or 'not applied'}"
    outcome = f", {one['outcome']}" if one.get("outcome") else ""
    return f"{one.get('decision', 'no decision')}/{one.get('reason', '')}{outcome}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """What is known of one contact in one run.

    What cannot be read is empty, and ``notes`` says so.
    """

    decision: dict[str, Any]
    findings: list[dict[str, Any]]
    source: dict[str, Any]
    fields: list[dict[str, Any]]
    planned: dict[str, Any]
    batch: dict[str, Any]
    outcome: dict[str, Any]
    earlier: list[dict[str, Any]]
    notes: list[str]

    def as_item(self) -> dict[str, Any]:
        """The story for ``--json``."""
        return {one.name: getattr(self, one.name) for one in fields(self)}
