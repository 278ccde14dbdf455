"""What must hold before a plan is applied: its files, its age, its fingerprints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pipeline.errors import InvariantBroken, PlanRefused, listed
from pipeline.plan import fingerprint
from pipeline.project.resolve import Project, project_of
from pipeline.run import findings
from pipeline.run.files import read_json, sha256_of
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.journal import Entry, JournalRead


def _has(entries: Sequence[Entry], event: str) -> bool:
    return any(entry.event == event for entry in entries)


def _refuse_altered(folder: RunFolder, found: JournalRead, *, started: bool) -> None:
    """The plan's files are as the journal says, and it holds the line that the summary knows."""
    files = next(
        (entry.payload["files"] for entry in found.entries if entry.event == "planned"), None
    )
    wrong = [] if files else ["the journal does not say what the plan was."]
    if read_json(folder.summary).get("journal") not in {entry.hash for entry in found.entries}:
        wrong.append("the journal lost the line that summary.json ends with.")
    for name, sha256 in (files or {}).items():
        path = folder.path / name
        if not path.is_file():
            wrong.append(f"{name} is missing.")
        elif sha256_of(path) not in {sha256, *findings.accepted(found.entries)}:
            wrong.append(f"{name} was altered after the plan was made.")
    if wrong and started:
        raise InvariantBroken(
            f"{listed(wrong)} A part of this plan was applied before; look at the journal.",
            where=folder.run,
        )
    if wrong:
        raise PlanRefused(f"{listed(wrong)} Plan again.", where=folder.run)


def _refuse_changed(folder: RunFolder, facts: dict[str, Any], today: Project) -> None:
    """What decided the plan is as it was when the plan was made."""
    if fingerprint.is_of_another_version(facts, today):
        raise PlanRefused(
            "the plan was made by another version of p2c, which wrote down other things that "
            "decide it. Plan again.",
            where=facts["run"],
        )
    changed = fingerprint.changes(folder, facts, today)
    if changed:
        raise PlanRefused(
            f"changed since the plan was made: {'; '.join(changed)}. Plan again.",
            where=facts["run"],
        )


def _refuse_old(facts: dict[str, Any], clock: Clock) -> None:
    """Age counts for live sources only: files do not change unseen."""
    settings = project_of(facts).settings.run
    if (
        facts["live_source"]
        and clock() - datetime.fromisoformat(facts["started_at"]) > settings.plan_age
    ):
        raise PlanRefused(
            f"the plan is older than run.max_plan_age ({settings.max_plan_age}). Plan again.",
            where=facts["run"],
        )
