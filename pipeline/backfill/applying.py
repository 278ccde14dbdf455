"""A backfill's plan, or the undo of one, carried out live as part of ``p2c apply``."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.backfill.counter import Reservation
from pipeline.backfill.order import make_order
from pipeline.backfill.write_back import WriteBackResult, write_back
from pipeline.events import Listener
from pipeline.project.open_run import OpenRun
from pipeline.run import findings
from pipeline.run.facts import Numbers, RunFacts
from pipeline.run.summary import CountedFinding, Summary, summarize_apply
from pipeline.run.vouching import vouch_applied
from pipeline.wire.system import System


def read_reservation(facts: RunFacts) -> Reservation:
    """What is to be reserved, from ``run.json``; nothing for an undo."""
    numbers = facts.backfill or Numbers()
    return Reservation(
        count=numbers.count,
        highest=numbers.highest,
        prefix=numbers.prefix,
        suffix_length=numbers.suffix_length,
    )


def apply_backfill(run: OpenRun, system: System, listener: Listener) -> Summary:
    """Carry out a plan; the facts after it.

    The caller holds the lock, has checked the plan and has written that applying starts.

    Raises:
        PlanRefused: numbers cannot be reserved as planned; nothing was written.
        Stopped: Sales or the disk failed; the same command continues.
        InvariantBroken: an equation does not balance.
    """
    manner = run.project.settings.backfill
    wanted = read_reservation(run.facts)
    written = write_back(make_order(run.folder, system, manner, wanted, run.journal, listener))
    added = findings.add_findings(run.folder, run.journal, written.findings)
    counted = _count(run.summary, written, added, system)
    return vouch_applied(run.folder, run.journal, counted, written.outcomes, written.files)


def _count(
    before: Summary, written: WriteBackResult, added: Mapping[str, int], system: System
) -> Summary:
    """The facts with outcomes, run findings, and the traffic of this start alone."""
    after = summarize_apply(before, written.outcomes)
    more = [CountedFinding(code=code, detail=detail) for code, detail in written.findings]
    traffic = system.meter.total()
    return after.replace(
        findings={**after.findings, **added},
        counted=(*after.counted, *more),
        traffic={
            "requests": traffic.requests,
            "retries": traffic.retries,
            "throttled": traffic.throttled,
        },
    )
