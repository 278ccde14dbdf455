"""One unit delivered: the system is asked until every row of it has its outcome.

The loop is the same for every system. What is said to a system, and what its answers mean, is a
``Conversation``. A request whose answer was lost is never simply repeated: the conversation looks
at what the system has now, and only what did not arrive is sent again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Protocol, TypeAlias

import polars as pl

from pipeline.errors import Stopped
from pipeline.load.outcome import count_outcomes
from pipeline.run.ledger import ODATA, REFUSED, Ledger, Unit
from pipeline.wire.multipart import BatchRequest, PartAnswer
from pipeline.wire.once import Busy, Declined, LostAnswer

_KEY: Final = "destination_key"

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
    busy for them. ``in_doubt``: rows that the request may have written. ``wait``: seconds to wait
    before the next request; null when there is nothing to wait for.
    """

    settled: Mapping[str, Outcome | None] = field(default_factory=dict)
    busy: Mapping[str, Outcome] = field(default_factory=dict)
    in_doubt: frozenset[str] = frozenset()
    wait: float | None = None

    def __or__(self, later: Judgement) -> Judgement:
        """Both together."""
        waits = [one for one in (self.wait, later.wait) if one is not None]
        return Judgement(
            settled={**self.settled, **later.settled},
            busy={**self.busy, **later.busy},
            in_doubt=self.in_doubt | later.in_doubt,
            wait=max(waits, default=None),
        )


class Conversation(Protocol):
    """What is said to one system about the rows of one unit; one object per unit."""

    tries: ClassVar[int]
    """Requests in a row without a single outcome, after which the delivery gives up."""

    lost_wait: ClassVar[float]
    """Seconds to wait, at most, before the first look after a lost answer."""

    @property
    def label(self) -> str:
        """The system's name in messages."""
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


def deliver(
    unit: Unit, talk: Conversation, ledger: Ledger, sleep: Callable[[float], None]
) -> Mapping[str, int]:
    """Ask until every row of a unit has its outcome, or finish a unit that a stop interrupted.

    What was begun is looked up first; what was refused is not asked again. The journal holds the
    outcome afterwards.

    Args:
        unit: its name in the journal.
        talk: the conversation about its rows.
        ledger: the journal.
        sleep: waits so many seconds.

    Returns:
        Rows by outcome, and ``rows`` in all.

    Raises:
        Stopped: the system cannot be reached, or does not answer; the same command continues.
    """
    keys = dict.fromkeys(talk.foreseen()[_KEY])
    delivery = _Delivery(unit=unit, talk=talk, ledger=ledger, sleep=sleep, waiting=keys)
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
    bytes: int = 0
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
        before = len(self.waiting)
        reply = self._send()
        if isinstance(reply, LostAnswer):
            self.in_doubt.update(self.waiting)
            self.sleep(self.talk.lost_wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        self.judged = self.talk.judge(self._make_rows(), reply)
        is_busy = bool(self.judged.busy) or isinstance(reply, Busy)
        self.left_open = "busy" if is_busy else "unanswered"
        self._take(self.judged)
        self.idle = self.idle + 1 if len(self.waiting) == before else 0
        if self.idle == self.talk.tries:
            self._give_up(reply)

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

    def _make_rows(self) -> Waiting:
        return Waiting(
            keys=tuple(self.waiting), in_doubt=frozenset(self.in_doubt & self.waiting.keys())
        )

    def _close(self) -> None:
        """End the last attempt in the journal, and wait if the system asked for it."""
        if self.attempt is not None and self.left_open is not None:
            self.ledger.close(self.attempt, self.left_open)
        if self.judged.wait is not None:
            seconds = round(self.judged.wait, 1)
            self.ledger.journal.append("throttled", seconds=seconds, **self.unit.ids)
            self.sleep(self.judged.wait)

    def _send(self) -> Reply:
        rows = self._make_rows()
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

    def _give_up(self, reply: Reply) -> None:
        """Rows that the system was too busy for have failed; the others get another turn.

        Where it was busy for no row of its own, the command stops.
        """
        busy = {key: self.judged.busy[key] for key in self.waiting if key in self.judged.busy}
        if busy:
            self._take(Judgement(settled=busy))
            self.idle = 0
        elif isinstance(reply, Busy):
            raise reply
        else:
            raise LostAnswer(
                f"did not answer {self.talk.tries} requests with the same rows. Run the same "
                "command again to continue.",
                where=self.talk.label,
            )
