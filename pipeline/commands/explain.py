"""``p2c explain`` as a typed call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.audit import explain
from pipeline.audit.search import FoundContact, Wanted, open_search
from pipeline.backfill import explain as backfill_explain
from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.commands.runs import find_load, find_newest_decided
from pipeline.errors import UsageError
from pipeline.project.resolve import project_of_run
from pipeline.run import folder
from pipeline.run.evidence import gather_evidence
from pipeline.run.facts import Kind
from pipeline.run.folder import RunFolder
from pipeline.show.visible import make_visible

_LISTED: Final = 200
"""Contacts that ``--find`` lists."""


def explain_contact(common: Flags, contact: str, run: str) -> Result:
    """``explain``."""
    found = (
        find_newest_decided(common.runs)
        if run == folder.LATEST
        else folder.find_run(common.runs, run)
    )
    facts = found.facts()
    if facts.is_undo:
        raise UsageError(
            f"an undo makes no decisions: explain the contact in {facts.undo_of}.",
            where=str(found.run),
        )
    if facts.kind is Kind.BACKFILL:
        rows = backfill_explain.find_stories(found, contact)
        text = "\n\n".join(backfill_explain.render_backfill_story(row) for row in rows)
        return Result(
            command="explain", run=str(found.run), items=rows, text=text, folder=str(found.path)
        )
    project = project_of_run(facts)
    stories = explain.tell_stories(
        found, project, contact, folder.find_runs_before(common.runs, found)
    )
    return _tell(found, stories)


def find_contacts(common: Flags, words: str, run: str) -> Result:
    """``explain --find``: the contacts with a text in name or mail; the story if it is one."""
    if not words.strip():
        raise UsageError("--find needs a text: a part of a name or of a mail address.")
    found = find_load(common.runs, run)
    evidence = gather_evidence(found)
    with open_search(evidence) as search:
        if not search.has_people:
            raise UsageError(
                f"{evidence.troubles[-1].sentence} Name the contact by its number or contactid.",
                where=str(found.run),
            )
        contacts, rows = search.find(Wanted(person=words), 0, _LISTED)
    if not contacts:
        raise UsageError(f"no contact of this run has that text in name or mail ({found.run}).")
    if rows == 1:
        one = contacts[0]
        story = explain.tell_story_of_row(
            found,
            project_of_run(found.facts()),
            one.source_file,
            one.source_line,
            folder.find_runs_before(common.runs, found),
        )
        return _tell(found, [] if story is None else [story])
    return Result(
        command="explain",
        run=str(found.run),
        items=[one._asdict() for one in contacts],
        text=_render_contacts(contacts, rows, found),
        folder=str(found.path),
    )


def _tell(found: RunFolder, stories: Sequence[explain.Story]) -> Result:
    return Result(
        command="explain",
        run=str(found.run),
        items=[one.as_item() for one in stories],
        text="\n\n".join(explain.render_story(one, found.path) for one in stories),
        folder=str(found.path),
    )


def _render_contacts(contacts: Sequence[FoundContact], rows: int, run: RunFolder) -> str:
    lines = [f"{rows:,} contacts of run {run.run} have this text in name or mail:"]
    for one in contacts:
        known = [one.contact_number or "no number", one.name, one.mail]
        decision = f"{one.decision}/{one.reason}"
        until = f"accepted until {one.accepted_until.isoformat()}" if one.accepted_until else None
        ending = [decision, one.outcome, until, f"{one.contactid or 'no id'}"]
        lines.append(f"  {'  '.join(make_visible(text) for text in [*known, *ending] if text)}")
    if rows > len(contacts):
        lines.append(f"  The first {len(contacts):,} are listed. Give more of the name or mail.")
    lines.append(f"More of one: p2c explain CONTACTID --run {run.run}")
    return "\n".join(lines)
