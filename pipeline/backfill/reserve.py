"""Numbers reserved once for a whole run, while other clients keep creating contacts.

The counter is moved on in one guarded update; creates get the numbers behind it. The update names
the version of the counter's row that was read, so of any number of sendings of one attempt at most
one takes effect. After a lost answer the row shows what happened: it is as it was (send again); or
it stands behind our numbers and nobody has them (they are ours); or the attempt had no effect and
never will (begin another one; if it had an effect after all, its numbers are a gap).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypedDict, cast

from pipeline.backfill.counter import (
    COUNTERS,
    NEXT,
    Reservation,
    find_first_number,
    is_taken,
    read_counter,
)
from pipeline.run.journal import Entry, Journal, find_unfinished
from pipeline.wire.once import Busy, Declined, LostAnswer
from pipeline.wire.salesrows import SalesRows

RESERVE: Final = "reserve"
"""The effect in the journal; its *done* carries ``result``: reserved, changed (others were first),
void (it had no effect)."""

_CHANGED: Final = 412
_TRIES: Final = 12
_LOST_WAIT: Final = 2.0

Effect = Literal["reserved", "void", "open"]


class Attempt(TypedDict):
    """An attempt at a reservation, as the journal has it.

    The counter's row that was read, its next number, our first one, and how many are ours.
    """

    counter: str
    etag: str
    found: int
    base: int
    count: int


def find_base(entries: Iterable[Entry]) -> int | None:
    """The first number of the run's reservation, by its journal; null while there is none."""
    done = _list_results(entries)
    return next((int(one["base"]) for one in done if one["result"] == "reserved"), None)


def find_gaps(entries: Iterable[Entry]) -> list[tuple[int, int]]:
    """First and last of the numbers that an attempt may have reserved in vain.

    Its answer was lost, and others moved the counter past it.
    """
    done = _list_results(entries)
    return [
        (one["base"], one["base"] + one["count"] - 1) for one in done if one["result"] == "void"
    ]


def _list_results(entries: Iterable[Entry]) -> list[Mapping[str, Any]]:
    """How attempts at a reservation ended."""
    return [
        one.payload
        for one in entries
        if one.event == "done" and one.payload.get("effect") == RESERVE
    ]


def reserve(rows: SalesRows, journal: Journal, wanted: Reservation) -> int:
    """The first of ``wanted.count`` numbers that are this run's alone.

    They are reserved now, or were by an earlier start of the run.

    Raises:
        PlanRefused: the counter is not as the plan found it, or numbers would become too long;
            nothing was reserved.
        Stopped: Sales failed; the same command continues, and finds out what the last attempt did.
    """
    base = find_base(journal.entries)
    return _Reserving(rows, journal, wanted).make() if base is None else base


class _Reserving:
    """Attempts at a reservation, one after the other until one is known to have taken effect."""

    def __init__(self, rows: SalesRows, journal: Journal, wanted: Reservation) -> None:
        self._rows = rows
        self._journal = journal
        self._wanted = wanted
        begun = [
            one.payload
            for one in find_unfinished(journal.entries)
            if one.payload.get("effect") == RESERVE
        ]
        self._attempt: Attempt | None = None
        if begun:
            said = {name: value for name, value in begun[-1].items() if name != "effect"}
            self._attempt = cast("Attempt", said)
        self._lost = bool(begun)
        """Whether the attempt may have taken effect already."""

    def make(self) -> int:
        """Try until numbers are reserved; the first of them."""
        idle = 0
        while True:
            attempt = self._attempt or self._intend()
            if self._lost:
                effect = self._look_up(attempt)
                if effect != "open":
                    self._end(attempt, effect)
                if effect == "reserved":
                    return int(attempt["base"])
                if effect == "void":
                    continue
            try:
                done = self._send(attempt)
            except (LostAnswer, Busy) as error:
                idle += 1
                self._lost |= isinstance(error, LostAnswer)
                if idle >= _TRIES:
                    raise
                self._rows.system.pace.sleep(_LOST_WAIT)
            else:
                if done:
                    return int(attempt["base"])

    def _intend(self) -> Attempt:
        now = read_counter(self._rows, self._wanted.entity)
        base = find_first_number(self._rows, now, self._wanted)
        self._attempt = {
            "counter": now.id,
            "etag": now.etag,
            "found": now.next,
            "base": base,
            "count": self._wanted.count,
        }
        self._journal.intent(RESERVE, **self._attempt)
        return self._attempt

    def _send(self, attempt: Attempt) -> bool:
        """Send an attempt; whether it took effect.

        One that came too late is given up, unless an answer was lost before.
        """
        try:
            path = f"{COUNTERS}({attempt['counter']})"
            self._rows.patch(path, attempt["etag"], {NEXT: attempt["base"] + attempt["count"]})
        except Declined as declined:
            if declined.refusal.status != _CHANGED:
                self._end(attempt, "changed")
                raise
            if not self._lost:
                # Delivered twice, the update itself changed the counter: nobody can tell whose
                # these numbers are, so they are a gap.
                effect = self._look_up(attempt)
                self._end(attempt, "void" if effect == "reserved" else "changed")
            return False
        self._end(attempt, "reserved")
        return True

    def _look_up(self, attempt: Attempt) -> Effect:
        """What a doubtful attempt did.

        If contacts have its numbers, creates handed them out: the counter passed without us.
        """
        now = read_counter(self._rows, self._wanted.entity)
        if now.etag == attempt["etag"]:
            return "open"
        first, last = attempt["base"], attempt["base"] + attempt["count"] - 1
        taken = any(is_taken(self._rows, self._wanted.prefix, number) for number in (first, last))
        return "reserved" if now.next > last and not taken else "void"

    def _end(self, attempt: Attempt, result: str) -> None:
        self._journal.done(RESERVE, **attempt, result=result)
        self._attempt, self._lost = None, False


def hold_counter(rows: SalesRows, journal: Journal, wanted: Reservation, base: int) -> bool:
    """Put a counter that a create set back behind the reserved numbers again.

    The solution's own step may read the counter before our update and write it after; then it
    hands out numbers of ours.

    Returns:
        Whether the counter was where it should be.
    """
    behind, was_held = base + wanted.count, True
    for _ in range(_TRIES):
        now = read_counter(rows, wanted.entity)
        if now.next >= behind:
            return was_held
        was_held = False
        journal.append("counter_fell_back", found=now.next, put_to=behind)
        try:
            rows.patch(f"{COUNTERS}({now.id})", now.etag, {NEXT: behind})
        except (Declined, LostAnswer, Busy):
            rows.system.pace.sleep(_LOST_WAIT)
    return False
