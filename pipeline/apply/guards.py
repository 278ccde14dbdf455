"""What must hold before a plan is applied: its files, its age, its fingerprints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from pipeline.apply.reach import Today
from pipeline.errors import (
    AccessDenied,
    InvariantBroken,
    LoginFailed,
    PlanRefused,
    SystemStopped,
    list_problems,
)
from pipeline.plan import fingerprint
from pipeline.project.resolve import Project, project_of_run
from pipeline.run import findings
from pipeline.run.facts import RunFacts
from pipeline.run.files import hash_file
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.journal import Entry, JournalRead, find_unfinished, list_purged, read_journal
from pipeline.run.rows import find_altered_batches
from pipeline.run.summary import Summary
from pipeline.run.unfinished import refuse_beside_unfinished

_DRIFT: Final = timedelta(minutes=5)
"""How far two clocks may differ."""

_UNSENT: Final = frozenset({"not_sent", "busy", "too_large"})
"""Results of attempts that had no effect."""


def has_event(entries: Sequence[Entry], event: str) -> bool:
    """Whether a journal has a line of an event."""
    return any(entry.event == event for entry in entries)


def refuse_altered(folder: RunFolder, found: JournalRead, *, started: bool) -> None:
    """The plan's files are as the journal says, and it holds the line that the summary knows.

    Raises:
        InvariantBroken: they are not, or it does not.
    """
    files = next(
        (entry.payload["files"] for entry in found.entries if entry.event == "planned"), None
    )
    facts = folder.facts()
    wrong = [] if files else ["the journal does not record the plan."]
    if facts.run != folder.run:
        wrong.append(f"the folder of run {facts.run} was renamed.")
    if folder.read_summary().journal not in {entry.hash for entry in found.entries}:
        wrong.append("the journal lost the line that summary.json ends with.")
    removed, blanked = list_purged(found.entries)
    accepted = {*findings.list_accepted_hashes(found.entries), *blanked}
    for name, sha256 in (files or {}).items():
        path = folder.path / name
        if not path.is_file():
            if name not in removed:
                wrong.append(f"{name} is missing.")
        elif hash_file(path) not in {sha256, *accepted}:
            wrong.append(f"{name} was altered after the plan was made.")
    is_whole = not any(name.startswith("rows/") for name in removed)
    if not wrong and is_whole and not facts.is_write_back:
        batches = find_altered_batches(folder)
        wrong += [batches] if batches else []
    if wrong:
        advice = (
            "A part of this plan was applied before; look at the journal."
            if started
            else "Nothing was sent. Plan again."
        )
        raise InvariantBroken(f"{list_problems(wrong)} {advice}", where=folder.run)


def refuse_purged(folder: RunFolder, found: JournalRead, *, started: bool) -> None:
    """Refuse a run whose rows a purge removed before all of them were sent.

    Raises:
        PlanRefused: there was such a purge.
    """
    if not list_purged(found.entries)[0]:
        return
    sentence = (
        "was purged before its load ended, so nothing can continue it. Move its folder elsewhere "
        "and plan again; `p2c plan` says which records SCM has."
        if started
        else "was purged, and nothing is left to send. Plan again."
    )
    raise PlanRefused(sentence, where=folder.run)


def refuse_start(
    folder: RunFolder, facts: RunFacts, before: Summary, today: Today, clock: Clock
) -> None:
    """What must hold before a plan is applied for the first time.

    Raises:
        PlanRefused: what it was made of changed, it is too old, p2c can take nothing back, or
            another run into the same system has not ended.
    """
    refuse_beside_unfinished(folder, facts)
    if not facts.is_undo:
        _refuse_changed(folder, facts, today())
        _refuse_old(facts, clock)
    elif not before.outcomes["pending"]:
        raise PlanRefused(
            "there is nothing that p2c can take back. `p2c report` says why.", where=facts.run
        )


def _refuse_changed(folder: RunFolder, facts: RunFacts, today: Project) -> None:
    """What decided the plan is as it was when the plan was made."""
    if fingerprint.is_of_another_version(facts, today):
        raise PlanRefused(
            "the plan was made by another version of p2c, which wrote down other things that "
            "decide it. Plan again.",
            where=facts.run,
        )
    changed = fingerprint.list_changes(folder, facts, today)
    if changed:
        raise PlanRefused(
            f"changed since the plan was made: {'; '.join(changed)}. Plan again.",
            where=facts.run,
        )


def _refuse_old(facts: RunFacts, clock: Clock) -> None:
    """Age counts for live sources only: files do not change unseen.

    It counts from when the first rows were read.
    """
    if not facts.live_source:
        return
    settings = project_of_run(facts).settings.run
    read_at = min(facts.started_at, facts.sales.read_since or facts.started_at)
    age = clock() - read_at
    if age > settings.plan_age:
        raise PlanRefused(
            f"the plan is older than run.max_plan_age ({settings.max_plan_age}): its rows were "
            f"read from {read_at:%Y-%m-%d %H:%M} UTC on. Plan again.",
            where=facts.run,
        )
    if age < -_DRIFT:
        raise PlanRefused(
            f"the plan was made at {read_at:%Y-%m-%d %H:%M} UTC, which is still to come by the "
            "clock of this machine, so nobody knows how old it is. Set the clock right, or plan "
            "again.",
            where=facts.run,
        )


@contextmanager
def keep_promise(folder: RunFolder, lines: int) -> Iterator[None]:
    """Let a refused login say that this start had sent something before it.

    Exit 2 promises that nothing was sent. ``lines`` is how long the journal was before.
    """
    try:
        yield
    except (LoginFailed, AccessDenied) as error:
        if not _has_sent(read_journal(folder.journal).entries[lines:]):
            raise
        raise SystemStopped(
            f"{error.message} A part of the rows was sent before. Then run the same command again "
            "to continue.",
            where=error.where,
            refusal=error.refusal,
        ) from error


def _has_sent(entries: Sequence[Entry]) -> bool:
    """Whether lines of a journal speak of something that was sent, or may have been."""
    results = [one.payload.get("result") for one in entries if one.event == "done"]
    return bool(find_unfinished(entries)) or any(one not in _UNSENT for one in results)
