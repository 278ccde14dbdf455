"""Contacts stream by once, morsel by morsel in source order, and are decided on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import polars as pl

from pipeline.extract.landing import Landed
from pipeline.extract.texts import Texts
from pipeline.flow import heap
from pipeline.flow.frames import ahead, frames, side_by_side
from pipeline.flow.ordered import ordered
from pipeline.plan.prepare import Prepared, Routing
from pipeline.plan.reading import plain
from pipeline.transform.decide import Decided, Decider, Weighed
from schemas.sales import CONTACTS
from sql.query import query
from sql.session import Session

_WIDTH: Final = 3
"""Morsels that are decided at once: with two, the cores of a small machine are idle now and then.
Each takes 300 MB."""


@contextlib.contextmanager
def decided_morsels(
    main: Session,
    contacts: Landed,
    routing: Routing,
    prepared: Prepared,
    decider: Decider,
    rows: int,
) -> Iterator[Generator[Decided]]:
    """All contacts, decided; ``rows`` to a morsel."""
    texts = Texts(contacts, plain(CONTACTS, main.columns(f"{CONTACTS.name}_landed"), routing.said))
    main.use_threads(1)  # Polars has the other cores, and one thread keeps rows nearly in order.
    reader = main.stream(query("plan/route"), rows, **prepared.parameters)
    with (
        heap.settled(),
        contextlib.closing(ahead(ordered(frames(reader), rows))) as morsels,
    ):
        yield _side_by_side(decider, morsels, texts, prepared.marks)


def _side_by_side(
    decider: Decider, morsels: Iterator[pl.DataFrame], texts: Texts, marks: pl.DataFrame
) -> Generator[Decided]:
    """Morsels decided in source order, ``_WIDTH`` at once.

    What SQL says of each contact meets its landed text.
    """

    def weighed(routed: pl.DataFrame) -> Weighed:
        start = int(routed["source_row"][0]) if routed.height else 0
        names = {
            name: name.removeprefix("say:") for name in routed.columns if name.startswith("say:")
        }
        written = texts.rows(start, routed.height)
        told = [routed.rename(names), marks.slice(start, routed.height), written]
        return decider.weighed(pl.concat(told, how="horizontal"))

    with ThreadPoolExecutor(_WIDTH, thread_name_prefix="decider") as pool:
        for one in side_by_side(weighed, map(decider.selected, morsels), pool, _WIDTH):
            yield decider.settled(one)
