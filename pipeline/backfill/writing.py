"""One share of a backfill: written in one request, row by row guarded by its version, until every row has its outcome.

A request whose answer was lost is not simply repeated: its rows are read back first. What carries
the planned version was not written; what has our values was; anything else was changed by somebody
and is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import orjson
import polars as pl

from pipeline.backfill.shares import COLUMNS, NUMBER, Row, Share
from pipeline.errors import AccessDenied, Refusal, Stopped
from pipeline.load.outcome import counted
from pipeline.run.ledger import ODATA, REFUSED, Ledger
from pipeline.wire import multipart
from pipeline.wire.failures import retry_after
from pipeline.wire.multipart import Answer, Operation, Request
from pipeline.wire.once import Busy, Declined, LostAnswer
from pipeline.wire.salesrows import ETAG, SalesRows
from schemas.codes import catalogue

_TRIES: Final = 8
"""Requests in a row after which not one row more may have its answer."""

_LOST_WAIT: Final = 2.0
_BUSY_WAIT: Final = 30.0
_THROTTLED: Final = 429
_BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})
_DENIED: Final = 403
_GONE: Final = 404
_CHANGED: Final = 412
_TAKEN: Final = "0x80060892"
_MODIFIED_BY: Final = "_modifiedby_value"
_READ: Final = (*COLUMNS, _MODIFIED_BY)
_CONTACT: Final = "Microsoft.Dynamics.CRM.contact"


@dataclass(kw_only=True, slots=True)
class _State:
    """How a share stands."""

    waiting: dict[str, Row]
    doubtful: set[str] = field(default_factory=set)
    """Rows of requests whose answers were lost."""
    busy: dict[str, str] = field(default_factory=dict)
    stop: Busy | None = None
    """Sales took nothing of the last request."""
    refused: list[dict[str, str | None]] = field(default_factory=list)
    bytes: int = 0
    one_by_one: bool = False
    """Whether a bulk message failed before, so that its rows go each on their own."""

    def refuse(self, contactid: str, outcome: str, code: str, text: str = "") -> None:
        """A row's outcome is not ``updated``."""
        told = catalogue()[code].message(detail=text)
        self.refused.append(
            {"destination_key": contactid, "outcome": outcome, "code": code, "message": told}
        )
        self.settle(contactid)

    def settle(self, contactid: str) -> None:
        """A row needs nothing more."""
        self.waiting.pop(contactid, None)
        self.busy.pop(contactid, None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Writer:
    """Writes shares into one Sales; several threads may use it.

    ``caller`` is the user who we are.
    """

    sales: SalesRows
    ledger: Ledger
    caller: str
    in_bulk: bool = False
    """Whether ``UpdateMultiple`` is tried first. It knows no versions: between our look and our
    write nobody else may write."""

    def write(self, share: Share) -> int:
        """Write a share, or finish one that a stop interrupted.

        The journal holds its outcome afterwards.

        Returns:
            How many rows it has.

        Raises:
            Stopped: Sales cannot be reached, denies us every row, or lost answers again and again;
                the same command goes on.
        """
        begun = [dict(entry.payload) for entry in self.ledger.attempts(share.unit)]
        state = _State(waiting={row.contactid: row for row in share.rows})
        ids, is_open = (
            (begun[-1], self.ledger.under_way(share.unit) is not None) if begun else ({}, False)
        )
        if begun:
            state.doubtful = set(state.waiting)
            self._look_up(state, list(state.waiting))
        number, idle = len(begun), 0
        while state.waiting and idle < _TRIES:
            if is_open:
                self.ledger.close(ids, "busy" if state.busy or state.stop else "unanswered")
            number, before = number + 1, len(state.waiting)
            ids, is_open = self._ask(share, state, number), True
            idle = idle + 1 if len(state.waiting) == before else 0
        self._end(share, state, ids)
        return len(share.rows)

    def _ask(self, share: Share, state: _State, number: int) -> dict[str, Any]:
        """Send what is waiting; the ids of the intent."""
        bulk = self.in_bulk and not state.one_by_one
        if bulk:
            self._look_up(state, list(state.waiting))
        rows = list(state.waiting.values())
        request = (
            _targets(rows)
            if bulk
            else multipart.request([self._operation(row) for row in rows], changesets=False)
        )
        ids = self.ledger.intend(
            ODATA,
            share.unit,
            attempt=number,
            operations=len(rows),
            request=request.sha256,
            way="UpdateMultiple" if bulk else "$batch",
        )
        state.bytes += len(request.body)
        state.stop = None
        try:
            self._send(state, rows, request, bulk=bulk)
        except LostAnswer:
            state.busy.clear()
            state.doubtful |= {row.contactid for row in rows}
            self.sales.system.pace.sleep(_LOST_WAIT)
            self._look_up(state, [row.contactid for row in rows])
        except Busy as busy:
            state.busy.clear()
            state.stop = busy
        except Declined as declined:
            if not bulk:
                for row in rows:
                    said = declined.refusal
                    state.refuse(
                        row.contactid,
                        "failed",
                        "sales_refused",
                        (said.cause or said.code).rstrip(". "),
                    )
            state.one_by_one = True
        except Stopped:
            self.ledger.close(ids, "stopped")
            raise
        return ids

    def _send(self, state: _State, rows: list[Row], request: Request, *, bulk: bool) -> None:
        if not bulk:
            self._read(state, rows, self.sales.batch(request, len(rows)))
        elif rows:
            self.sales.action("contacts/Microsoft.Dynamics.CRM.UpdateMultiple", request.body)
            for row in rows:
                state.settle(row.contactid)

    def _operation(self, row: Row) -> Operation:
        headers = {"If-Match": row.etag, **self.sales.options}
        url = f"{self.sales.root}contacts({row.contactid})"
        return Operation(method="PATCH", url=url, body=orjson.dumps(row.changes), headers=headers)

    def _read(self, state: _State, rows: list[Row], answers: Mapping[int, Answer]) -> None:
        """What each row's answer says.

        Rows without one were not reached, or their answers were cut off.
        """
        state.busy.clear()
        if answers and all(answer.status == _DENIED for answer in answers.values()):
            told = (
                "allows none of these updates (HTTP 403). Give the application user a role that "
                "may write contacts."
            )
            raise AccessDenied(told, where=self.sales.label, refusal=Refusal(status=_DENIED))
        changed = []
        for number, row in enumerate(rows, start=1):
            answer = answers.get(number)
            if answer is None:
                state.doubtful.add(row.contactid)
                changed.append(row.contactid)
            elif answer.ok:
                state.settle(row.contactid)
            elif answer.status == _CHANGED and answer.refusal.code != _TAKEN:
                changed.append(row.contactid)
            else:
                _refuse(state, row.contactid, answer)
        waits = [_wait(answer) for answer in answers.values() if answer.status == _THROTTLED]
        if waits:
            self.sales.hold("$batch", max(waits))
        if changed:
            self._look_up(state, changed)

    def _look_up(self, state: _State, ids: list[str]) -> None:
        """Read rows back: those of the planned version wait on, all others have their outcome now."""
        there = self.sales.found("contacts", "contactid", _READ, ids)
        for contactid in ids:
            row, now = state.waiting[contactid], there.get(contactid)
            if now is None:
                state.refuse(contactid, "failed", "gone_from_sales")
            elif now[ETAG] != row.etag:
                self._judge(state, row, now)

    def _judge(self, state: _State, row: Row, now: Mapping[str, Any]) -> None:
        """A row that is not of the planned version any more: written by us, or by somebody else."""
        if row.contactid in state.doubtful and row.is_ours(now):
            if row.ranked or str(now.get(_MODIFIED_BY) or "").lower() == self.caller:
                state.settle(row.contactid)
            else:
                state.refuse(row.contactid, "unknown", "sales_answer_lost")
        elif row.is_met(now):
            code = "number_meanwhile" if row.ranked else "done_meanwhile"
            state.refuse(row.contactid, "unchanged", code, str(now.get(NUMBER) or ""))
        else:
            state.refuse(row.contactid, "failed", "changed_since_plan")

    def _end(self, share: Share, state: _State, ids: Mapping[str, Any]) -> None:
        """Write down what became of the share.

        Rows that Sales was too busy for to the end have failed.
        """
        if state.waiting.keys() - state.busy.keys():
            told = f"did not answer {_TRIES} requests with the same rows. The same command goes on."
            raise state.stop or LostAnswer(told, where=self.sales.label)
        for contactid in list(state.waiting):
            state.refuse(contactid, "failed", "sales_busy", state.busy.get(contactid, ""))
        refused = pl.DataFrame(state.refused, schema=REFUSED)
        written = pl.DataFrame(
            {"destination_key": [row.contactid for row in share.rows]}
        ).with_columns(action=pl.lit("update"))
        self.ledger.end(
            ids, "answered", counted(written, refused, frozenset()), refused, bytes=state.bytes
        )


def _targets(rows: Iterable[Row]) -> Request:
    targets = [{"@odata.type": _CONTACT, "contactid": row.contactid, **row.changes} for row in rows]
    return Request(content_type="application/json", body=orjson.dumps({"Targets": targets}))


def _refuse(state: _State, contactid: str, answer: Answer) -> None:
    """A row's own failure: for good, or for now."""
    code, text = answer.refusal.code, answer.refusal.cause.rstrip(".")
    if answer.status in _BUSY:
        state.busy[contactid] = text
        state.doubtful |= {contactid} if answer.status != _THROTTLED else set()
    elif code == _TAKEN:
        state.refuse(contactid, "failed", "number_taken")
    elif answer.status == _GONE:
        state.refuse(contactid, "failed", "gone_from_sales")
    elif answer.status == _DENIED:
        state.refuse(contactid, "failed", "sales_denied", text)
    else:
        state.refuse(contactid, "failed", "sales_refused", text or code)


def _wait(answer: Answer) -> float:
    seconds = retry_after(httpx.Headers(answer.headers))
    return _BUSY_WAIT if seconds is None else seconds
