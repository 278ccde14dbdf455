"""The two ways of a backfill: contacts stream by in this process, or engines get parts of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from pipeline.backfill.evidence import count_strays, store_activity, write_evidence
from pipeline.backfill.morsels import BackfillTally, Stream, plan_morsels
from pipeline.backfill.preparing import HashParts, find_last_row, name_candidates
from pipeline.backfill.ranking import Ranked, find_number_origin, settle_numbers, write_ranks
from pipeline.plan.request import Planning
from sql.query import query
from sql.session import Session

Decided = Iterator[tuple[pl.DataFrame, pl.DataFrame]]
"""The plan's rows and their findings, in source order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """What a look at all contacts found.

    Whether there are contacts, and some of them are selected; ``strays`` are documents that raise
    nobody's flag.
    """

    ranked: Ranked
    last_row: int
    strays: Mapping[str, int]
    are_there: bool
    are_selected: bool


class BackfillWay(Protocol):
    """How all contacts of a backfill are looked at, and decided about."""

    @property
    def hash_parts(self) -> HashParts | None:
        """See ``prepare_contacts``."""
        ...

    def survey(self, rows: int) -> Survey:
        """Look at all contacts, of which ``rows`` were read, once they are prepared."""
        ...

    def decide(self, survey: Survey, tally: BackfillTally) -> AbstractContextManager[Decided]:
        """Decide about all of them; ``tally`` counts on the way."""
        ...


class StreamedBackfill:
    """All contacts, one morsel after the other."""

    hash_parts: HashParts | None = None

    def __init__(
        self, planning: Planning, main: Session, md5: Callable[[pl.Series], pl.Series]
    ) -> None:
        self._planning = planning
        self._main = main
        self._md5 = md5
        self._evidence = planning.folder.path / "scratch" / "evidence.parquet"
        self._ranks = self._evidence.with_name("ranks.parquet")

    def survey(self, rows: int) -> Survey:
        """Look at all contacts, one question after the other."""
        main, settings = self._main, self._planning.project.settings.backfill
        name_candidates(main, self._planning)
        last_row = find_last_row(main, self._planning.request.limit, rows)
        statuses = list_document_states(self._planning)
        store_activity(main, statuses)
        write_evidence(main, self._evidence)
        strays = count_strays(main, statuses)
        for name in ("activity_of", "evidence"):
            main.drop(name)
        source = find_number_origin(main)
        highest = int(main.frame(query("backfill/highest"), pattern=source.pattern).item())
        main.view("wanted", query("backfill/wanted"))
        count = write_ranks(main, source, last_row, self._ranks)
        are_there, are_selected = main.frame(query("backfill/selection")).row(0)
        return Survey(
            ranked=settle_numbers(source, highest, count, settings.seed),
            last_row=last_row,
            strays=strays,
            are_there=are_there,
            are_selected=are_selected,
        )

    def decide(self, survey: Survey, tally: BackfillTally) -> AbstractContextManager[Decided]:
        """Decide morsel after morsel."""
        stream = Stream(
            main=self._main,
            md5=self._md5,
            settings=self._planning.project.settings,
            evidence=self._evidence,
            ranks=self._ranks,
            numbers=survey.ranked.numbers,
            last_row=survey.last_row,
            tally=tally,
        )
        return plan_morsels(stream)


def list_document_states(planning: Planning) -> Sequence[int]:
    """The states of documents that count; empty for all."""
    text = planning.project.settings.backfill.statuses or ""
    return [int(one) for one in text.split(",") if one.strip()]
