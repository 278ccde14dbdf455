"""The undo of a load in SCM: rows that it created are deleted, those it updated are restored.

A row is touched only while SCM still has exactly what the load wrote, and its version guards that
until the request arrives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

import orjson
import polars as pl

from pipeline.load.delivery import Answers, Judgement, Outcome, Reply, Waiting
from pipeline.load.odata.before_images import pick_image, read_images
from pipeline.load.odata.exchange import (
    Slice,
    read_answers,
    refuse_all,
    select_rows,
    send_batch,
)
from pipeline.scm import lookup
from pipeline.scm.literals import build_row_address, choose_blank
from pipeline.scm.messages import Explanation
from pipeline.wire import multipart
from pipeline.wire.multipart import BatchOperation, BatchRequest
from pipeline.wire.once import Busy, Declined, LostAnswer
from pipeline.wire.scm import Scm
from pipeline.wire.system import System
from schemas.catalogue import BOOLEANS, Column, ColumnKind
from schemas.codes import find_code

_KEY: Final = lookup.KEY


@dataclass(kw_only=True, slots=True)
class Undo:
    """The conversation about rows that a load wrote and that are taken back.

    What SCM has decides about each row: before the first request, after a lost answer, and when it
    refuses the row. ``part.rows`` has the before-images next to the rows.
    """

    tries: ClassVar[int] = 6
    lost_wait: ClassVar[float] = 5.0

    scm: Scm
    part: Slice
    versions: dict[str, str | None] = field(default_factory=dict)
    """Key → the version that was last looked at."""

    @property
    def system(self) -> System:
        """SCM."""
        return self.scm.system

    def foreseen(self) -> pl.DataFrame:
        """``destination_key`` and ``action`` of every row, in order."""
        return self.part.rows.select(_KEY, "action")

    def first_look(self, rows: Waiting, begun: Mapping[str, Any] | None) -> Judgement:
        """Settle what is gone, given back or changed already."""
        del begun
        return self._look(rows.keys, rows.in_doubt, {})

    def operations(self, rows: Waiting) -> BatchRequest:
        """A ``$batch`` with a changeset for each row."""
        waiting = select_rows(self.part.rows, rows.keys)
        return multipart.build_batch(
            [self._make_operation(row) for row in waiting.iter_rows(named=True)]
        )

    def facts(self, rows: Waiting) -> Mapping[str, Any]:
        """The slice's place in its batch; an undo creates nothing."""
        del rows
        return {"first": self.part.first, "creates": []}

    def send(self, request: BatchRequest, count: int) -> Answers:
        """Send the batch, once."""
        return send_batch(self.scm, request, count)

    def judge(self, rows: Waiting, reply: Reply) -> Judgement:
        """What a reply means; after a lost answer or a refusal SCM is asked what it has."""
        match reply:
            case LostAnswer():
                return self._look(rows.keys, rows.in_doubt, {})
            case Busy():
                return Judgement()
            case Declined():
                return refuse_all(rows, reply, _refuse)
            case _:
                return self._read(rows, reply)

    def last_look(self, rows: Waiting) -> Judgement:
        """Settle what has arrived, and what is not as the load wrote it."""
        return self._look(rows.keys, rows.in_doubt, {})

    def _make_operation(self, row: Mapping[str, Any]) -> BatchOperation:
        path = build_row_address(self.part.entity, self.part.legal_entity, row)
        is_delete = row["action"] == "delete"
        return BatchOperation(
            method="DELETE" if is_delete else "PATCH",
            url=f"{self.scm.root}/data/{path}?cross-company=true",
            body=b"" if is_delete else _write_image(self.part.columns, row),
            headers={"If-Match": self.versions.get(row[_KEY]) or "*"},
        )

    def _read(self, rows: Waiting, answers: Answers) -> Judgement:
        """What the answers mean.

        If SCM refuses a row, or says nothing about it, a look shows what it has now.
        """
        replies = read_answers(rows.keys, answers, frozenset(), _refuse)
        settled, doubt = dict.fromkeys(replies.done), frozenset(replies.silent)
        found = replies.judge(settled)
        if not replies.declined and not doubt:
            return found
        waiting = [key for key in rows.keys if key not in settled]
        return found | self._look(waiting, rows.in_doubt | doubt, replies.declined)

    def _look(
        self, keys: Sequence[str], in_doubt: frozenset[str], declined: Mapping[str, Explanation]
    ) -> Judgement:
        """Judge rows by what SCM has now.

        Those that it has as the load wrote them keep waiting, unless SCM declined them.
        """
        waiting, columns = select_rows(self.part.rows, keys), self.part.columns
        there = lookup.find_rows(self.scm, self.part.entity, list(columns), waiting, lookup.ETAG)
        self.versions.update(there.select(_KEY, lookup.ETAG).iter_rows())
        missing = set(waiting[_KEY]) - set(there[_KEY])
        written = lookup.find_equal_keys(waiting, there, columns)
        restored = _find_restored(waiting, there, columns)
        settled: dict[str, Outcome | None] = {}
        for key, action in waiting.select(_KEY, "action").iter_rows():
            if key in (missing if action == "delete" else restored):
                settled[key] = None if key in in_doubt else Outcome("unchanged")
            elif key in missing:
                settled[key] = _leave("gone_since_load")
            elif key not in written:
                settled[key] = _leave("changed_since_load")
            elif key in declined:
                settled[key] = _refuse(declined[key])
        return Judgement(settled=settled)


