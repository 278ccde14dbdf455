"""A backfill's plan, or the undo of one, carried out live as part of ``p2c apply``.

Written back, counted, vouched for.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.backfill.counter import Wanted
from pipeline.backfill.write_back import WriteBack, WrittenBack, write_back
from pipeline.errors import InvariantBroken
from pipeline.events import Listener
from pipeline.project.open_run import OpenRun
from pipeline.project.settings import BackfillSettings
from pipeline.run import findings
from pipeline.run.facts import Numbers, RunFacts
from pipeline.run.summary import CountedFinding, Summary, after_apply
from pipeline.run.vouching import vouch
from pipeline.wire.salesrows import SalesRows
from pipeline.wire.system import System


def headers_of(manner: BackfillSettings) -> dict[str, str]:
    """What every write carries besides (reference A.12): nothing, unless the project says so."""
    found: dict[str, str] = {}
    if manner.bypass == "plugins":
        found["MSCRM.BypassCustomPluginExecution"] = "true"
    if manner.bypass == "logic":
        found["MSCRM.BypassBusinessLogicExecution"] = "CustomSync,CustomAsync"
    if manner.duplicate_detection == "suppress":
        found["MSCRM.SuppressDuplicateDetection"] = "true"
    return found


def wanted_of(facts: RunFacts) -> Wanted:
    """What is to be reserved, from ``run.json``; nothing for an undo."""
    told = facts.backfill or Numbers()
    return Wanted(
        count=told.count,
        highest=told.highest,
        prefix=told.prefix,
        suffix_length=told.suffix_length,
    )


def applied(run: OpenRun, system: System, listener: Listener) -> Summary:
    """Carry out a plan; the facts after it.

    The caller holds the lock, has checked the plan and said that it starts.

    Raises:
        PlanRefused: numbers cannot be reserved as planned; nothing was written.
        Stopped: Sales or the disk failed; the same command goes on.
        InvariantBroken: an equation does not balance.
    """
    manner = run.project.settings.backfill
    written = write_back(
        WriteBack(
            folder=run.folder,
            journal=run.journal,
            sales=SalesRows(system=system, options=headers_of(manner)),
            wanted=wanted_of(run.facts),
            size=manner.request_rows,
            in_bulk=manner.bulk == "UpdateMultiple",
            listener=listener,
        )
    )
    added = findings.add(run.folder, run.journal, written.findings)
    counted = _counted(run.summary, written, added, system)
    result = vouch(
        run.folder,
        run.journal,
        "applied",
        counted,
        outcomes=dict(written.outcomes),
        balanced=counted.balanced,
        files=dict(written.files),
    )
    if not result.balanced:
        raise InvariantBroken("the equations do not balance after applying.", where=run.folder.run)
    return result


def _counted(
    before: Summary, written: WrittenBack, added: Mapping[str, int], system: System
) -> Summary:
    """The facts with outcomes, run findings and traffic: the last is of this start alone."""
    after = after_apply(before, written.outcomes)
    told = [CountedFinding(code=code, detail=detail) for code, detail in written.findings]
    traffic = system.meter.total()
    return after.replace(
        findings={**after.findings, **added},
        counted=(*after.counted, *told),
        traffic={
            "requests": traffic.requests,
            "retries": traffic.retries,
            "throttled": traffic.throttled,
        },
    )
