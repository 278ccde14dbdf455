"""A backfill's plan, or the undo of one, carried out live as part of ``p2c apply``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pipeline.backfill.counter import Wanted
from pipeline.backfill.order import make_order
from pipeline.backfill.write_back import WrittenBack, write_back
from pipeline.errors import InvariantBroken
from pipeline.events import Listener
from pipeline.project.settings import BackfillSettings
from pipeline.run import findings
from pipeline.run.facts import after_apply, facts_digest
from pipeline.run.files import read_json, write_json
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal
from pipeline.wire.system import System

BACKFILL: Final = "backfill"
"""The table of ``run.json`` with what a reservation needs: count, highest, prefix, suffix_length.
"""


def wanted_of(facts: Mapping[str, Any]) -> Wanted:
    """What is to be reserved, from ``run.json``; nothing for an undo."""
    told = facts.get(BACKFILL, {})
    return Wanted(
        count=int(told.get("count", 0)),
        highest=int(told.get("highest") or 0),
        prefix=str(told.get("prefix", "")),
        suffix_length=int(told.get("suffix_length", 0)),
    )


def applied(
    folder: RunFolder,
    system: System,
    manner: BackfillSettings,
    journal: Journal,
    listener: Listener,
) -> dict[str, Any]:
    """Carry out a plan; the facts after it.

    The caller holds the lock, has checked the plan and has written that applying starts.

    Raises:
        PlanRefused: numbers cannot be reserved as planned; nothing was written.
        Stopped: Sales or the disk failed; the same command continues.
        InvariantBroken: an equation does not balance.
    """
    wanted = wanted_of(folder.facts())
    written = write_back(make_order(folder, system, manner, wanted, journal, listener))
    added = findings.add(folder, journal, written.findings)
    result = _counted(read_json(folder.summary), written, added, system)
    result["journal"] = journal.append(
        "applied",
        outcomes=dict(written.outcomes),
        balanced=result["balanced"],
        files=dict(written.files),
        summary=facts_digest(result),
    )
    write_json(folder.summary, result)
    if not result["balanced"]:
        raise InvariantBroken("the equations do not balance after applying.", where=folder.run)
    return result


def _counted(
    before: dict[str, Any], written: WrittenBack, added: Mapping[str, int], system: System
) -> dict[str, Any]:
    """The facts with outcomes, run findings, and the traffic of this start alone."""
    facts = after_apply(before, written.outcomes)
    told = [{"code": code, "detail": detail, "column": ""} for code, detail in written.findings]
    traffic = system.meter.total()
    return {
        **facts,
        "findings": {**facts["findings"], **added},
        "counted": [*facts.get("counted", []), *told],
        "traffic": {
            "requests": traffic.requests,
            "retries": traffic.retries,
            "throttled": traffic.throttled,
        },
    }
