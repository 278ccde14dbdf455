"""Upserts into SCM: each row in a changeset of its own, created or updated as the plan found it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import polars as pl

from pipeline.load.delivery import Answers, Judgement, Outcome, Reply, Waiting
from pipeline.load.odata.before_images import keep_images
from pipeline.load.odata.exchange import (
    Slice,
    make_upsert,
    read_answers,
    refuse_all,
    refuse_row,
    select_rows,
    send_batch,
)
from pipeline.load.odata.shown import ANOTHER, read_shown_rows
from pipeline.run.folder import RunFolder
from pipeline.run.ledger import Unit
from pipeline.scm import lookup
from pipeline.scm.messages import FOREIGN, OTHER, Explanation
from pipeline.wire import multipart
from pipeline.wire.multipart import BatchRequest
from pipeline.wire.once import Busy, Declined, LostAnswer
from pipeline.wire.scm import Scm
from pipeline.wire.system import System

_KEY: Final = lookup.KEY
_MAY_BE_OURS: Final = frozenset({"refused_exists", OTHER, FOREIGN})
"""Codes of refusals that may be about a record that we made; the last two stand for what SCM says
in words that nobody knows."""
_OTHER_VALUES: Final = Outcome(
    "unknown",
    "answer_lost",
    "The answer was lost; SCM has a record with this key, but with other values.",
)


@dataclass(kw_only=True, slots=True)
class Upserts:
    """The conversation about planned rows that SCM is to have afterwards.

    A row planned as ``upsert`` is created or updated by what SCM has under its key when the unit
    is first sent. Its outcome is always written down: its action does not
    foresee one.
    """

    tries: ClassVar[int] = 6
    lost_wait: ClassVar[float] = 5.0

    scm: Scm
    folder: RunFolder
    unit: Unit
    part: Slice
    compares: bool = True
    """Whether the records that answers show are compared with what was sent."""
    decided: pl.DataFrame = field(init=False)
    """The rows, each with ``create`` or ``update``."""

    def __post_init__(self) -> None:
        self.decided = self.part.rows

    @property
    def system(self) -> System:
        """SCM."""
        return self.scm.system

    def foreseen(self) -> pl.DataFrame:
        """``destination_key`` and ``action`` of every row, in order."""
        return self.decided.select(_KEY, "action")

    def first_look(self, rows: Waiting, begun: Mapping[str, Any] | None) -> Judgement:
        """Decide which rows are created; settle those that an earlier start sent.

        What SCM has before an update is kept, for whoever wants to undo it.
        """
        if begun is None:
            self._decide(self._look_before())
            return Judgement()
        self._decide([self.part.rows[_KEY][place] for place in begun["creates"]])
        return self._look(rows.keys)

    def operations(self, rows: Waiting) -> BatchRequest:
        """A ``$batch`` with a changeset for each row."""
        waiting = select_rows(self.decided, rows.keys)
        return multipart.build_batch(
            [make_upsert(self.scm.root, self.part, row) for row in waiting.iter_rows(named=True)]
        )

    def facts(self, rows: Waiting) -> Mapping[str, Any]:
        """The slice's place in its batch, and the places of rows that are created after a look."""
        created = select_rows(self.decided, rows.keys).filter(pl.col("action") == "create")
        unsure = self.part.rows.with_row_index("place").filter(pl.col("action") == "upsert")
        creates = unsure.join(created, on=_KEY, how="semi", maintain_order="left")["place"]
        return {"first": self.part.first, "creates": creates.to_list()}

    def send(self, request: BatchRequest, count: int) -> Answers:
        """Send the batch, once."""
        return send_batch(self.scm, request, count)

    def judge(self, rows: Waiting, reply: Reply) -> Judgement:
        """What a reply means; after a lost answer SCM is asked what it has."""
        match reply:
            case LostAnswer():
                return self._look(rows.keys)
            case Busy():
                return Judgement()
            case Declined():
                return refuse_all(rows, reply)
            case _:
                return self._read(rows, reply)

    def last_look(self, rows: Waiting) -> Judgement:
        """Settle what has arrived."""
        return self._look(rows.keys)

    def _look_before(self) -> Sequence[str]:
        """The keys of rows that SCM does not have, of those that are not planned as ``create``."""
        unsure = self.part.rows.filter(pl.col("action") != "create")
        there = lookup.find_rows(self.scm, self.part.entity, list(self.part.columns), unsure)
        keep_images(self.folder, self.unit, there)
        return unsure.join(there, on=_KEY, how="anti")[_KEY].to_list()

    def _decide(self, creates: Sequence[str]) -> None:
        action = pl.when(pl.col(_KEY).is_in(list(creates))).then(pl.lit("create"))
        self.decided = self.part.rows.with_columns(
            action=pl.when(pl.col("action") == "upsert")
            .then(action.otherwise(pl.lit("update")))
            .otherwise("action")
        )

    def _read(self, rows: Waiting, answers: Answers) -> Judgement:
        """What the answers mean.

        Rows without one are looked up. So are those that SCM refuses because of a record that this
        request may have made itself: a gateway may have delivered it twice.
        """
        updates = frozenset(self.decided.filter(pl.col("action") == "update")[_KEY])
        replies = read_answers(rows.keys, answers, updates)
        shown = read_shown_rows(self.part, self.decided, rows.keys, answers)
        doubt, others = frozenset(replies.silent), shown.find_others()
        late = {
            key: meant
            for key, meant in replies.declined.items()
            if meant.code in _MAY_BE_OURS or (key not in updates and key in rows.in_doubt)
        }
        failed = {
            key: refuse_row(meant) for key, meant in replies.declined.items() if key not in late
        }
        done = [key for key in replies.done if key not in others]
        changed = shown.name_changes(done) if self.compares else {}
        settled = {**self._settle(done), **changed, **failed}
        found = replies.judge(settled)
        if not late and not doubt and not others:
            return found
        unclear = (rows.in_doubt | doubt | others | late.keys()) - settled.keys()
        looked = self._look([key for key in rows.keys if key in unclear])
        elsewhere = dict.fromkeys(others - looked.settled.keys(), ANOTHER)
        return (
            found
            | looked
            | _refuse_others(late, looked, rows.in_doubt)
            | Judgement(settled=elsewhere)
        )

    def _settle(self, keys: Sequence[str]) -> dict[str, Outcome | None]:
        """Rows that SCM has now."""
        planned = dict(self.part.rows.select(_KEY, "action").iter_rows())
        actions = dict(self.foreseen().iter_rows())
        return {
            key: Outcome(f"{actions[key]}d") if planned[key] == "upsert" else None for key in keys
        }

    def _look(self, keys: Sequence[str]) -> Judgement:
        """What arrived of rows whose answers were lost.

        An update that did not arrive is sent again; that does no harm.
        """
        rows, columns = select_rows(self.decided, keys), self.part.columns
        there = lookup.find_rows(self.scm, self.part.entity, list(columns), rows)
        arrived = lookup.find_equal_keys(rows, there, columns)
        made = rows.filter((pl.col("action") == "create") & ~pl.col(_KEY).is_in(list(arrived)))
        others = made.join(there, on=_KEY, how="semi")[_KEY]
        return Judgement(
            settled={**self._settle(list(arrived)), **dict.fromkeys(others, _OTHER_VALUES)}
        )


def _refuse_others(
    late: Mapping[str, Explanation], looked: Judgement, in_doubt: frozenset[str]
) -> Judgement:
    """Of rows that were refused and then looked up, those that SCM does not have as they were sent.

    A record with other values is somebody else's, unless an earlier request may have made it.
    """
    arrived = {
        key
        for key, outcome in looked.settled.items()
        if outcome is not _OTHER_VALUES or key in in_doubt
    }
    return Judgement(
        settled={key: refuse_row(meant) for key, meant in late.items() if key not in arrived}
    )
