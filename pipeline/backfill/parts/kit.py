"""What parts of a backfill are made from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

from pipeline.plan.large import KEYS
from pipeline.plan.parts.kit import PartSource
from pipeline.plan.parts.route import name_side
from pipeline.run.facts import Numbers, Setting
from pipeline.run.handed import PartModel, read_text, refuse_other_versions
from sql.query import query
from sql.session import Session

BY_ROW: Final = ("contact_states", "company_names", "ranks")
"""Side tables that have rows of contacts, by ``source_row``."""
NAMED: Final = {
    **{name: KEYS[name] for name in ("accounts", "companies", "only_ids")},
    "activity_of": ("id", "id"),
}
"""Side table → its key, and what contacts name it by (``sql/backfill/parts/named.sql``)."""
READ: Final = ("contacts_with_companies", "contacts_resolved", "contacts_filtered")
"""Views of contacts, each made from those before it; side tables are chosen by the last."""
JOINED: Final = ("contacts_selected", "candidates")
"""Views that read side tables, too."""
RANKS: Final = "ranks"
RANKS_FILE: Final = name_side(RANKS)
"""In the folder: the rank of each contact that gets a number."""


class BackfillKit(PartModel):
    """Everything that a part of a backfill is made with.

    ``views`` are the queries between contacts and candidates; ``sides`` the side tables, which lie
    in the folder; ``settings`` the project's. ``pattern`` finds numbers of the counter's prefix.
    ``numbers`` and ``last_row`` are known once all parts were looked at.
    """

    source: PartSource
    views: dict[str, str]
    sides: tuple[str, ...]
    settings: dict[str, Setting]
    pattern: str
    numbers: Numbers = Numbers()
    last_row: int = -1

    def decide(self, numbers: Numbers, last_row: int) -> Self:
        """The kit of the last pass, with ranks among the side tables."""
        sides = (*self.sides, RANKS)
        return self.model_copy(update={"sides": sides, "numbers": numbers, "last_row": last_row})


@lru_cache(maxsize=2)
def read_backfill_kit(path: Path) -> BackfillKit:
    """Read what parts are made with; see ``read_text``."""
    kit = BackfillKit.model_validate_json(read_text(path))
    refuse_other_versions(kit.source.versions)
    return kit


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """A session with the side tables of a backfill, for one part after the other."""

    here: Session
    kit: BackfillKit

    def choose(self, part: int) -> None:
        """Let ``candidates`` have the rows of a part, and side tables what these name."""
        kit, here = self.kit, self.here
        kit.source.choose(here, part)
        stretch = kit.source.stretch(part)
        for name in BY_ROW:
            if name in kit.sides:
                text = query("extract/stretch", rows=_name_whole(name))
                here.view(name, text, first=stretch.start, end=stretch.stop)
        self._view(READ)
        here.store("named", query("backfill/parts/named"))
        for name, (key, named) in NAMED.items():
            if name in kit.sides:
                text = query("plan/parts/side", side=_name_whole(name), key=key, name=named)
                here.store(name, text)
        self._view(JOINED)

    def _view(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name in self.kit.views:
                self.here.view(name, self.kit.views[name])


@contextmanager
def open_candidates(kit: BackfillKit) -> Iterator[Candidates]:
    """What gives the candidates of a part."""
    with kit.source.open() as here:
        for name in kit.sides:
            here.parquet(_name_whole(name), kit.source.folder / name_side(name))
        if kit.source.has_filter:
            here.fence()
        yield Candidates(here=here, kit=kit)


def _name_whole(side: str) -> str:
    return f"{side}_of_all"
