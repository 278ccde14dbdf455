"""One import started: its package uploaded, its intent written, SCM asked until it takes it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pipeline.errors import Refusal, Stopped
from pipeline.load.packages.dmf import ImportJob, PackageClient
from pipeline.load.packages.limits import ImportLimits
from pipeline.load.packages.uploads import Upload
from pipeline.run.ledger import IMPORT, Ledger, Unit
from pipeline.scm.messages import explain_messages
from pipeline.scm.wording import is_foreign, tells_reason
from pipeline.wire.once import Busy, Declined, LostAnswer, refuse_address

_EXISTS: Final = "already exists"
_BROKEN_OFF: Final = 500
_OF_STORAGE: Final = re.compile(r"(?i)\bblob|\bstorage|signature|authenticat|forbidden")
"""What a reason says, in any language, if SCM could not read the package where it was uploaded."""
_TOLD_EVERY: Final = 60.0

Obstacle = Literal["throttled", "away", "busy"]
"""Why SCM does not take an import now: it has no time for us, cannot be reached, or imports."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """One call of ImportFromPackage: the ids of its intent, and its time.

    ``sent``: it may have had its effect; ``text`` is why SCM broke it off, if it says so, and
    ``instead`` what came in the place of its answer.
    ``refused``: it had none and never will; ``text`` is what SCM said.
    """

    ids: Mapping[str, object]
    since: dt.datetime
    state: Literal["sent", "refused"]
    text: str = ""
    instead: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Later:
    """SCM does not take the import now; ``seconds`` to wait at the least.

    ``doubtful`` is the call that may have had its effect all the same.
    """

    why: Obstacle
    seconds: float
    error: Stopped
    doubtful: Start | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stale:
    """SCM refuses, and may do so because of a URL that was used before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Starter:
    """Starts imports; ``tell`` hears once a minute what is waited for."""

    api: PackageClient
    ledger: Ledger
    clock: Callable[[], dt.datetime]
    limits: ImportLimits
    tell: Callable[[str], None]

    def start(
        self,
        unit: Unit,
        job: ImportJob,
        ids: Mapping[str, object],
        upload: Upload,
        earlier: Sequence[ImportJob],
    ) -> Start | None:
        """Start an import, as soon as SCM takes it; a call that had no effect is made again.

        Null if SCM shows an earlier import of the package meanwhile.

        Args:
            unit: the package.
            job: the import.
            ids: what the journal calls it.
            upload: the package.
            earlier: imports of it that SCM has not shown until now.

        Raises:
            Stopped: SCM cannot be reached, or throttles or is busy for too long.
        """
        begun = told = self.clock()
        away = 0
        while True:
            tried = self._try(unit, job, ids, upload)
            if isinstance(tried, Start):
                if _OF_STORAGE.search(tried.text):
                    upload.drop()
                return tried
            if isinstance(tried, _Stale):
                upload.drop()
                continue
            away = away + 1 if tried.why == "away" else 0
            if away == self.api.scm.system.policy.attempts:
                raise tried.error
            wait = max(tried.seconds, self.limits.poll)
            waited = (self.clock() - begun).total_seconds()
            if waited + wait > self.limits.queue:
                raise _describe_queue(tried, waited, wait, unit)
            self.ledger.journal.append("throttled", seconds=wait, **unit.ids)
            if (self.clock() - told).total_seconds() >= _TOLD_EVERY or wait > _TOLD_EVERY:
                told = self.clock()
                what = _describe_wait(tried.why, waited, wait)
                self.tell(f"import {job.execution_id}: {what}")
            self.api.scm.sleep(wait)
            if tried.doubtful is not None and self._is_known(job):
                return tried.doubtful
            if any(map(self._is_known, earlier)):
                return None

    def _is_known(self, job: ImportJob) -> bool:
        return self.api.status(job.execution_id) is not None

    def _try(
        self, unit: Unit, job: ImportJob, ids: Mapping[str, object], upload: Upload
    ) -> Start | _Later | _Stale:
        """Call once."""
        url, is_fresh = upload.give(f"{job.execution_id}.zip")
        since = self.clock()
        written = self.ledger.intend(IMPORT, unit, **ids)
        try:
            self.api.start(job, url)
        except LostAnswer as lost:
            return self._read_lost(lost, written, since)
        except Busy as busy:
            self.ledger.close(written, "busy")
            why: Obstacle = "throttled" if busy.throttled else "away"
            return _Later(why=why, seconds=busy.seconds, error=busy)
        except Declined as declined:
            return self._read_refusal(declined, written, since, is_fresh=is_fresh)
        except Stopped:
            self.ledger.close(written, "not_sent")
            raise
        return Start(ids=written, since=since, state="sent")

    def _read_lost(
        self, lost: LostAnswer, ids: Mapping[str, object], since: dt.datetime
    ) -> Start | _Later:
        """What it means that SCM, or somebody before it, broke the call off."""
        reason = _find_reason(lost.refusal)
        instead = "" if reason else lost.event
        start = Start(ids=ids, since=since, state="sent", text=reason, instead=instead)
        if reason and explain_messages([reason]).later:
            self.ledger.close(ids, "broken_off")
            return _Later(why="busy", seconds=lost.seconds or 0.0, error=lost, doubtful=start)
        return start

    def _read_refusal(
        self, declined: Declined, ids: Mapping[str, object], since: dt.datetime, *, is_fresh: bool
    ) -> Start | _Later | _Stale:
        """What a refusal means: if our id is taken, an earlier call arrived after all."""
        said = declined.refusal.cause
        if str(ids["execution_id"]) in said and (_EXISTS in said or is_foreign(said)):
            return Start(ids=ids, since=since, state="sent")
        if explain_messages([said]).later:
            self.ledger.close(ids, "busy")
            return _Later(why="busy", seconds=0.0, error=declined)
        if not is_fresh:
            self.ledger.close(ids, "not_sent")
            return _Stale()
        meaning = refuse_address(declined)
        if meaning is not declined:
            self.ledger.close(ids, "not_sent")
            raise meaning from declined
        return Start(ids=ids, since=since, state="refused", text=said)


