"""One unit delivered: the system is asked until every row of it has its outcome.

The loop is the same for every system. What is said to a system, and what its answers mean, is a
``Conversation``. A request whose answer was lost is never simply repeated: the conversation looks
at what the system has now, and only what did not arrive is sent again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Protocol, TypeAlias

import polars as pl

from pipeline.errors import Stopped, count_of
from pipeline.load.left import RowsLeft
from pipeline.load.outcome import count_outcomes
from pipeline.run.ledger import ODATA, REFUSED, Ledger, Unit
from pipeline.wire.multipart import BatchAnswers, BatchRequest, PartAnswer
from pipeline.wire.once import TOO_LARGE, Busy, Declined, LostAnswer
from pipeline.wire.system import System

_KEY: Final = "destination_key"
_TOLD_EVERY: Final = 60.0

Answers: TypeAlias = Mapping[int, PartAnswer]
"""The answers to the operations of a request, by number from 1. Those that did not come are
missing."""

Reply: TypeAlias = Answers | LostAnswer | Busy | Declined
"""What came back for a request: the answers, or why there are none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Rows that have no outcome yet, by key, in the order of their unit.

    An earlier request may already have written those that are ``in_doubt``.
    """

    keys: tuple[str, ...]
    in_doubt: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one row, if it differs from the one that its action foresaw."""

    outcome: str
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What a reply or a look means for the rows. Rows that it does not name keep waiting.

    ``settled``: rows that need nothing more, with their outcome; null stands for the one that the
    action foresaw. ``busy``: rows to send again, with the outcome they get if the system stays too
    busy for them; ``throttled`` are those of them that the system had no time for, whatever they
    hold: they never fail by it. ``in_doubt``: rows that the request may have written. ``wait``:
    seconds to wait before the next request; null when there is nothing to wait for.
    """

    settled: Mapping[str, Outcome | None] = field(default_factory=dict)
    busy: Mapping[str, Outcome] = field(default_factory=dict)
    throttled: frozenset[str] = frozenset()
    in_doubt: frozenset[str] = frozenset()
    wait: float | None = None

    def __or__(self, later: Judgement) -> Judgement:
        """Both together."""
        waits = [one for one in (self.wait, later.wait) if one is not None]
        return Judgement(
            settled={**self.settled, **later.settled},
            busy={**self.busy, **later.busy},
            throttled=self.throttled | later.throttled,
            in_doubt=self.in_doubt | later.in_doubt,
            wait=max(waits, default=None),
        )


class Conversation(Protocol):
    """What is said to one system about the rows of one unit; one object per unit."""

    tries: ClassVar[int]
    """Requests in a row that were answered, or may have been, but brought no outcome. Then the
    delivery gives up."""

    lost_wait: ClassVar[float]
    """Seconds to wait, at most, before the first look after a lost answer."""

    @property
    def system(self) -> System:
        """Whom it is said to."""
        ...

    def foreseen(self) -> pl.DataFrame:
        """``destination_key`` and ``action`` of every row of the unit, in order."""
        ...

    def first_look(self, rows: Waiting, begun: Mapping[str, Any] | None) -> Judgement:
        """What is already settled before the first request of this start.

        Args:
            rows: all rows; in doubt if an earlier start sent them.
            begun: the journal's line of the first request that an earlier start made.

        Raises:
            Stopped: the system cannot be reached.
        """
        ...

    def operations(self, rows: Waiting) -> BatchRequest:
        """The request that asks for these rows, one operation a row, in order."""
        ...

    def facts(self, rows: Waiting) -> Mapping[str, Any]:
        """What the journal keeps of such a request, in addition to its hash."""
        ...

    def send(self, request: BatchRequest, count: int) -> Answers:
        """Send a request of so many operations, once.

        Raises:
            LostAnswer: nobody knows whether it had an effect.
            Busy: it had no effect; a later one may.
            Declined: it had no effect, and never will.
            Stopped: it had no effect, and the run cannot continue.
        """
        ...

    def judge(self, rows: Waiting, reply: Reply) -> Judgement:
        """What a reply means for the rows that were asked for; looks at the system where needed.

        Raises:
            Stopped: the system cannot be reached.
        """
        ...

    def last_look(self, rows: Waiting) -> Judgement:
        """What the system has now of rows in doubt, before they are given up.

        Raises:
            Stopped: the system cannot be reached.
        """
        ...


def deliver(
    unit: Unit,
    talk: Conversation,
    ledger: Ledger,
    sleep: Callable[[float], None],
    tell: Callable[[str], None],
) -> Mapping[str, int]:
    """Ask until every row of a unit has its outcome, or finish a unit that a stop interrupted.

    What was begun is looked up first; what was refused is not asked again. A system that is away or
    throttles is no row's outcome: the rows keep waiting, for the same command. The journal holds
    the outcome afterwards.

    Args:
        unit: its name in the journal.
        talk: the conversation about its rows.
        ledger: the journal.
        sleep: waits so many seconds.
        tell: hears, about once a minute, what is waited for.

    Returns:
        Rows by outcome, and ``rows`` in all.

    Raises:
        RowsLeft: the system has no time for some rows of the unit, and had it for others.
        Stopped: the system cannot be reached, throttles for too long or does not answer; the same
            command continues.
    """
    keys = dict.fromkeys(talk.foreseen()[_KEY])
    delivery = _Delivery(unit=unit, talk=talk, ledger=ledger, sleep=sleep, tell=tell, waiting=keys)
    delivery.look_first()
    while delivery.waiting:
        delivery.ask()
    return delivery.end()


@dataclass(kw_only=True, slots=True)
class _Delivery:
    """How the delivery of one unit stands."""

    unit: Unit
    talk: Conversation
    ledger: Ledger
    sleep: Callable[[float], None]
    tell: Callable[[str], None]
    waiting: dict[str, None]
    """Keys without an outcome, in order."""
    unforeseen: dict[str, Outcome] = field(default_factory=dict)
    in_doubt: set[str] = field(default_factory=set)
    judged: Judgement = field(default_factory=Judgement)
    """What the last reply meant."""
    attempt: dict[str, object] | None = None
    """The last intent."""
    attempts: int = 0
    idle: int = 0
    """Requests in a row that brought no outcome."""
    refused: int = 0
    """Requests in a row that did not reach the system, or that it had no time for."""
    waited: float = 0.0
    """Seconds since the last outcome that the system asked to wait."""
    has_time: bool = False
    """Whether the system has had time for any row of the unit."""
    bytes: int = 0
    most: int | None = None
    """Rows of a request, at most; null as long as none was too large."""
    postponed: frozenset[str] = frozenset()
    """Rows whose turn comes after all others: the system had no time for them, and did not get to
    those behind."""
    left_open: str | None = None
    """The result of the last attempt, as long as the journal does not have it."""

    def look_first(self) -> None:
        """Settle what needs no request, above all what an earlier start sent."""
        begun = [entry.payload for entry in self.ledger.attempts(self.unit)]
        if begun:
            self.attempt, self.attempts = dict(begun[-1]), len(begun)
            self.left_open = "unanswered" if self.ledger.under_way(self.unit) else None
            self.in_doubt = set(self.waiting)
        self._take(self.talk.first_look(self._make_rows(), begun[0] if begun else None))

    def ask(self) -> None:
        """Send what is waiting, once, and take in what the reply means."""
        self._close()
        before, sent = len(self.waiting), self._make_rows().keys
        reply = self._send(self._make_rows(sent))
        if isinstance(reply, LostAnswer):
            self.in_doubt.update(sent)
            self.sleep(self.talk.lost_wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        elif isinstance(reply, Busy):
            self._wait_for_system(reply)
        elif isinstance(reply, Declined):
            if reply.refusal.status == TOO_LARGE and len(sent) > 1:
                self.most, self.left_open, self.judged = len(sent) // 2, "too_large", Judgement()
                return
            self._look_last()
        self.judged = self.talk.judge(self._make_rows(sent), reply)
        if not isinstance(reply, Busy):
            self.left_open = "busy" if self.judged.busy else "unanswered"
        self._take(self.judged)
        self._count(reply, is_idle=len(self.waiting) == before)
        if self.idle == self.talk.tries:
            self._give_up(reply)

    def _count(self, reply: Reply, *, is_idle: bool) -> None:
        """Note how the system takes it."""
        if not is_idle:
            self.idle, self.refused, self.waited = 0, 0, 0.0
            self.has_time |= not isinstance(reply, LostAnswer)
        elif not isinstance(reply, Busy):
            self.idle, self.refused, self.waited = self.idle + 1, 0, 0.0

    def end(self) -> Mapping[str, int]:
        """Write down the outcomes, even if no row was sent."""
        attempt = self.attempt or self._intend(attempt=1, operations=0, request=None)
        foreseen = self.talk.foreseen()
        found = [
            {_KEY: key, "outcome": one.outcome, "code": one.code, "message": one.message}
            for key in foreseen[_KEY]
            if (one := self.unforeseen.get(key)) is not None
        ]
        refused = pl.DataFrame(found, schema=REFUSED)
        counts = count_outcomes(foreseen, refused, frozenset())
        self.ledger.end(attempt, "answered", counts, refused, bytes=self.bytes)
        return counts

    def _make_rows(self, keys: Sequence[str] | None = None) -> Waiting:
        """Of these rows, or of those whose turn it is, the ones that wait."""
        turn = [key for key in self.waiting if key not in self.postponed] or list(self.waiting)
        turn = turn[: self.most]
        chosen = tuple(key for key in (turn if keys is None else keys) if key in self.waiting)
        return Waiting(keys=chosen, in_doubt=frozenset(self.in_doubt.intersection(chosen)))

    def _close(self) -> None:
        """End the last attempt in the journal, and wait if the system asked for it."""
        if self.attempt is not None and self.left_open is not None:
            self.ledger.close(self.attempt, self.left_open)
            self.left_open = None
        if self.judged.wait is not None:
            self._refuse_long_wait(self.judged.wait)
            seconds = round(self.judged.wait, 1)
            self.ledger.journal.append("throttled", seconds=seconds, **self.unit.ids)
            self._wait(self.judged.wait)

    def _wait(self, seconds: float) -> None:
        """Wait for a system that is busy with single rows, and say so while it lasts."""
        left = seconds
        while left > _TOLD_EVERY:
            self.tell(f"{self.talk.system.label} asks p2c to wait: {left:,.0f} s left")
            self.sleep(_TOLD_EVERY)
            left -= _TOLD_EVERY
        self.sleep(left)

    def _refuse_long_wait(self, seconds: float) -> None:
        """Raise ``Busy`` where the system asks for more time than p2c waits."""
        system = self.talk.system
        if seconds > system.policy.seconds:
            raise Busy(
                f"asks us to wait {seconds:,.0f} s, and run.wait_system allows "
                f"{system.policy.seconds:,.0f} s. Run the same command again to continue.",
                where=system.label,
                seconds=seconds,
                throttled=True,
            )

    def _send(self, rows: Waiting) -> Reply:
        request, count = self.talk.operations(rows), len(rows.keys)
        self.attempts += 1
        self.attempt = self._intend(attempt=self.attempts, operations=count, request=request.sha256)
        self.bytes += len(request.body)
        try:
            return self.talk.send(request, count)
        except (LostAnswer, Busy, Declined) as reply:
            return reply
        except Stopped:
            self.ledger.close(self.attempt, "not_sent")
            raise

    def _intend(self, **ids: object) -> dict[str, object]:
        return self.ledger.intend(ODATA, self.unit, **ids, **self.talk.facts(self._make_rows()))

    def _take(self, judgement: Judgement) -> None:
        for key, outcome in judgement.settled.items():
            del self.waiting[key]
            if outcome is not None:
                self.unforeseen[key] = outcome
        self.in_doubt |= judgement.in_doubt

    def _wait_for_system(self, busy: Busy) -> None:
        """Wait as long as the system asks for, and longer each time.

        Raises:
            Busy: that was often enough; no row has an outcome because of it.
        """
        policy, system = self.talk.system.policy, self.talk.system
        most = policy.attempts if system.was_there or busy.throttled else policy.first_attempts
        wait = max(busy.seconds, min(policy.longest, policy.base * 2**self.refused))
        self.refused += 1
        minutes, self.waited = int(self.waited // _TOLD_EVERY), self.waited + wait
        self.left_open = "busy"
        is_over = self.refused >= most or self.waited > policy.seconds
        if not is_over and int(self.waited // _TOLD_EVERY) > minutes:
            what = "throttles" if busy.throttled else "cannot be reached"
            self.tell(
                f"{system.label} {what}: {count_of(len(self.waiting), 'row')} waiting, for "
                f"{self.waited / _TOLD_EVERY:.0f} min"
            )
        self.judged = Judgement(wait=None if is_over else wait)
        self._close()
        if is_over:
            self._refuse_long_wait(busy.seconds)
            raise busy

    def _give_up(self, reply: Reply) -> None:
        """Rows that are themselves why the system was busy fail; the others get another turn.

        Where it was busy for no row of its own, the command stops.
        """
        busy = {key: self.judged.busy[key] for key in self.waiting if key in self.judged.busy}
        if not busy:
            raise self._describe_silence(reply)
        self.idle = 0
        own = busy.keys() - self.judged.throttled
        if own:
            self._look_last()
            self._take(Judgement(settled={key: busy[key] for key in self.waiting if key in own}))
        elif self.postponed or len(busy) == len(self.waiting):
            raise self._describe_throttling()
        else:
            self.postponed = frozenset(busy)

    def _describe_throttling(self) -> Busy:
        """The rows that the system has no time for; the key of one, which may be why."""
        rows = count_of(len(self.waiting), "row")
        first = "" if len(self.waiting) > 1 else f" ({next(iter(self.waiting))})"
        kind = RowsLeft if self.has_time else Busy
        return kind(
            f"throttles: it had no time for {rows}{first} in {self.talk.tries} requests. Run the "
            "same command again to continue.",
            where=self.talk.system.label,
            seconds=self.judged.wait or 0.0,
            throttled=True,
        )

    def _look_last(self) -> None:
        """Settle rows in doubt that arrived after all."""
        doubtful = tuple(key for key in self.waiting if key in self.in_doubt)
        if doubtful:
            rows = Waiting(keys=doubtful, in_doubt=frozenset(doubtful))
            self._take(self.talk.last_look(rows))

    def _describe_silence(self, reply: Reply) -> LostAnswer:
        what, last = "gave no clear answer to", _describe_unclear(reply)
        if isinstance(reply, LostAnswer):
            what, said = "did not answer", _describe_lost(reply)
            last = f"; the last time it {said}" if said else ""
        return LostAnswer(
            f"{what} {self.talk.tries} requests with the same rows{last}. Run the same "
            "command again to continue.",
            where=self.talk.system.label,
        )


def _describe_unclear(reply: Reply) -> str:
    """The statuses of answers to single rows that say nothing of what became of the row."""
    unclear = reply.unclear if isinstance(reply, BatchAnswers) else ()
    named = " and ".join(f"HTTP {status}" for status in unclear)
    return f"; the last time rows got {named}, without what became of them" if named else ""


def _describe_lost(lost: LostAnswer) -> str:
    """What came in the place of an answer, without what to do then."""
    said = lost.refusal.cause.rstrip(". ")
    return f"said: {said}" if said else lost.event
