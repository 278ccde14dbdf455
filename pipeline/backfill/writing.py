"""The write-back into Sales: row by row, each update guarded by the version that was planned.

A row that does not have the planned version any more is read back. If it has our values after a
lost answer, we wrote it; anything else was changed by somebody and is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import orjson
import polars as pl

from pipeline.backfill.shares import COLUMNS, NUMBER, ContactWrite
from pipeline.errors import AccessDenied, Refusal
from pipeline.load.answers import read_wait
from pipeline.load.delivery import Answers, Judgement, Outcome, Reply, Waiting
from pipeline.wire import multipart
from pipeline.wire.multipart import BatchOperation, BatchRequest, PartAnswer
from pipeline.wire.once import TOO_LARGE, Busy, Declined, LostAnswer
from pipeline.wire.salesrows import ETAG, SalesRows
from pipeline.wire.system import System
from schemas.codes import load_codes

_THROTTLED: Final = 429
_BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})
_AWAY: Final = _BUSY - {500}
"""Of these, what says nothing of the row: Sales throttles, or a gateway before it fails."""
_LATER_WAIT: Final = 2.0
"""Seconds until a row that Sales itself failed at is sent again."""
_DENIED: Final = 403
_GONE: Final = 404
_CHANGED: Final = 412
_TAKEN: Final = "0x80060892"
_MODIFIED_BY: Final = "_modifiedby_value"
_READ: Final = (*COLUMNS, _MODIFIED_BY)
_CONTACT: Final = "Microsoft.Dynamics.CRM.contact"
_BULK: Final = "UpdateMultiple"


@dataclass(kw_only=True, slots=True)
class Updates:
    """The conversation about rows of a backfill, or of its undo.

    ``caller`` is the id of the user that we are. With ``in_bulk``, ``UpdateMultiple`` is tried
    first. It checks no versions, so the rows are read back just before; nobody else may write in
    between. Once Sales refuses it, rows are sent one by one.
    """

    tries: ClassVar[int] = 8
    lost_wait: ClassVar[float] = 2.0

    sales: SalesRows
    caller: str
    rows: Sequence[ContactWrite]
    in_bulk: bool = False
    by_id: dict[str, ContactWrite] = field(init=False)

    def __post_init__(self) -> None:
        self.by_id = {row.contactid: row for row in self.rows}

    @property
    def system(self) -> System:
        """Sales."""
        return self.sales.system

    def foreseen(self) -> pl.DataFrame:
        """``destination_key`` and ``action`` of every row: its id, and an update."""
        keys = [row.contactid for row in self.rows]
        return pl.DataFrame({"destination_key": keys}).with_columns(action=pl.lit("update"))

    def first_look(self, rows: Waiting, begun: Mapping[str, Any] | None) -> Judgement:
        """Read the rows back if an earlier start sent them, or if nothing else checks versions."""
        return self._look(rows.keys, rows.in_doubt) if begun or self.in_bulk else Judgement()

    def operations(self, rows: Waiting) -> BatchRequest:
        """One ``UpdateMultiple``, or a ``$batch`` of guarded updates without changesets."""
        wanted = [self.by_id[key] for key in rows.keys]
        if self.in_bulk:
            return _make_bulk_request(wanted)
        return multipart.build_batch(
            [self._make_operation(row) for row in wanted], changesets=False
        )

    def facts(self, rows: Waiting) -> Mapping[str, Any]:
        """Which kind of request it is."""
        del rows
        return {"way": _BULK if self.in_bulk else "$batch"}

    def send(self, request: BatchRequest, count: int) -> Answers:
        """Send the request, once. ``UpdateMultiple`` has no answers row by row.

        Raises:
            AccessDenied: Sales denies every row.
        """
        if self.in_bulk:
            self.sales.action(f"contacts/Microsoft.Dynamics.CRM.{_BULK}", request.body)
            return {}
        answers = self.sales.batch(request, count)
        if answers and all(answer.status == _DENIED for answer in answers.values()):
            raise AccessDenied(
                "allows none of these updates (HTTP 403). Give the application user a role that "
                "may write contacts.",
                where=self.sales.label,
                refusal=Refusal(status=_DENIED),
            )
        return answers

    def judge(self, rows: Waiting, reply: Reply) -> Judgement:
        """What a reply means; rows that may have been written are read back."""
        match reply:
            case LostAnswer():
                return self._look(rows.keys, rows.in_doubt)
            case Busy():
                return self._look(rows.keys, rows.in_doubt) if self.in_bulk else Judgement()
            case Declined() if self.in_bulk:
                self.in_bulk = False
                return Judgement()
            case Declined():
                said = _fail("sales_refused", _describe_refusal(reply.refusal))
                return Judgement(settled=dict.fromkeys(rows.keys, said))
            case _ if self.in_bulk:
                return Judgement(settled=dict.fromkeys(rows.keys))
            case _:
                return self._read(rows, reply)

    def last_look(self, rows: Waiting) -> Judgement:
        """Settle what has been written, or changed by somebody."""
        return self._look(rows.keys, rows.in_doubt)

    def _make_operation(self, row: ContactWrite) -> BatchOperation:
        headers = {"If-Match": row.etag, **self.sales.options}
        url = f"{self.sales.root}contacts({row.contactid})"
        return BatchOperation(
            method="PATCH", url=url, body=orjson.dumps(row.changes), headers=headers
        )

    def _read(self, rows: Waiting, answers: Answers) -> Judgement:
        """What the answers mean.

        Rows without one were not reached, or their answers were cut off: they are read back, as
        are those that do not have the planned version.
        """
        given = {key: answers.get(number) for number, key in enumerate(rows.keys, start=1)}
        doubt = frozenset(key for key, answer in given.items() if _may_be_written(answer))
        unclear = [key for key, answer in given.items() if answer is None or _is_changed(answer)]
        clear = {key: one for key, one in given.items() if one is not None and not _is_changed(one)}
        busy = {
            key: _fail("sales_busy", _read_text(one))
            for key, one in clear.items()
            if one.status in _BUSY
        }
        settled = {key: _settle(one) for key, one in clear.items() if key not in busy}
        wait = self._hold(answers)
        throttled = frozenset(key for key in busy if clear[key].status in _AWAY)
        found = Judgement(
            settled=settled,
            busy=busy,
            throttled=throttled,
            in_doubt=doubt,
            wait=wait,
        )
        if not unclear:
            return found
        return found | self._look(unclear, rows.in_doubt | doubt, frozenset(unclear))

    def _hold(self, answers: Answers) -> float | None:
        """Everybody waits if Sales throttled a row.

        The seconds, if p2c does not wait that long, or if these rows alone are to wait.
        """
        waits = [read_wait(one) for one in answers.values() if one.status == _THROTTLED]
        longest = max(waits, default=0.0)
        if longest > self.system.policy.seconds:
            return longest
        if waits:
            self.sales.hold("$batch", longest)
        return max(map(_read_own_wait, answers.values()), default=0.0) or None

    def _look(
        self,
        keys: Sequence[str],
        in_doubt: frozenset[str],
        sent: frozenset[str] = frozenset(),
    ) -> Judgement:
        """Read rows back: those of the planned version keep waiting, all others are settled.

        ``sent`` are rows that were just answered, but not as written: a gateway may have delivered
        them twice.
        """
        there = self.sales.found("contacts", "contactid", _READ, keys)
        settled: dict[str, Outcome | None] = {}
        for key in keys:
            row, now = self.by_id[key], there.get(key)
            if now is None:
                settled[key] = _fail("gone_from_sales")
            elif now[ETAG] != row.etag:
                settled[key] = self._judge_change(
                    row, now, is_in_doubt=key in in_doubt, was_sent=key in sent
                )
        return Judgement(settled=settled)

    def _judge_change(
        self, row: ContactWrite, now: Mapping[str, Any], *, is_in_doubt: bool, was_sent: bool
    ) -> Outcome | None:
        """A row that does not have the planned version any more: who wrote it, we or others.

        Nobody else has a number that was reserved for us.
        """
        if (is_in_doubt or was_sent) and row.is_ours(now):
            if row.ranked or str(now.get(_MODIFIED_BY) or "").lower() == self.caller:
                return None
            if is_in_doubt:
                return Outcome("unknown", "sales_answer_lost", _describe("sales_answer_lost"))
        if row.is_met(now):
            name = "number_meanwhile" if row.ranked else "done_meanwhile"
            return Outcome("unchanged", name, _describe(name, str(now.get(NUMBER) or "")))
        return _fail("changed_since_plan")


def _make_bulk_request(rows: Iterable[ContactWrite]) -> BatchRequest:
    targets = [{"@odata.type": _CONTACT, "contactid": row.contactid, **row.changes} for row in rows]
    return BatchRequest(content_type="application/json", body=orjson.dumps({"Targets": targets}))


def _read_own_wait(answer: PartAnswer) -> float:
    """The seconds that a row waits before it is sent again, whatever the others do."""
    if answer.status in _BUSY - {_THROTTLED}:
        return read_wait(answer) if answer.status in _AWAY else _LATER_WAIT
    return 0.0


def _may_be_written(answer: PartAnswer | None) -> bool:
    """Whether a row without a clear answer may have been written all the same."""
    return answer is None or (answer.status in _BUSY and answer.status != _THROTTLED)


def _is_changed(answer: PartAnswer) -> bool:
    """Whether Sales says that the row does not have the planned version."""
    return answer.status == _CHANGED and _read_code(answer) != _TAKEN


def _settle(answer: PartAnswer) -> Outcome | None:
    """A row's outcome by its own answer."""
    if answer.ok:
        return None
    if _read_code(answer) == _TAKEN:
        return _fail("number_taken")
    if answer.status == _GONE:
        return _fail("gone_from_sales")
    if answer.status == _DENIED:
        return _fail("sales_denied", _read_text(answer))
    return _fail("sales_refused", _describe_refusal(answer.refusal))


def _fail(name: str, detail: str = "") -> Outcome:
    return Outcome("failed", name, _describe(name, detail))


def _describe(name: str, detail: str = "") -> str:
    return load_codes()[name].message(detail=detail)


def _describe_refusal(refusal: Refusal) -> str:
    """What Sales said; the status where nobody said anything."""
    said = (refusal.cause or refusal.code).rstrip(". ")
    reason = "a request with this row is too large" if refusal.status == TOO_LARGE else "no reason"
    return said or f"{reason} (HTTP {refusal.status})"


def _read_code(answer: PartAnswer) -> str:
    return answer.refusal.code


def _read_text(answer: PartAnswer) -> str:
    return answer.refusal.cause.rstrip(".")