_WAITS: Final[Mapping[Obstacle, str]] = {
    "throttled": "SCM throttles it",
    "away": "SCM cannot be reached",
    "busy": "SCM is busy with other imports",
}


def _describe_wait(why: Obstacle, waited: float, wait: float) -> str:
    """What is waited for, since when and, if that is long, until when; all in seconds."""
    more = f", next try in {wait:,.0f} s" if wait > _TOLD_EVERY else ""
    return f"{_WAITS[why]} since {waited // 60:.0f} min{more}"


def _find_reason(refusal: Refusal) -> str:
    """Why SCM itself broke a call off; blank if it does not say, or a gateway did."""
    cause = refusal.cause
    return cause if refusal.status == _BROKEN_OFF and tells_reason(cause) else ""


def _describe_queue(last: _Later, waited: float, wait: float, unit: Unit) -> Stopped:
    """SCM did not take an import in time; why not the last time."""
    more = "Run the same command again to continue; run.wait_turn says how long p2c waits."
    minutes = f"{waited / 60:,.0f} min"
    match last.error:
        case Declined(refusal=refusal):
            said = f": {refusal.cause.rstrip('. ')}"
        case LostAnswer(refusal=refusal):
            said = f": {refusal.cause.rstrip('. ')}"
        case _:
            said = ""
    what = {
        "throttled": f"SCM has throttled this import for {minutes}",
        "away": f"SCM could not be reached for {minutes}",
        "busy": f"SCM has been busy with other imports for {minutes}",
    }
    longer = f", and asks p2c to wait {wait:,.0f} s more" if wait > _TOLD_EVERY else ""
    return Stopped(f"{what[last.why]}{longer}{said}. {more}", where=unit.name)
