"""Imports watched to their end: what SCM shows of every attempt at one package.

An attempt that SCM has shown once is never given up for another one. Its record may be deleted
while it runs or afterwards; then the job details say how it ended, and without them the rows do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.errors import Stopped
from pipeline.load.packages.dmf import ImportJob, PackageClient
from pipeline.load.packages.jobdetails import ENDED
from pipeline.load.packages.limits import ImportLimits
from pipeline.run.ledger import Ledger, Unit
from pipeline.wire.scm import ScmRow

NO_RECORD: Final = "NoRecord"
"""The result of an import of which SCM shows nothing, or no more than that it once began."""

_FIRST_WAIT: Final = 0.25
_TOLD_EVERY: Final = 60.0
_VAGUE: Final = frozenset({"Unknown", "NotRun"})
"""Summary states that may hide the end of an import."""
_ARRIVED: Final = frozenset({"Succeeded", "PartiallySucceeded"})


@dataclass(kw_only=True, slots=True)
class ImportAttempt:
    """One call of ImportFromPackage that may have had its effect.

    ``ids`` are those of its intent, ``since`` is its time. ``patience``: seconds until SCM must
    show it; 0 if it is asked for only to be sure. ``is_open``: the journal does not say yet that
    SCM does not know it.
    """

    ids: Mapping[str, object]
    job: ImportJob
    since: dt.datetime
    patience: float
    seen: bool = False
    is_open: bool = True
    is_new: bool = False
    """Whether this start has sent it."""
    status: str | None = None
    """The summary status; that of the details where there is no record."""
    has_record: bool = False
    shown: object = None
    """What SCM showed the last time."""
    changed: dt.datetime | None = None
    """When that was last something new."""

    @property
    def is_over(self) -> bool:
        """Whether SCM says that nothing happens any more."""
        return self.status in ENDED


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchedEnd:
    """The attempt that counts, its summary status, and whether SCM keeps the record of it.

    ``status`` is null if SCM does not say how it ended.
    """

    attempt: ImportAttempt
    status: str | None
    has_record: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportWatch:
    """Waits for the imports of packages.

    ``tell`` hears once a minute what is waited for.
    """

    api: PackageClient
    ledger: Ledger
    clock: Callable[[], dt.datetime]
    limits: ImportLimits
    tell: Callable[[str], None]

    def follow(
        self, unit: Unit, attempts: Sequence[ImportAttempt], is_whole: Callable[[], bool]
    ) -> WatchedEnd | None:
        """Wait until one of the attempts at a package has ended, and no other is under way.

        Args:
            unit: the package.
            attempts: all that may have had their effect, oldest first.
            is_whole: whether SCM has every row as it was sent.

        Returns:
            The first that brought rows in, else the first that ended; null if SCM shows none of
            them and each has had its time.

        Raises:
            Stopped: SCM cannot be reached, or an import does not end; the same command continues.
        """
        watch = _Watch(watch=self, unit=unit, attempts=attempts, is_whole=is_whole)
        return watch.run() if attempts else None


@dataclass(kw_only=True, slots=True)
class _Watch:
    """How the watch over one package stands."""

    watch: ImportWatch
    unit: Unit
    attempts: Sequence[ImportAttempt]
    is_whole: Callable[[], bool]
    checked: set[str] = field(default_factory=set)
    """Attempts for whose rows SCM has been asked."""

    def run(self) -> WatchedEnd | None:
        """Look and wait."""
        limits, clock = self.watch.limits, self.watch.clock
        wait, begun = _FIRST_WAIT, clock()
        told = begun
        while True:
            for one in self.attempts:
                self._look(one)
            end = self._find_end()
            if end is not None:
                return end
            waited_for = next(filter(self._may_move, self.attempts), None)
            if waited_for is None:
                return self._find_unseen()
            if _count_seconds(begun, clock()) > limits.whole:
                raise _describe_endless(waited_for)
            if _count_seconds(told, clock()) >= _TOLD_EVERY:
                told = clock()
                self.watch.tell(_describe_wait(waited_for, told))
            self.watch.api.scm.sleep(wait)
            wait = min(wait * 2, limits.poll)

    def _look(self, one: ImportAttempt) -> None:
        """Ask what SCM shows of an attempt."""
        if one.is_over:
            return
        api, now = self.watch.api, self.watch.clock()
        status, details = api.status(one.job.execution_id), list[ScmRow]()
        if (status is None and self._is_worth_details(one, now)) or status in _VAGUE:
            details = api.details(one.job)
            derived = api.state(details)
            one.status = derived if status is None or derived in ENDED else status
        else:
            one.status = status
        one.has_record = status is not None
        if one.status is not None and not one.seen:
            one.seen = True
            self.watch.ledger.note_seen(self.unit, one.job.execution_id)
        shown = (status, details)
        if one.changed is None or shown != one.shown:
            one.shown, one.changed = shown, now

    def _is_worth_details(self, one: ImportAttempt, now: dt.datetime) -> bool:
        """Whether an execution without a record may have details all the same."""
        if one.seen:
            return True
        return one.patience > 0 and (not one.is_new or self._is_late(one, now))

    def _is_late(self, one: ImportAttempt, now: dt.datetime) -> bool:
        return _count_seconds(one.since, now) > one.patience

    def _may_move(self, one: ImportAttempt) -> bool:
        """Whether SCM may show something new of an attempt."""
        if one.is_over:
            return False
        if one.has_record:
            return True
        now = self.watch.clock()
        if not one.seen:
            return not self._is_late(one, now)
        return _count_seconds(one.changed or now, now) <= self.watch.limits.record

    def _find_end(self) -> WatchedEnd | None:
        """The attempt that counts, once none of those that SCM has shown is under way."""
        shown = [one for one in self.attempts if one.seen]
        if not shown or any(self._may_move(one) and not self._is_done(one) for one in shown):
            return None
        over = [one for one in shown if one.is_over]
        arrived = [one for one in over if one.status in _ARRIVED]
        chosen = [*arrived, *over, *shown][0]
        status = chosen.status if chosen.is_over else None
        return WatchedEnd(attempt=chosen, status=status, has_record=chosen.has_record)

    def _is_done(self, one: ImportAttempt) -> bool:
        """Whether all rows arrived of an attempt of which nothing is left; SCM is asked once."""
        if one.status is not None or one.job.execution_id in self.checked:
            return False
        self.checked.add(one.job.execution_id)
        return self.is_whole()

    def _find_unseen(self) -> WatchedEnd | None:
        """An attempt of which SCM shows nothing, though it has every row."""
        last = next((one for one in reversed(self.attempts) if one.patience > 0), None)
        if last is None or not self.is_whole():
            return None
        return WatchedEnd(attempt=last, status=None, has_record=False)


def _count_seconds(since: dt.datetime, now: dt.datetime) -> float:
    return (now - since).total_seconds()


def _describe_wait(one: ImportAttempt, now: dt.datetime) -> str:
    since = one.changed if one.seen else one.since
    minutes = int(_count_seconds(since or now, now) // 60)
    if one.has_record:
        return f"import {one.job.execution_id}: {one.status} since {minutes} min"
    if one.seen:
        return f"import {one.job.execution_id}: its record is gone since {minutes} min"
    return f"import {one.job.execution_id}: not begun since {minutes} min"


def _describe_endless(one: ImportAttempt) -> Stopped:
    return Stopped(
        f"the import {one.job.execution_id} has not ended yet (SCM says {one.status or 'nothing'})."
        " Run the same command again to continue.",
        where=one.job.definition_group,
    )
