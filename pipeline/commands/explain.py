"""``p2c explain`` as a typed call."""

from __future__ import annotations

from pipeline.audit import explain
from pipeline.backfill import explain as backfill_explain
from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.commands.runs import find_newest_decided
from pipeline.errors import UsageError
from pipeline.project.resolve import project_of_run
from pipeline.run import folder
from pipeline.run.facts import Kind


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
    earlier = [one for one in folder.find_runs(common.runs) if one.run < found.run]
    stories = explain.tell_stories(found, project, contact, earlier)
    items = [one.as_item() for one in stories]
    text = "\n\n".join(explain.render_story(one, found.path) for one in stories)
    return Result(
        command="explain", run=str(found.run), items=items, text=text, folder=str(found.path)
    )
