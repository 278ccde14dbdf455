"""One package from its upload to the last word about it.

Sent once, looked up after a lost answer, never resent blindly.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final, Literal

from pipeline.errors import Stopped
from pipeline.load.packages.dmf import ENDED, ImportJob, PackageClient
from pipeline.load.packages.error_rows import ImportMessages
from pipeline.load.packages.package import Package
from pipeline.load.packages.verdict import Parcel, Verdict, judge_import, refuse_package
from pipeline.run.journal import Entry
from pipeline.run.ledger import IMPORT, Ledger, Unit
from pipeline.scm.messages import explain_messages
from pipeline.wire.once import Busy, Declined, LostAnswer

_FIRST_WAIT: Final = 0.25
_EXISTS: Final = "already exists"
_TIMES_UNKNOWN: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportLimits:
    """How long an import is waited for, in seconds.

    ``poll``: between two looks, at the most. ``record``: until SCM must know an import that was
    sent to it. ``queue``: until SCM must take an import, if others are under way. ``whole``: until
    an import must have ended; then the command stops, and the same command continues. ``keys``:
    until the file of refused keys must be there.
    """

    poll: float = 10.0
    record: float = 120.0
    queue: float = 3_600.0
    whole: float = 43_200.0
    keys: float = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Attempt:
    """One call of ImportFromPackage: the ids of its intent, its time, and what is known of it."""

    ids: Mapping[str, object]
    since: dt.datetime
    state: Literal["sent", "busy", "refused"]
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageSender:
    """Imports packages into one SCM and writes down what became of them."""

    api: PackageClient
    ledger: Ledger
    clock: Callable[[], dt.datetime]
    patience: ImportLimits

    def bring_in(self, parcel: Parcel, package: Package) -> None:
        """Import a package, or finish an import that is under way.

        The journal holds its outcome afterwards.

        Raises:
            Stopped: SCM cannot be reached, is busy for too long, or an import does not end; the
                same command continues.
        """
        began, unknown = self.clock(), 0
        attempt = self._find_under_way(parcel.unit)
        for number in count(len(self.ledger.attempts(parcel.unit)) + 1):
            attempt = attempt or self._send(parcel, package, number)
            if attempt.state == "refused":
                self._end(attempt, "refused", refuse_package(parcel, attempt.text))
                return
            if attempt.state == "busy":
                self._wait_for_turn(parcel.unit, attempt, began)
            elif (
                status := self._wait_for_end(_make_job(parcel, attempt.ids), attempt.since)
            ) is not None:
                self._end(attempt, status, self._collect(parcel, attempt, status))
                return
            else:
                self.ledger.close(attempt.ids, "not_found")
                unknown += 1
            if unknown == _TIMES_UNKNOWN:
                raise _make_unknown_error(attempt, package)
            attempt = None

    def _find_under_way(self, unit: Unit) -> _Attempt | None:
        """The attempt that a stop left behind."""
        entry: Entry | None = self.ledger.under_way(unit)
        if entry is None:
            return None
        return _Attempt(
            ids=dict(entry.payload), since=dt.datetime.fromisoformat(entry.at), state="sent"
        )

    def _send(self, parcel: Parcel, package: Package, number: int) -> _Attempt:
        """Upload, write the intent, start; what may have started counts as sent."""
        execution = f"{self.ledger.folder.run}-{parcel.unit.task}-{parcel.unit.name}-{number}"
        url = self.api.write_url(f"{execution}.zip")
        self.api.upload(url, package.content)
        since = self.clock()
        group = package.definition_group
        ids = self.ledger.intend(
            IMPORT, parcel.unit, attempt=number, definition_group=group, execution_id=execution
        )
        try:
            self.api.start(_make_job(parcel, ids), url)
        except LostAnswer:
            return _Attempt(ids=ids, since=since, state="sent")
        except Busy as busy:
            return _Attempt(ids=ids, since=since, state="busy", text=str(busy))
        except Declined as declined:
            said = declined.refusal.cause
            state = _read_refusal(execution, said)
            return _Attempt(ids=ids, since=since, state=state, text=said)
        except Stopped:
            self.ledger.close(ids, "not_sent")
            raise
        return _Attempt(ids=ids, since=since, state="sent")

    def _wait_for_turn(self, unit: Unit, attempt: _Attempt, began: dt.datetime) -> None:
        seconds = self.patience.poll
        self.ledger.close(attempt.ids, "busy")
        self.ledger.journal.append("throttled", seconds=seconds, **unit.ids)
        if (self.clock() - began).total_seconds() > self.patience.queue:
            raise Stopped(
                f"SCM has been busy with other imports for too long: {attempt.text}",
                where=unit.name,
            )
        self.api.scm.sleep(seconds)

    def _wait_for_end(self, job: ImportJob, since: dt.datetime) -> str | None:
        """The status in which an execution ended.

        Null when SCM still does not know it after ``patience.record``.
        """
        wait, began = _FIRST_WAIT, self.clock()
        while True:
            status = self.api.status(job.execution_id)
            if status in ENDED:
                return status
            now = self.clock()
            if (
                status is None
                and (now - since).total_seconds() > self.patience.record
                and not self.api.details(job)
            ):
                return None
            if (now - began).total_seconds() > self.patience.whole:
                said = status or "nothing"
                raise Stopped(
                    (
                        f"the import {job.execution_id} has not ended yet (SCM says {said}). Run "
                        "the same command again to continue."
                    ),
                    where=job.definition_group,
                )
            self.api.scm.sleep(wait)
            wait = min(wait * 2, self.patience.poll)

    def _collect(self, parcel: Parcel, attempt: _Attempt, status: str) -> Verdict:
        """Collect all that SCM says about an import that ended. Asking twice does no harm."""
        job = _make_job(parcel, attempt.ids)
        counts = self.api.counts(job)
        said = ImportMessages(
            messages=self.api.errors(job.execution_id),
            staging_file=self.api.staging_errors(job),
            keys_file=self._wait_for_keys(job),
        )
        return judge_import(parcel, status, counts, said)

    def _wait_for_keys(self, job: ImportJob) -> bytes:
        if not self.api.wants_keys_file(job):
            return b""
        wait, waited = _FIRST_WAIT, 0.0
        while not (content := self.api.keys_file(job)) and waited < self.patience.keys:
            self.api.scm.sleep(wait)
            waited += wait
            wait = min(wait * 2, self.patience.poll)
        return content

    def _end(self, attempt: _Attempt, result: str, found: Verdict) -> None:
        facts = {"scm": found.scm, "findings": [list(one) for one in found.findings]}
        self.ledger.end(attempt.ids, result, found.counts, found.refused, **facts)


def _read_refusal(execution: str, text: str) -> Literal["sent", "busy", "refused"]:
    """What a refusal means: if our execution id is taken, an earlier call arrived after all."""
    if execution in text and _EXISTS in text:
        return "sent"
    return "busy" if explain_messages([text]).later else "refused"


def _make_job(parcel: Parcel, ids: Mapping[str, object]) -> ImportJob:
    return ImportJob(
        definition_group=str(ids["definition_group"]),
        execution_id=str(ids["execution_id"]),
        legal_entity=parcel.unit.legal_entity,
        entity_label=parcel.entity_label,
    )


def _make_unknown_error(attempt: _Attempt, package: Package) -> Stopped:
    return Stopped(
        f"SCM does not know the import {attempt.ids['execution_id']} that was sent to it, nor the "
        "one before. Look at the batch "
        "jobs of Data management, then run the same command again to continue.",
        where=package.name,
    )
