"""The question before anything is sent: which systems, which legal entities, how many rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pipeline.errors import count_of
from pipeline.run.facts import RunFacts
from pipeline.run.summary import Summary
from pipeline.wire.login.settings import is_loopback


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """Which run wants to send, and what, as lines."""

    run: str
    text: str


Ask: TypeAlias = Callable[[Question], None]
"""Asks a person; raises ``UsageError`` where nobody agrees."""


def agree_silently(_question: Question) -> None:
    """For callers that have asked before."""


def build_question(facts: RunFacts, summary: Summary) -> Question | None:
    """What applying will do, as lines; null where nobody needs to be asked.

    A folder load sends nothing, a system on this machine is a rehearsal, and a plan without rows to
    send does no harm.

    Args:
        facts: ``run.json``.
        summary: ``summary.json``.
    """
    if facts.is_write_back:
        return _ask_write_back(facts, summary)
    url, load = facts.text("destination.url"), facts.text("destination.load")
    rows: Counter[tuple[str, str, str]] = Counter()
    for one in summary.actions:
        if one.action != "unchanged":
            rows[one.legal_entity, one.task, one.action] += one.rows
    if load in (None, "folder") or url is None or is_loopback(url) or not rows:
        return None
    width = max(len(f"{total:,}") for total in rows.values())
    lines = [
        f"  {total:>{width},}  {entity}  {task}  {action}"
        for (entity, task, action), total in sorted(rows.items())
    ]
    if facts.is_undo:
        head = [
            (
                f"Run {facts.run} will take back {count_of(rows.total(), 'row')} of run "
                f"{facts.undo_of} by odata"
            ),
            f"  in    {url}",
        ]
    else:
        source = facts.text("source.url") or facts.text("source.path") or "files"
        head = [
            f"Run {facts.run} will send {count_of(rows.total(), 'row')} by {load}",
            f"  from  {source}",
            f"  into  {url}",
        ]
    return Question(run=facts.run, text="\n".join([*head, *lines]))


def _ask_write_back(facts: RunFacts, summary: Summary) -> Question | None:
    url, rows = facts.text("source.url"), summary.outcomes["pending"]
    if url is None or is_loopback(url) or not rows:
        return None
    return Question(
        run=facts.run,
        text=f"Run {facts.run} will write {count_of(rows, 'contact')} into Sales\n  at  {url}",
    )
