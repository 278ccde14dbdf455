"""Runs that were begun and have not ended: what they sent is not wholly known yet.

Whoever plans for the same system, or starts to send there, would decide by half of the facts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.errors import PlanRefused, UsageError
from pipeline.run.facts import RunFacts
from pipeline.run.folder import RunFolder, find_runs
from pipeline.run.journal import list_purged, read_journal

STARTED = "apply_started"
"""The journal's line before anything is sent."""


def find_unfinished_loads(runs: Path, destination: str) -> list[RunFolder]:
    """Loads into SCM that were begun under the name of a destination, or their undoing.

    Oldest first. A load into a folder sends nothing, so it is none of them.

    Raises:
        InvariantBroken: a journal was altered, so nobody knows whether its load has ended.
    """
    return _find(runs, lambda facts: _name_destination(facts) == destination)


def find_unfinished_write_backs(runs: Path, sales: str) -> list[RunFolder]:
    """Backfills of the Sales at this address that were begun, or their undoing; oldest first.

    Raises:
        InvariantBroken: a journal was altered.
    """
    return _find(runs, lambda facts: _name_sales(facts) == sales.rstrip("/").lower())


def refuse_unfinished_load(runs: Path, destination: str, *, but: str = "") -> None:
    """Refuse to go on while a load into a destination has not ended.

    ``but`` is the run that asks.

    Raises:
        PlanRefused: there is such a load; the sentence names it.
        InvariantBroken: a journal was altered.
    """
    _refuse(find_unfinished_loads(runs, destination), "load", f"destination {destination}", but)


def refuse_unfinished_write_back(runs: Path, sales: str) -> None:
    """Refuse to go on while a backfill of the Sales at this address has not ended.

    Raises as ``refuse_unfinished_load`` does.
    """
    _refuse(find_unfinished_write_backs(runs, sales), "backfill", sales, "")


def refuse_beside_unfinished(folder: RunFolder, facts: RunFacts) -> None:
    """Refuse to start a run while another one into the same system has not ended.

    Raises as ``refuse_unfinished_load`` does.
    """
    runs, destination, sales = folder.path.parent, _name_destination(facts), _name_sales(facts)
    if destination is not None:
        refuse_unfinished_load(runs, destination, but=folder.run)
    if sales is not None:
        _refuse(find_unfinished_write_backs(runs, sales), "backfill", sales, folder.run)


def _refuse(found: list[RunFolder], what: str, where: str, but: str) -> None:
    others = [one for one in found if one.run != but]
    if not others:
        return
    first = others[0]
    runs = first.path.parent
    flag = "" if runs == Path("runs") else f" --runs {runs}"
    if list_purged(read_journal(first.journal).entries)[0]:
        raise PlanRefused(
            f"the {what} {first.run} was purged before it ended, so nothing can finish it. Move "
            "its folder elsewhere; then run the same command again.",
            where=where,
        )
    raise PlanRefused(
        f"the {what} {first.run} was begun and has not ended, so nobody knows yet what arrived. "
        f"`p2c apply {first.run}{flag}` finishes it; then run the same command again. If it is "
        "never to be finished, move its folder elsewhere.",
        where=where,
    )


def _name_destination(facts: RunFacts) -> str | None:
    """The destination that a run loads into; null if it sends nothing to SCM."""
    sends = not facts.fills_sales and facts.destination.load != "folder"
    return facts.destination.name if sends else None


def _name_sales(facts: RunFacts) -> str | None:
    """The address of the Sales that a run writes into; null if it writes into none."""
    url = facts.text("source.url") if facts.is_write_back else None
    return None if url is None else url.rstrip("/").lower()


def _find(runs: Path, is_there: Callable[[RunFacts], bool]) -> list[RunFolder]:
    return [one for one in find_runs(runs) if _is_unfinished(one, is_there)]


def _is_unfinished(one: RunFolder, is_there: Callable[[RunFacts], bool]) -> bool:
    """Whether a run goes there, was begun and has not ended; a folder without facts is no run."""
    try:
        if not is_there(one.facts()) or one.read_summary().applied:
            return False
    except UsageError:
        return False
    return one.journal.is_file() and any(
        entry.event == STARTED for entry in read_journal(one.journal).entries
    )
