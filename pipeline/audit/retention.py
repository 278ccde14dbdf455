"""``run.keep_values``: whoever makes a run removes personal data from those that are old enough."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from pipeline.audit.purge import (
    PersonalData,
    clear_leftover,
    find_leftovers,
    find_old,
    find_personal_data,
    name_held,
    purge_run,
)
from pipeline.errors import P2cError, Stopped
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.journal import read_journal

_A_DAY: Final = timedelta(days=1)


def obey_retention(runs: Path, clock: Clock, keep: timedelta) -> Iterator[str]:
    """Remove personal data of runs that began, and extractions that stopped, before ``keep``.

    A sentence for each. A run whose load is unfinished, that another process applies, or whose
    journal does not hold is left as it is: what it needs would be gone, or could not be proven.

    Raises:
        Stopped: the disk failed.
    """
    days = keep / _A_DAY
    for folder in find_old(runs, clock, days):
        found = find_personal_data(folder)
        if found is not None:
            yield _purge(found, clock)
    for left in find_leftovers(runs, clock, days):
        clear_leftover(left)
        yield f"Removed {name_held(left)}, which is older than run.keep_values."


def _purge(found: PersonalData, clock: Clock) -> str:
    run = found.folder.run
    try:
        if _is_unfinished(found.folder):
            return (
                f"Run {run} is older than run.keep_values and keeps its personal data, because its "
                f"load is unfinished: `p2c apply {run}` finishes it, `p2c purge {run}` gives it up."
            )
        purge_run(found, clock)
    except Stopped:
        raise
    except P2cError as error:
        return (
            f"Run {run} is older than run.keep_values and keeps its personal data: {error.message} "
            f"`p2c verify {run}` says more."
        )
    return f"Removed personal data of run {run}, which is older than run.keep_values."


def _is_unfinished(folder: RunFolder) -> bool:
    """Whether a load began and has not come to its end."""
    events = {entry.event for entry in read_journal(folder.journal).entries}
    return "apply_started" in events and "applied" not in events
