"""Executing a plan: from its own files; it can be stopped anywhere and started again."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from pipeline.apply.consent import Ask, agree_silently, build_question
from pipeline.apply.delivery import deliver_plan
from pipeline.apply.guards import (
    has_event,
    keep_promise,
    refuse_altered,
    refuse_purged,
    refuse_start,
)
from pipeline.apply.reach import Today, reach_today
from pipeline.apply.writeback import apply_write_back
from pipeline.events import Listener
from pipeline.project.open_run import OpenRun, open_run
from pipeline.run.files import locked
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.journal import read_journal
from pipeline.run.summary import Summary, summarize_apply
from pipeline.run.vouching import vouch_applied

_STARTING: Final = ".starting.lock"
"""Next to the runs: held by whoever starts one."""
_LONGEST: Final = 60.0
"""Seconds that others are waited for meanwhile; they need a few at the most."""
_BUSY: Final = "another process is starting a run of this folder; run the same command again."


def apply_plan(
    folder: RunFolder,
    today: Today,
    clock: Clock,
    listener: Listener,
    ask: Ask = agree_silently,
) -> Summary:
    """Apply a plan. One that was applied to the end is only looked at again.

    Args:
        folder: the run.
        today: the project as it is now; asked only before the first start, for a started apply may
            always be finished.
        clock: the time.
        listener: hears of progress.
        ask: asked before anything is sent to systems that are not on this machine; raises where
            nobody agrees.

    Returns:
        The facts after it.

    Raises:
        PlanRefused: the plan is too old, or what it was made of changed since; nothing was sent.
        InvariantBroken: the plan or its journal was altered, or an equation does not balance.
        Stopped: another process applies this run, or a system or the disk failed; run the same
            command again to continue.
    """
    facts = folder.facts()
    with locked(folder.path, "another process is applying this run."):
        found = read_journal(folder.journal)
        started = has_event(found.entries, "apply_started")
        refuse_altered(folder, found, started=started)
        before = folder.read_summary()
        if before.applied and has_event(found.entries, "applied"):
            return before
        refuse_purged(folder, found, started=started)
        asked = build_question(facts, before)
        if asked is not None:
            if not started:
                refuse_start(folder, facts, before, today, clock)
            ask(asked)
        with open_run(folder, clock) as run, keep_promise(folder, len(found.entries)):
            if started:
                run.journal.append("apply_resumed", run=facts.run)
            else:
                _start(run, before, today, clock)
            return _apply(run, lambda: reach_today(facts, today, started=started), clock, listener)


def _start(run: OpenRun, before: Summary, today: Today, clock: Clock) -> None:
    """Write down that the run starts, if it may.

    One run at a time: of two that look at the same moment, one would not see that the other starts.
    """
    runs = run.folder.path.parent
    with locked(runs, _BUSY, name=_STARTING, wait=_LONGEST):
        try:
            refuse_start(run.folder, run.facts, before, today, clock)
            run.journal.append("apply_started", run=run.facts.run)
        finally:
            with suppress(OSError):  # Those who wait make another one.
                (runs / _STARTING).unlink()


def _apply(run: OpenRun, reach: Today, clock: Clock, listener: Listener) -> Summary:
    if run.facts.is_write_back:
        return apply_write_back(run, listener)
    done = deliver_plan(run, reach, clock, listener)
    counted = summarize_apply(run.summary, done.outcomes, done.findings)
    summary = counted.replace(throttling=dict(done.throttling))
    return vouch_applied(run.folder, run.journal, summary, done.outcomes, done.files)
