"""The job details of an import (reference C.2): its state and its counts, by entity.

They tell how an import ended where a clean-up of SCM has deleted the record of its execution. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.wire.scm import ScmRow

ENDED: Final = frozenset({"Succeeded", "PartiallySucceeded", "Failed", "Canceled"})
"""Summary states after which nothing happens any more. ``Unknown``, ``NotRun`` and ``Executing``
are not among them."""

UNKNOWN: Final = "Unknown"
_STATES: Final = {one.lower(): one for one in (*ENDED, "Executing", "NotRun", UNKNOWN)}
_FAILED: Final = frozenset({"error", "canceled", "notrun"})
_OVER: Final = _FAILED | {"finished"}
"""States of a step after which nothing happens in it."""
_WORD: Final = re.compile(r"(?:[\w.]{1,200}')?(\w{1,40})'?")


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportCounts:
    """What the records of a job count; all of them are rows."""

    read: int
    staged: int
    created: int
    updated: int

    @property
    def arrived(self) -> int:
        """Rows that are in SCM now."""
        return self.created + self.updated


def read_word(value: object) -> str | None:
    """The symbol of an enum, with or without its type; null if the value is none."""
    match = _WORD.fullmatch(value) if isinstance(value, str) else None
    return None if match is None else match[1]


def read_state(value: object) -> str | None:
    """A summary status as it is spelled here; null if the value is none.

    A word that nobody knows says no more than ``Unknown``: the details then decide.
    """
    word = read_word(value)
    return None if word is None else _STATES.get(word.lower(), UNKNOWN)


def add_up_counts(details: Sequence[ScmRow]) -> ImportCounts | None:
    """What a job counts in all; null if there are no details.

    Raises ``ValueError`` if a count is no number.
    """
    if not details:
        return None
    return ImportCounts(
        read=_add_up(details, "StagingRecordsToBeProcessedCount"),
        staged=_add_up(details, "StagingRecordsCreatedCount"),
        created=_add_up(details, "TargetRecordsCreatedCount"),
        updated=_add_up(details, "TargetRecordsUpdatedCount"),
    )


def _add_up(details: Sequence[ScmRow], name: str) -> int:
    return sum(int(str(row.get(name) or 0)[:20]) for row in details)


def sum_up_state(details: Sequence[ScmRow]) -> str | None:
    """The summary status that the details of a job stand for; null if there are none.

    As long as a step of an entity is under way, it is ``Executing``. A job that counts every row
    as arrived has ended, whatever its states say.

    Raises ``ValueError`` if a count is no number.
    """
    counts = add_up_counts(details)
    if counts is None:
        return None
    is_whole = 0 < counts.read <= counts.arrived
    if is_whole:
        return "Succeeded"
    steps = [_read_steps(row) for row in details]
    if not all(_is_over(*one) for one in steps):
        return "Executing"
    words = {word for one in steps for word in one}
    if "canceled" in words:
        return "Canceled"
    if words & _FAILED or counts.read:
        return "PartiallySucceeded" if counts.arrived else "Failed"
    return "Succeeded"


def _read_steps(row: ScmRow) -> tuple[str, str]:
    """The states of staging and target, in lower case; blank if SCM does not say."""
    staging, target = (
        (read_word(row.get(name)) or "").lower() for name in ("StagingStatus", "TargetStatus")
    )
    return staging, target


def _is_over(staging: str, target: str) -> bool:
    """Whether an entity is done with; its target does not begin if its staging failed."""
    return target in _OVER or (staging in _FAILED and target in {"", "notstarted"})
