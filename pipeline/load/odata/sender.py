"""One request's share of a batch over OData: each row in a changeset of its own, created or updated as the plan found.

A request whose answer was lost is not simply repeated: what SCM has under the rows' keys is looked
up first, and only what did not arrive is sent again.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import httpx
import polars as pl

from pipeline.errors import Stopped
from pipeline.load.outcome import counted
from pipeline.run.files import write_table
from pipeline.run.ledger import ODATA, REFUSED, Ledger, Unit
from pipeline.scm import lookup
from pipeline.scm.literals import address, body
from pipeline.scm.messages import Explained, explained
from pipeline.wire import multipart
from pipeline.wire.failures import retry_after
from pipeline.wire.multipart import Answer, Operation
from pipeline.wire.once import Busy, Declined, LostAnswer
from pipeline.wire.scm import Scm
from schemas.catalogue import Column, Entity

_TRIES: Final = 6
"""Requests in a row after which not one row more may have its answer."""

BEFORE: Final = "before"
"""The folder of what SCM had under keys that were updated."""

_KEY: Final = lookup.KEY
_BUSY: Final = frozenset({408, 429, 503})
_GONE: Final = 404
_LOST_WAIT: Final = 5.0
_LATER_WAIT: Final = 2.0
_BUSY_WAIT: Final = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """The rows of one request.

    ``rows`` has the destination columns, legal_entity, destination_key and action.
    """

    unit: Unit
    first: int
    """Place of its first row in the batch, from 0."""
    entity: Entity
    columns: Mapping[str, Column]
    rows: pl.DataFrame


@dataclass(kw_only=True, slots=True)
class State:
    """How a share stands: rows still to be sent, those with another outcome than foreseen, and what is in doubt."""

    waiting: pl.DataFrame
    refused: list[dict[str, str | None]] = field(default_factory=list)
    busy: dict[str, str] = field(default_factory=dict)
    """Rows that SCM was too busy for, with its message."""
    declined: dict[str, Explained] = field(default_factory=dict)
    """Rows that SCM did not take, with what it said, for whom a look tells what that means."""
    sent: set[str] = field(default_factory=set)
    """Rows of requests whose answers were lost."""
    lost: LostAnswer | None = None
    wait: float = 0.0
    bytes: int = 0

    def refuse(self, key: str, outcome: str, code: str | None, message: str | None) -> None:
        """A row's outcome is not the one that its action foresaw."""
        self.refused.append({_KEY: key, "outcome": outcome, "code": code, "message": message})

    def settle(self, keys: set[str]) -> None:
        """These rows need nothing more."""
        self.waiting = self.waiting.filter(~pl.col(_KEY).is_in(list(keys)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """Sends shares to one SCM and writes down what became of them; several threads may use it."""

    scm: Scm
    ledger: Ledger

    def send(self, share: Share) -> None:
        """Send a share, or finish one that a stop interrupted.

        The journal holds its outcome afterwards.

        Raises:
            Stopped: SCM cannot be reached, or answers were lost again and again; the same command
                goes on.
        """
        begun = [dict(entry.payload) for entry in self.ledger.attempts(share.unit)]
        planned = self._planned(share, begun)
        state = State(waiting=planned)
        ids, is_open = (
            (begun[-1], self.ledger.under_way(share.unit) is not None) if begun else ({}, False)
        )
        state.sent = set(planned[_KEY]) if begun else set()
        self._settle_known(share, state)
        number, idle = len(begun), 0
        while not state.waiting.is_empty() and idle < _TRIES:
            if is_open:
                self._again(share.unit, ids, state)
            number, before = number + 1, state.waiting.height
            ids, is_open = self._ask(share, state, number), True
            if state.lost is not None:
                self.scm.sleep(_LOST_WAIT * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
                self._look_up(share, state)
            elif state.declined:
                self._look_up(share, state)
            idle = idle + 1 if state.waiting.height == before else 0
        self._end(share, state, planned, ids)

    def _settle_known(self, share: Share, state: State) -> None:
        """Before the first request: what earlier starts sent."""
        if state.sent:
            self._look_up(share, state)

    def _planned(self, share: Share, begun: list[dict[str, Any]]) -> pl.DataFrame:
        """The rows with ``create`` or ``update``: what SCM has under their keys decides where the plan did not.

        What SCM had before an update is kept in ``before/``, for whoever wants to undo it.
        """
        if begun:
            return _decided(share.rows, [share.rows[_KEY][place] for place in begun[0]["creates"]])
        unsure = share.rows.filter(pl.col("action") != "create")
        there = lookup.found(self.scm, share.entity, list(share.columns), unsure)
        if not there.is_empty():
            folder = self.ledger.folder.path / BEFORE / share.unit.task
            write_table(folder / f"{share.unit.name}.parquet", there)
        return _decided(share.rows, unsure.join(there, on=_KEY, how="anti")[_KEY].to_list())

    def _ask(self, share: Share, state: State, number: int) -> dict[str, Any]:
        """Send what is waiting; the ids of the intent.

        What has an answer is not waiting afterwards.
        """
        rows = state.waiting
        request = multipart.request(
            [self._operation(share, row) for row in rows.iter_rows(named=True)]
        )
        state.bytes += len(request.body)
        ids = self.ledger.intend(
            ODATA, share.unit, attempt=number, first=share.first, operations=rows.height, request=request.sha256,
            creates=_chosen(share.rows, rows),
        )  # fmt: skip
        try:
            answers = self.scm.batch(
                request.content_type, request.body, partial(_answers, rows.height)
            )
        except LostAnswer as lost:
            state.sent |= set(rows[_KEY])
            state.busy.clear()
            state.lost = lost
        except Busy as busy:
            state.busy |= dict.fromkeys(rows[_KEY], busy.message)
            state.wait = busy.seconds
        except Declined as declined:
            meant = explained([declined.refusal.cause], "package_refused")
            for key in rows[_KEY]:
                state.refuse(key, "failed", meant.code, meant.text)
            state.settle(set(rows[_KEY]))
        except Stopped:
            self.ledger.close(ids, "not_sent")
            raise
        else:
            self._read(state, rows, answers)
        return ids

    def _operation(self, share: Share, row: Mapping[str, Any]) -> Operation:
        area = share.unit.legal_entity
        path = (
            share.entity.odata_set
            if row["action"] == "create"
            else address(share.entity, area, row)
        )
        url = f"{self.scm.root}/data/{path}?cross-company=true"
        if row["action"] == "create":
            return Operation(
                method="POST", url=url, body=body(share.columns, row, area), headers={}
            )
        return Operation(
            method="PATCH", url=url, body=body(share.columns, row, None), headers={"If-Match": "*"}
        )

    def _read(self, state: State, rows: pl.DataFrame, answers: Mapping[int, Answer]) -> None:
        """What each row's answer says.

        Rows without one were not reached, for a server may stop at the first failure.
        """
        settled: set[str] = set()
        state.busy.clear()
        for number, (key, action) in enumerate(rows.select(_KEY, "action").iter_rows(), start=1):
            answer = answers.get(number)
            if answer is not None and (answer.ok or self._is_final(state, key, action, answer)):
                settled.add(key)
        state.settle(settled)

    def _is_final(self, state: State, key: str, action: str, answer: Answer) -> bool:
        """A row that failed: whether there is nothing more to do about it."""
        text = answer.refusal.cause
        meant = explained([text])
        if answer.status in _BUSY or meant.later:
            state.busy[key] = meant.text
            state.wait = max(state.wait, _wait(answer) if answer.status in _BUSY else _LATER_WAIT)
            return False
        if meant.code == "refused_exists" and key in state.sent:
            state.lost = LostAnswer(
                "has a record that an earlier request sent.", where=self.scm.label
            )
            return False
        if answer.status == _GONE and action == "update":
            meant = explained([text], "gone_from_scm")
        return self._refused(state, key, meant)

    def _refused(self, state: State, key: str, meant: Explained) -> bool:
        """SCM does not take a row: whether that is its outcome."""
        state.refuse(key, "failed", meant.code, meant.text)
        return True

    def _again(self, unit: Unit, ids: Mapping[str, Any], state: State) -> None:
        """Before the next request: end the last attempt, wait if SCM asked for it."""
        self.ledger.close(ids, "busy" if state.busy else "unanswered")
        if state.busy:
            self.ledger.journal.append("throttled", seconds=round(state.wait, 1), **unit.ids)
            self.scm.sleep(state.wait)
        state.wait = 0.0

    def _look_up(self, share: Share, state: State) -> None:
        """What arrived of the rows whose answers were lost.

        An update that did not is sent again, for that does no harm.
        """
        doubtful = state.waiting.filter(pl.col(_KEY).is_in(list(state.sent)))
        there = lookup.found(self.scm, share.entity, list(share.columns), doubtful)
        arrived = lookup.same(doubtful, there, share.columns)
        made = doubtful.filter((pl.col("action") == "create") & ~pl.col(_KEY).is_in(list(arrived)))
        others = set(made.join(there, on=_KEY, how="semi")[_KEY])
        for key in others:
            state.refuse(
                key,
                "unknown",
                "answer_lost",
                "The answer was lost; SCM has a record with this key, with other values.",
            )
        state.settle(arrived | others)
        state.lost = None

    def _end(
        self, share: Share, state: State, planned: pl.DataFrame, ids: Mapping[str, Any]
    ) -> None:
        """Write down what became of the share.

        Rows that SCM was too busy for to the end have failed.
        """
        if not state.waiting.is_empty() and not state.busy:
            told = f"did not answer {_TRIES} requests with the same rows. The same command goes on."
            raise LostAnswer(told, where=self.scm.label)
        for key in state.waiting[_KEY]:
            state.refuse(key, "failed", "refused_conflict", state.busy.get(key, ""))
        _tell_upserts(share, state, planned)
        refused = pl.DataFrame(state.refused, schema=REFUSED)
        self.ledger.end(
            ids, "answered", counted(planned, refused, frozenset()), refused, bytes=state.bytes
        )


def _answers(count: int, response: httpx.Response) -> dict[int, Answer]:
    return multipart.answers(response.headers.get("Content-Type", ""), response.content, count)


def _wait(answer: Answer) -> float:
    seconds = retry_after(httpx.Headers(answer.headers))
    return _BUSY_WAIT if seconds is None else seconds


def _decided(rows: pl.DataFrame, creates: list[str]) -> pl.DataFrame:
    """Rows of which the plan did not know whether they are there are created or updated now."""
    action = pl.when(pl.col(_KEY).is_in(creates)).then(pl.lit("create")).otherwise(pl.lit("update"))
    return rows.with_columns(
        action=pl.when(pl.col("action") == "upsert").then(action).otherwise("action")
    )


def _chosen(share: pl.DataFrame, rows: pl.DataFrame) -> list[int]:
    """Places in the share of the rows that are created though the plan did not know."""
    there = share.with_row_index("place").filter(pl.col("action") == "upsert")
    return there.join(rows.filter(pl.col("action") == "create"), on=_KEY, how="semi")[
        "place"
    ].to_list()


def _tell_upserts(share: Share, state: State, planned: pl.DataFrame) -> None:
    """What became of a row planned as ``upsert`` no action tells later: it is written down."""
    known = {one[_KEY] for one in state.refused}
    upserts = share.rows.filter(pl.col("action") == "upsert").select(_KEY)
    for key, action in (
        planned.join(upserts, on=_KEY, how="semi", maintain_order="left")
        .select(_KEY, "action")
        .iter_rows()
    ):
        if key not in known:
            state.refuse(key, f"{action}d", None, None)
