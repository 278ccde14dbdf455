"""The journal line that a summary ends with: first it is on disk, then the summary is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from pipeline.errors import InvariantBroken
from pipeline.run.files import hash_file
from pipeline.run.findings import list_accepted_hashes
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.journal import PURGE_STARTED, Journal, read_journal
from pipeline.run.summary import Summary

CONFIRM_STARTED: Final = "confirm_started"
"""The journal's line before a finished run is changed; ``confirmed`` follows."""


def write_plan(
    folder: RunFolder,
    summary: Summary,
    files: Iterable[Path],
    clock: Clock,
    *,
    known: Mapping[Path, str] | None = None,
) -> None:
    """End the making of a plan: the line that vouches for its files, and ``summary.json``.

    A digest of the summary is in that line, too.

    Args:
        folder: the run.
        summary: its facts.
        files: those that the plan is.
        clock: the time.
        known: hashes that were taken while files were written.
    """
    hashes = {
        path.relative_to(folder.path).as_posix(): (known or {}).get(path) or hash_file(path)
        for path in files
    }
    with Journal.open(folder.journal, clock) as journal:
        payload: dict[str, JsonValue] = {"summary": summary.digest()}
        if summary.undo_of is not None:
            payload["undo_of"] = summary.undo_of
        else:
            payload["balanced"] = summary.balanced
        if summary.accepted.contacts:
            payload["accepted"] = dict(summary.accepted.reasons)
        line = journal.append("planned", run=summary.run, files=hashes, **payload)
        if summary.retry_of is not None:
            line = journal.append("retry_of", run=summary.retry_of, summary=summary.digest())
    folder.write_summary(summary.ending_with(line))


def refuse_unlike_planned(folder: RunFolder, paths: Iterable[Path]) -> None:
    """Refuse tables of a plan that are not as its journal says; one that was purged is let be.

    For whoever decides something by them, and need not look at the whole run.

    Raises:
        InvariantBroken: a table, or the journal, was altered.
    """
    entries = read_journal(folder.journal).entries
    if any(one.event == PURGE_STARTED for one in entries):
        return
    files = (one.payload["files"] for one in entries if one.event == "planned")
    planned: Mapping[str, str] = next(files, {})
    added = list_accepted_hashes(entries)
    for path in paths:
        if not path.is_file() or hash_file(path) not in {planned.get(path.name), *added}:
            raise InvariantBroken(
                f"{path.name} is not as the plan wrote it; the run folder was altered. `p2c verify "
                f"{folder.run}` lists what.",
                where=folder.run,
            )


def vouch_applied(
    folder: RunFolder,
    journal: Journal,
    summary: Summary,
    outcomes: Mapping[str, int],
    files: Mapping[str, str],
) -> Summary:
    """End an apply: rows by outcome, and the hashes of the tables that it wrote.

    Raises:
        InvariantBroken: an equation does not balance.
    """
    written = vouch(
        folder,
        journal,
        "applied",
        summary,
        outcomes=dict(outcomes),
        balanced=summary.balanced,
        files=dict(files),
    )
    if not written.balanced:
        raise InvariantBroken("the equations do not balance after applying.", where=folder.run)
    return written


def vouch(
    folder: RunFolder, journal: Journal, event: str, summary: Summary, **payload: object
) -> Summary:
    """Write the line that vouches for a summary, then the summary itself; as it was written."""
    line = journal.append(event, **payload, summary=summary.digest())
    written = summary.ending_with(line)
    folder.write_summary(written)
    return written
