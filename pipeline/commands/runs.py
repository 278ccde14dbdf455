"""``p2c runs`` as a typed call."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TypedDict

from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.errors import P2cError, UsageError, count_of
from pipeline.run import folder
from pipeline.run.evidence import gather_evidence
from pipeline.run.facts import Kind
from pipeline.run.folder import RunFolder
from pipeline.run.journal import read_journal
from pipeline.run.opened import note_opened_run


def list_runs(common: Flags) -> Result:
    """``runs``, oldest first."""
    items = [_list_run(one) for one in folder.find_runs(common.runs)]
    lines = [
        f"{one['run']}  {one['kind']}  {one['state']}  {one['verdict']}  "
        f"{count_of(one['contacts'], 'contact')}, {count_of(one['planned'], 'planned row')}"
        for one in items
    ]
    return Result(
        command="runs", items=items, text="\n".join(lines) or f"There are no runs in {common.runs}."
    )


class ListedRun(TypedDict):
    """A run as ``p2c runs`` lists it."""

    run: str
    kind: str
    applied: bool
    state: str
    verdict: str
    contacts: int
    planned: int


def _list_run(one: RunFolder) -> ListedRun:
    """One run as a line; one that cannot be read is listed as damaged."""
    try:
        facts = one.read_summary()
        started = any(entry.event == "apply_started" for entry in read_journal(one.journal).entries)
    except P2cError:
        return {
            "run": one.run,
            "kind": "unknown",
            "applied": False,
            "state": "damaged",
            "verdict": "broken",
            "contacts": 0,
            "planned": 0,
        }
    return {
        "run": one.run,
        "kind": facts.kind,
        "applied": facts.applied,
        "state": "applied" if facts.applied else "stopped" if started else "planned",
        "verdict": "stopped" if started and not facts.applied else facts.verdict,
        "contacts": sum(facts.counts.values()),
        "planned": sum(facts.outcomes.values()),
    }


def find_newest_decided(runs: Path, *, but: Collection[Kind] = (Kind.UNDO,)) -> RunFolder:
    """The newest run that decided about contacts; an undo does not.

    ``but`` are kinds that are not wanted.
    """
    found = [one for one in folder.find_runs(runs) if _list_run(one)["kind"] not in but]
    if not found:
        return folder.find_run(runs, folder.LATEST)
    note_opened_run(found[-1].path)
    return found[-1]


def find_load(runs: Path, run: str) -> RunFolder:
    """The run that a name means; of ``latest``, the newest that is no backfill and no undo.

    Raises:
        UsageError: there is none, or it is a backfill or an undo.
    """
    if run == folder.LATEST:
        found = find_newest_decided(runs, but=(Kind.UNDO, Kind.BACKFILL))
    else:
        found = folder.find_run(runs, run)
    kind = gather_evidence(found).kind
    if not kind.is_load:
        what = "an undo" if kind is Kind.UNDO else "a backfill"
        raise UsageError(
            f"this is the run of {what}, and contacts are searched in runs of `p2c plan` and "
            "`p2c retry`. `p2c runs` lists all runs.",
            where=str(found.run),
        )
    return found
