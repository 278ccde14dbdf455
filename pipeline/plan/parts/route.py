"""What SQL says of a part's contacts, and how many of them count for ``--limit``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.engine.protocol import Engine, Work
from pipeline.flow.frames import read_frames
from pipeline.flow.ordered import restore_order
from pipeline.plan.large import KEYS
from pipeline.plan.parts.kit import CONTACTS_READ, Kit, read_kit
from pipeline.run.handed import PartModel
from pipeline.transform.decide import mark_selectable
from sql.query import query
from sql.session import Session

BY_ROW: Final = ("marks", "company_names")
"""Side tables that have rows of contacts, by ``source_row``."""

SMALL: Final = ("units", "currencies", "currency_names")
"""Side tables that every part takes as they are."""

VIEWS: Final = (CONTACTS_READ, "contacts_with_companies", "contacts_resolved", "contacts_filtered")
"""What stands between landed contacts and routing, each made from those before it."""


def name_side(table: str) -> str:
    """The file of a side table, in the folder."""
    return f"side-{table}.parquet"


@contextmanager
def open_routing(kit: Kit) -> Iterator[Callable[[int], Iterator[pl.DataFrame]]]:
    """What gives the evidence for the contacts of a part, morsel by morsel in source order."""
    with kit.source.open() as here:
        for name in kit.sides:
            here.parquet(name if name in SMALL else _name_whole(name), _find_side(kit, name))
        if kit.source.has_filter:
            here.fence()
        _choose_rows_of_sides(here, kit, 0)
        for name in VIEWS:
            if name in kit.views and name != CONTACTS_READ:
                here.view(name, kit.views[name])
        yield lambda part: _route(here, kit, part)


def _route(here: Session, kit: Kit, part: int) -> Iterator[pl.DataFrame]:
    kit.source.choose(here, part)
    _choose_rows_of_sides(here, kit, part)
    here.store("named", query("plan/parts/named"), by_id=True, by_number=True)
    for name, (key, named) in KEYS.items():
        here.store(name, query("plan/parts/side", side=_name_whole(name), key=key, name=named))
    here.use_threads(1)  # Rows come nearly in order.
    reader = here.stream(query("plan/route"), kit.morsel_rows, **kit.parameters)
    start = kit.source.stretch(part).start
    return restore_order(read_frames(reader), kit.morsel_rows, start=start)


def _choose_rows_of_sides(here: Session, kit: Kit, part: int) -> None:
    stretch = kit.source.stretch(part)
    for name in BY_ROW:
        if name in kit.sides:
            text = query("extract/stretch", rows=_name_whole(name))
            here.view(name, text, first=stretch.start, end=stretch.stop)


def _name_whole(side: str) -> str:
    return f"{side}_of_all"


def _find_side(kit: Kit, name: str) -> Path:
    return kit.source.folder / name_side(name)


class PartSelectable(PartModel):
    """How many contacts of a part count for ``--limit``."""

    contacts: int


class LimitWork(Work[PartSelectable]):
    """Part → how many of its contacts count for ``--limit``; asked for only where there is one."""

    kit: Path

    @contextmanager
    def open(self) -> Iterator[Callable[[int], PartSelectable]]:
        """What counts the contacts of a part."""
        with open_routing(read_kit(self.kit)) as route:

            def count(part: int) -> PartSelectable:
                marks = [mark_selectable(one) for one in route(part)]
                return PartSelectable(contacts=sum(int(one.sum()) for one in marks))

            yield count

    def read(self, answer: str) -> PartSelectable:
        """An answer out of its JSON."""
        return PartSelectable.model_validate_json(answer)


def find_taken(engine: Engine, kit: Path, parts: range) -> tuple[int, ...]:
    """Of each part, how many contacts of the parts before it count for ``--limit``."""
    counts = [one.contacts for one in engine.map(LimitWork(kit=kit), parts)]
    return tuple(accumulate(counts[:-1], initial=0))
