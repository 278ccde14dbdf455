"""A backfill's plan, or the undo of one, carried out live as part of ``p2c apply``: written back, counted, vouched for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pipeline import summary
from pipeline.backfill.counter import Wanted
from pipeline.backfill.live import WriteBack, WrittenBack, write_back
from pipeline.errors import InvariantBroken
from pipeline.events import Listener
from pipeline.folder import RunFolder, facts_digest, read_json, write_json
from pipeline.journal import Journal
from pipeline.wire.salesrows import SalesRows

BACKFILL: Final = "backfill"
"""The table of ``run.json`` with what a reservation needs: count, highest, prefix, suffix_length."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """How rows are written. ``batch_rows``: rows of a request, at most 1,000.

    ``bypass``: ``plugins`` and ``logic`` skip custom code in Sales; each needs its privilege. ``suppress_duplicates`` skips
    duplicate detection.
    """

    bulk: Literal["batch", "UpdateMultiple"] = "batch"
    batch_rows: int = 100
    bypass: Literal["none", "plugins", "logic"] = "none"
    suppress_duplicates: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """What every write carries besides (reference A.12)."""
        found: dict[str, str] = {}
        if self.bypass == "plugins":
            found["MSCRM.BypassCustomPluginExecution"] = "true"
        if self.bypass == "logic":
            found["MSCRM.BypassBusinessLogicExecution"] = "CustomSync,CustomAsync"
        if self.suppress_duplicates:
            found["MSCRM.SuppressDuplicateDetection"] = "true"
        return found


def wanted_of(facts: Mapping[str, Any]) -> Wanted:
    """What is to be reserved, from ``run.json``; nothing for an undo."""
    told = facts.get(BACKFILL, {})
    return Wanted(
        count=int(told.get("count", 0)),
        highest=int(told.get("highest") or 0),
        prefix=str(told.get("prefix", "")),
        suffix_length=int(told.get("suffix_length", 0)),
    )


def applied(folder: RunFolder, sales: SalesRows, manner: Manner, journal: Journal, listener: Listener) -> dict[str, Any]:
    """Carry out a plan; the facts after it. The caller holds the lock, has checked the plan and said that it starts.

    Raises:
        PlanRefused: numbers cannot be reserved as planned; nothing was written.
        Stopped: Sales or the disk failed; the same command goes on.
        InvariantBroken: an equation does not balance.
    """
    written = write_back(
        WriteBack(
            folder=folder,
            journal=journal,
            sales=SalesRows(system=sales.system, options=manner.headers),
            wanted=wanted_of(folder.facts()),
            size=manner.batch_rows,
            in_bulk=manner.bulk == "UpdateMultiple",
            listener=listener,
        )
    )
    result = _counted(read_json(folder.summary), written, sales)
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


def _counted(before: dict[str, Any], written: WrittenBack, sales: SalesRows) -> dict[str, Any]:
    """The facts with outcomes, run findings and traffic: the last is of this start alone."""
    facts = summary.after_apply(before, written.outcomes)
    codes = Counter(code for code, _ in written.findings)
    told = [{"code": code, "detail": detail, "column": ""} for code, detail in written.findings]
    traffic = sales.system.meter.total()
    return {
        **facts,
        "findings": {**facts["findings"], **codes},
        "counted": [*facts.get("counted", []), *told],
        "traffic": {"requests": traffic.requests, "retries": traffic.retries, "throttled": traffic.throttled},
    }
