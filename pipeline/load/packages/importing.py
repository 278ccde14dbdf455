"""One package from its upload to the last word about it.

Before it is sent, SCM is asked for all earlier attempts; what it has shown once is never resent.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from pipeline.errors import Stopped
from pipeline.load.packages import arrivals
from pipeline.load.packages.dmf import ImportJob, PackageClient
from pipeline.load.packages.error_rows import ImportMessages
from pipeline.load.packages.jobdetails import ImportCounts
from pipeline.load.packages.limits import ImportLimits
from pipeline.load.packages.package import Package
from pipeline.load.packages.starting import Start, Starter
from pipeline.load.packages.uploads import Upload
from pipeline.load.packages.verdict import (
    Parcel,
    Verdict,
    judge_import,
    judge_without_record,
    may_pass,
    refuse_package,
)
from pipeline.load.packages.watching import NO_RECORD, ImportAttempt, ImportWatch, WatchedEnd
from pipeline.run.ledger import Ledger, PastImport

_FIRST_WAIT: Final = 0.25
_TIMES: Final = 2
"""Attempts of one start that SCM does not know, or breaks off for the same reason."""
_REASON_WAIT: Final = 60.0
"""Seconds until SCM must show an import whose call it broke off with a reason."""
_NEVER_BEGUN: Final = frozenset({"not_sent", "busy"})
_PASSING: Final = "passing"
"""The result of an import that brought no row in, for a reason that passes by itself."""
_REPEATS: Final = 3
"""Imports of one start that are sent again after such an end."""
_CHANGING: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\d+")
"""What differs between two messages that give the same reason: ids and times."""


@dataclass(kw_only=True, slots=True)
class _Delivery:
    """How the import of one package stands."""

    parcel: Parcel
    package: Package
    attempts: list[ImportAttempt]
    upload: Upload
    reasons: list[str] = field(default_factory=list)
    """Why SCM broke off the calls of this start."""
    instead: str = ""
    """What came in the place of the last answer to a call."""
    passed: list[ImportAttempt] = field(default_factory=list)
    """Imports of this start that ended for a reason that passes by itself."""

    @property
    def sent(self) -> list[ImportAttempt]:
        """What this start has sent."""
        return [one for one in self.attempts if one.is_new]

    @property
    def is_refused(self) -> bool:
        """Whether SCM broke off every call for the same reason."""
        kinds = {_CHANGING.sub("", text) for text in self.reasons}
        return len(self.reasons) == _TIMES and len(kinds) == 1


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageSender:
    """Imports packages into one SCM and writes down what became of them.

    ``tell`` hears once a minute what is waited for.
    """

    api: PackageClient
    ledger: Ledger
    clock: Callable[[], dt.datetime]
    patience: ImportLimits
    tell: Callable[[str], None]

    @property
    def _watch(self) -> ImportWatch:
        return ImportWatch(
            api=self.api,
            ledger=self.ledger,
            clock=self.clock,
            limits=self.patience,
            tell=self.tell,
        )

    def bring_in(self, parcel: Parcel, package: Package) -> None:
        """Import a package, or finish an import that is under way.

        The journal holds its outcome afterwards.

        Raises:
            Stopped: SCM cannot be reached, throttles or is busy for too long, does not know what
                was sent to it, or an import does not end; the same command continues.
        """
        delivery = _Delivery(
            parcel=parcel,
            package=package,
            attempts=self._list_attempts(parcel),
            upload=Upload(api=self.api, content=package.content, clock=self.clock),
        )
        while True:
            end = self._watch.follow(
                parcel.unit,
                delivery.attempts,
                partial(arrivals.has_every_row, self.api.scm, parcel),
            )
            if end is not None:
                counts, said = self._collect(end.attempt.job)
                has_turns = end.has_record and len(delivery.passed) < _REPEATS
                if has_turns and may_pass(end.status or NO_RECORD, counts, said):
                    self._send_again(end.attempt, delivery)
                    continue
                self._end(end, parcel, counts, said)
                return
            self._close_unknown(delivery.attempts)
            if delivery.is_refused:
                self._refuse(delivery.sent[-1].ids, parcel, delivery.reasons[-1])
                return
            if len(delivery.sent) == _TIMES:
                raise _describe_unknown(delivery, self.patience)
            start = self._start(delivery)
            if start is None:
                continue
            if start.state == "refused":
                self._refuse(start.ids, parcel, start.text)
                return
            self._note(delivery, start)

    def _list_attempts(self, parcel: Parcel) -> list[ImportAttempt]:
        """All that earlier starts sent; what should not have had its effect is not waited for."""
        return [
            ImportAttempt(
                ids=one.ids,
                job=_make_job(parcel, one.ids),
                since=one.since,
                patience=0.0 if one.result in _NEVER_BEGUN else self.patience.record,
                seen=one.seen,
                is_open=one.result is None,
            )
            for one in self.ledger.list_imports(parcel.unit)
            if one.result != _PASSING
        ]

    def _start(self, delivery: _Delivery) -> Start | None:
        unit = delivery.parcel.unit
        sent = [*delivery.sent, *delivery.passed]
        number = _find_next_number(self.ledger.list_imports(unit), sent)
        execution = f"{self.ledger.folder.run}-{unit.task}-{unit.name}-{number}"
        starter = Starter(
            api=self.api,
            ledger=self.ledger,
            clock=self.clock,
            limits=self.patience,
            tell=self.tell,
        )
        group = delivery.package.definition_group
        ids = {"attempt": number, "definition_group": group, "execution_id": execution}
        earlier = [one.job for one in delivery.attempts]
        job = _make_job(delivery.parcel, ids)
        return starter.start(unit, job, ids, delivery.upload, earlier)

    def _note(self, delivery: _Delivery, start: Start) -> None:
        """Count a call among those that may have had their effect."""
        patience = self.patience.record
        delivery.instead = start.instead
        if start.text:
            delivery.reasons.append(start.text)
            patience = min(patience, _REASON_WAIT)
        job = _make_job(delivery.parcel, start.ids)
        delivery.attempts.append(
            ImportAttempt(ids=start.ids, job=job, since=start.since, patience=patience, is_new=True)
        )

    def _close_unknown(self, attempts: Sequence[ImportAttempt]) -> None:
        for one in attempts:
            if one.is_open:
                self.ledger.close(one.ids, "not_found")
                one.is_open = False

    def _collect(self, job: ImportJob) -> tuple[ImportCounts | None, ImportMessages]:
        """All that SCM says about an import; asking twice does no harm."""
        return self.api.counts(job), ImportMessages(
            messages=self.api.errors(job.execution_id),
            staging_file=self.api.staging_errors(job),
            keys_file=self._wait_for_keys(job),
        )

    def _send_again(self, ended: ImportAttempt, delivery: _Delivery) -> None:
        """Leave an import behind that brought nothing in, and wait before the next one."""
        self.ledger.close(ended.ids, _PASSING)
        delivery.attempts.remove(ended)
        delivery.passed.append(ended)
        self.tell(
            f"import {ended.job.execution_id}: SCM was too busy to bring it in and brought in no "
            "row; it is sent again"
        )
        self.api.scm.sleep(self.patience.poll * 2 ** len(delivery.passed))

    def _end(
        self,
        end: WatchedEnd,
        parcel: Parcel,
        counts: ImportCounts | None,
        said: ImportMessages,
    ) -> None:
        """Write down what SCM says about an import."""
        if end.has_record and end.status is not None:
            look = partial(arrivals.look_up, self.api.scm, parcel)
            found = judge_import(parcel, end.status, counts, said, look)
        else:
            find = partial(arrivals.find_arrived, self.api.scm, parcel)
            found = judge_without_record(parcel, end.status, counts, said, find)
        self._write(end.attempt.ids, end.status or NO_RECORD, found)

    def _wait_for_keys(self, job: ImportJob) -> bytes:
        if not self.api.wants_keys_file(job):
            return b""
        wait, waited = _FIRST_WAIT, 0.0
        while not (content := self.api.keys_file(job)) and waited < self.patience.keys:
            self.api.scm.sleep(wait)
            waited += wait
            wait = min(wait * 2, self.patience.poll)
        return content

    def _refuse(self, ids: Mapping[str, object], parcel: Parcel, text: str) -> None:
        self._write(ids, "refused", refuse_package(parcel, text))

    def _write(self, ids: Mapping[str, object], result: str, found: Verdict) -> None:
        facts = {"scm": found.scm, "findings": [list(one) for one in found.findings]}
        self.ledger.end(ids, result, found.counts, found.refused, **facts)


def _find_next_number(past: Sequence[PastImport], sent: Sequence[ImportAttempt]) -> int:
    """The number of the next attempt; numbers are never used again."""
    ids = [*(one.ids for one in past), *(one.ids for one in sent)]
    return max((int(str(one["attempt"])) for one in ids), default=0) + 1


def _make_job(parcel: Parcel, ids: Mapping[str, object]) -> ImportJob:
    return ImportJob(
        definition_group=str(ids["definition_group"]),
        execution_id=str(ids["execution_id"]),
        legal_entity=parcel.unit.legal_entity,
        entity_label=parcel.entity_label,
    )


def _describe_unknown(delivery: _Delivery, limits: ImportLimits) -> Stopped:
    last = delivery.sent[-1]
    said = f" SCM said: {delivery.reasons[-1].rstrip('. ')}." if delivery.reasons else ""
    said += f" The last time SCM {delivery.instead}." if delivery.instead else ""
    return Stopped(
        f"SCM does not know the import {last.ids['execution_id']} that was sent to it, nor the one "
        f"before, each after {last.patience / 60:,.3g} min.{said} Look at the batch jobs of Data "
        "management. If they begin imports later than that, set run.wait_known (now "
        f"{limits.record / 60:,.3g} min). Then run the same command again to continue.",
        where=delivery.package.name,
    )
