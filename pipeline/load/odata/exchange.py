"""One request with SCM: the rows that it is about, how it is sent, what its answers say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeAlias

import httpx
import polars as pl

from pipeline.load.answers import read_wait
from pipeline.load.delivery import Answers, Judgement, Outcome, Waiting
from pipeline.scm import lookup
from pipeline.scm.literals import build_row_address, build_row_body
from pipeline.scm.messages import Explanation, explain_messages, explain_refusal, explain_size
from pipeline.wire import multipart
from pipeline.wire.multipart import BatchOperation, BatchRequest, PartAnswer
from pipeline.wire.once import TOO_LARGE, Declined
from pipeline.wire.scm import Scm
from schemas.catalogue import Column, Entity

_BUSY: Final = frozenset({408, 429, 503})
_GONE: Final = 404
_LATER_WAIT: Final = 2.0
"""Seconds until a row that met another one in SCM is sent again."""
_CONFLICT: Final = "refused_conflict"


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """The rows of one request: a slice of a batch.

    ``rows`` has the destination columns, legal_entity, destination_key and action.
    """

    legal_entity: str
    first: int
    """Place of its first row in the batch, from 0."""
    entity: Entity
    columns: Mapping[str, Column]
    rows: pl.DataFrame


def select_rows(rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """The rows with these keys, in their order."""
    return rows.filter(pl.col(lookup.KEY).is_in(list(keys)))


def make_upsert(root: str, part: Slice, row: Mapping[str, object]) -> BatchOperation:
    """The operation that creates or updates a row, as its ``action`` says."""
    entity, columns, area = part.entity, part.columns, part.legal_entity
    is_new = row["action"] == "create"
    path = entity.odata_set if is_new else build_row_address(entity, area, row)
    return BatchOperation(
        method="POST" if is_new else "PATCH",
        url=f"{root}/data/{path}?cross-company=true",
        body=build_row_body(columns, row, area if is_new else None),
        headers={} if is_new else {"If-Match": "*"},
    )


def send_batch(scm: Scm, request: BatchRequest, count: int) -> Answers:
    """Send a ``$batch`` of so many operations, once. Raises as ``Scm.batch`` does."""
    return scm.batch(request.content_type, request.body, partial(_read_batch, count))


def _read_batch(count: int, response: httpx.Response) -> Answers:
    return multipart.parse_answers(
        response.headers.get("Content-Type", ""), response.content, count
    )


def refuse_row(meant: Explanation) -> Outcome:
    """The outcome of a row that SCM refused."""
    return Outcome("failed", meant.code, meant.text)


Refuse: TypeAlias = Callable[[Explanation], Outcome]
"""What a refusal makes of a row."""


def refuse_all(rows: Waiting, declined: Declined, refuse: Refuse = refuse_row) -> Judgement:
    """SCM did not take the request at all; rows keep waiting if the reason passes by itself."""
    said = declined.refusal
    explain = explain_size if said.status == TOO_LARGE else explain_refusal
    meant = explain([said.cause])
    refused = dict.fromkeys(rows.keys, refuse(meant))
    if meant.later:
        return Judgement(busy=refused, throttled=frozenset(rows.keys), wait=_LATER_WAIT)
    return Judgement(settled=refused)


@dataclass(frozen=True, kw_only=True, slots=True)
class Replies:
    """What the answers to a request say, row by row."""

    refuse: Refuse = refuse_row
    done: list[str] = field(default_factory=list)
    declined: dict[str, Explanation] = field(default_factory=dict)
    """Rows that SCM refused, with what it said."""
    busy: dict[str, Outcome] = field(default_factory=dict)
    throttled: set[str] = field(default_factory=set)
    """Busy rows that SCM had no time for, whatever they hold."""
    waits: list[float] = field(default_factory=list)
    """Seconds that busy rows are to wait."""
    silent: list[str] = field(default_factory=list)
    """Rows without an answer: a server may stop at the first failure, or the answers were cut."""

    def judge(self, settled: Mapping[str, Outcome | None]) -> Judgement:
        """What the answers mean, with the outcomes that are known by now."""
        return Judgement(
            settled=settled,
            busy=self.busy,
            throttled=frozenset(self.throttled),
            in_doubt=frozenset(self.silent),
            wait=self.wait,
        )

    @property
    def wait(self) -> float | None:
        """Seconds until all of the busy rows may be sent again; null if there are none."""
        return max(self.waits, default=None)


def read_answers(
    keys: Sequence[str],
    answers: Answers,
    updates: frozenset[str],
    refuse: Refuse = refuse_row,
) -> Replies:
    """Sort the answers to a request.

    Args:
        keys: the rows that were sent, in order.
        answers: what came back.
        updates: rows whose records must be there.
        refuse: makes the outcome of rows that SCM stays too busy for.
    """
    replies = Replies(refuse=refuse)
    for number, key in enumerate(keys, start=1):
        answer = answers.get(number)
        if answer is None:
            replies.silent.append(key)
        elif answer.ok:
            replies.done.append(key)
        else:
            _read_failure(replies, key, answer, is_update=key in updates)
    return replies


def _read_failure(replies: Replies, key: str, answer: PartAnswer, *, is_update: bool) -> None:
    text = answer.refusal.cause
    meant = explain_messages([text])
    if answer.status in _BUSY or meant.later:
        replies.busy[key] = replies.refuse(replace(meant, code=_CONFLICT))
        replies.waits.append(read_wait(answer) if answer.status in _BUSY else _LATER_WAIT)
        replies.throttled.update({key} if answer.status in _BUSY else ())
    elif answer.status == TOO_LARGE:
        replies.declined[key] = explain_size([text])
    elif answer.status == _GONE and is_update:
        replies.declined[key] = explain_messages([text], "gone_from_scm")
    else:
        replies.declined[key] = meant
