"""The driver of the passes of a backfill: it hands out parts, and has them put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Final

from pipeline.backfill.evidence import count_strays, store_activity
from pipeline.backfill.morsels import BackfillTally
from pipeline.backfill.parts import ranks
from pipeline.backfill.parts.gather import gather_backfill
from pipeline.backfill.parts.handing import (
    describe_contacts,
    list_parts,
    make_backfill_kit,
    store_hashes,
)
from pipeline.backfill.parts.kit import RANKS_FILE, read_backfill_kit
from pipeline.backfill.preparing import name_candidates
from pipeline.backfill.ranking import find_number_origin, settle_numbers, write_ranks
from pipeline.backfill.ways import Decided, Survey, list_document_states
from pipeline.engine.protocol import Engine
from pipeline.plan.request import Planning
from sql.session import Session

_SURVEY: Final = "survey.json"


class PartedBackfill:
    """The passes of one backfill."""

    def __init__(self, planning: Planning, engine: Engine, main: Session) -> None:
        self._planning = planning
        self._engine = engine
        self._main = main
        self._words: Mapping[str, Sequence[str]] = {}
        self._parts = range(0)

    def hash_parts(self, session: Session, words: Mapping[str, Sequence[str]]) -> None:
        """The first pass."""
        self._words = words
        source = describe_contacts(self._planning, self._main, words)
        store_hashes(self._planning, self._engine, source, session)

    def survey(self, rows: int) -> Survey:
        """The second pass, and what all parts of it come to."""
        main, planning, folder = self._main, self._planning, self._planning.folder.parts
        statuses = list_document_states(planning)
        name_candidates(main, planning)
        store_activity(main, statuses)
        origin = find_number_origin(main)
        source = describe_contacts(planning, main, self._words)
        kit = make_backfill_kit(planning, main, source, origin.pattern)
        path = kit.write(folder / _SURVEY)
        self._parts = list_parts(source)
        surveys = ranks.survey_parts(self._engine, path, self._parts)
        last_row = ranks.find_last_row_of_all(
            self._engine, path, surveys, planning.request.limit, rows
        )
        ranks.store_strays(main, folder, surveys)
        ranks.name_wanted(main, folder, surveys)
        count = write_ranks(main, origin, last_row, folder / RANKS_FILE)
        highest = ranks.find_highest(main, origin.pattern, surveys)
        seed = planning.project.settings.backfill.seed
        ranked = settle_numbers(origin, highest, count, seed)
        return Survey(
            ranked=ranked,
            last_row=last_row,
            strays=count_strays(main, statuses),
            are_there=any(one.contacts for one in surveys),
            are_selected=any(one.selected for one in surveys),
        )

    @contextmanager
    def decide(self, survey: Survey, tally: BackfillTally) -> Iterator[Decided]:
        """The third pass."""
        folder = self._planning.folder.parts
        kit = read_backfill_kit(folder / _SURVEY).decide(survey.ranked.numbers, survey.last_row)
        path = kit.write(folder / "kit.json")
        with closing(gather_backfill(self._engine, path, self._parts, tally)) as decided:
            yield decided
