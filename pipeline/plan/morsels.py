"""Contacts stream by once, morsel by morsel in source order, and are decided on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import polars as pl

from pipeline.extract.texts import TextColumns
from pipeline.flow import heap
from pipeline.flow.frames import map_in_order, read_ahead
from pipeline.plan.large import LargeSides
from pipeline.plan.prepare import Prepared
from pipeline.plan.stretches import ContactRows, read_routed
from pipeline.transform.decide import DecidedMorsel, Decider, WeighedMorsel
from sql.session import Session

_WIDTH: Final = 2
"""Morsels that are decided at once: a third one is no faster, and takes another 100 MB.

Columns of a morsel are worked on one after the other (``select_seq``), for the other morsel has the
other core."""


@contextlib.contextmanager
def decide_morsels(
    main: Session, contacts: ContactRows, prepared: Prepared, decider: Decider, rows: int
) -> Iterator[Generator[DecidedMorsel]]:
    """All contacts, decided; ``rows`` to a morsel."""
    sides = LargeSides(main, rows)
    main.use_threads(1)  # Polars has the other cores, and one thread keeps rows nearly in order.
    with (
        heap.freeze_heap(),
        contextlib.closing(
            read_ahead(read_routed(main, contacts, prepared, sides, rows))
        ) as morsels,
    ):
        yield _decide_side_by_side(decider, morsels, contacts.texts, prepared.marks)
    contacts.view(main, None)
    sides.restore()


def _decide_side_by_side(
    decider: Decider, morsels: Iterator[pl.DataFrame], texts: TextColumns, marks: pl.DataFrame
) -> Generator[DecidedMorsel]:
    """Morsels decided in source order, ``_WIDTH`` at once.

    What SQL says of each contact meets its landed text.
    """

    def weigh(routed: pl.DataFrame) -> WeighedMorsel:
        return decider.weigh(join_texts(routed, texts, marks))

    with ThreadPoolExecutor(_WIDTH, thread_name_prefix="decider") as pool:
        for one in map_in_order(weigh, map(decider.select, morsels), pool, _WIDTH):
            yield decider.settle(one)


def join_texts(
    routed: pl.DataFrame, texts: TextColumns, marks: pl.DataFrame, *, first: int = 0
) -> pl.DataFrame:
    """What SQL says of contacts beside their landed text.

    ``marks`` has one row per contact, from the row ``first`` on.
    """
    start = int(routed["source_row"][0]) if routed.height else first
    names = {name: name.removeprefix("say:") for name in routed.columns if name.startswith("say:")}
    written = texts.rows(start, routed.height)
    parts = [routed.rename(names), marks.slice(start - first, routed.height), written]
    return pl.concat(parts, how="horizontal")