def _refuse(meant: Explanation) -> Outcome:
    """What SCM said, without the advice for loads: neither a plan nor a retry takes a row back."""
    return Outcome("failed", "undo_refused", meant.cause)


def _leave(name: str) -> Outcome:
    return Outcome("failed", name, find_code(name).message())


def _find_restored(
    rows: pl.DataFrame, there: pl.DataFrame, columns: Mapping[str, Column]
) -> set[str]:
    """The keys under which SCM has what it had before the load."""
    rows = rows.filter(pl.col("action") == "restore")
    if rows.is_empty():
        return set()
    images = read_images(rows, list(columns))
    touched = {name: replace(column, keeps=False) for name, column in columns.items()}
    kept = [name for name, column in columns.items() if column.keeps]
    if kept:
        images = _take_untouched(images, rows, there, kept)
    return lookup.find_equal_keys(images, there, touched)


def _take_untouched(
    images: pl.DataFrame, rows: pl.DataFrame, there: pl.DataFrame, kept: Sequence[str]
) -> pl.DataFrame:
    """The images with SCM's present values in columns that the load left alone."""
    now = there.select(lookup.KEY, *(pl.col(name).alias(f"now:{name}") for name in kept))
    sent = rows.select(lookup.KEY, *(pl.col(name).alias(f"sent:{name}") for name in kept))
    beside = images.join(now, on=lookup.KEY, how="left").join(sent, on=lookup.KEY, how="left")
    return beside.with_columns(
        pl.when(pl.col(f"sent:{name}").is_null())
        .then(pl.col(f"now:{name}"))
        .otherwise(pl.col(name))
        .alias(name)
        for name in kept
    ).select(images.columns)


def _write_image(columns: Mapping[str, Column], row: Mapping[str, Any]) -> bytes:
    """What SCM had before, as an update of all columns that the load wrote, but the key."""
    written = [
        name
        for name, column in columns.items()
        if not column.key and not (column.keeps and row[name] is None)
    ]
    texts = pick_image(row, written)
    return orjson.dumps({name: _to_json(columns[name], text) for name, text in texts.items()})


def _to_json(column: Column, text: str | None) -> str | int | float:
    """A value that SCM gave as text, as JSON."""
    if text is None:
        return choose_blank(column)
    match column.kind:
        case ColumnKind.INTEGER | ColumnKind.LONG:
            return int(text)
        case ColumnKind.DECIMAL:
            return float(text)
        case ColumnKind.BOOLEAN:
            return text.lower() == BOOLEANS[1]
        case _:
            return text
