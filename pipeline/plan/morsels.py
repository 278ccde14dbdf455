"""Contacts stream by once, morsel by morsel in source order, and are decided on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import polars as pl

from pipeline.extract.landing import LandedTable
from pipeline.extract.texts import TextColumns
from pipeline.extract.view import view_landed
from pipeline.flow import heap
from pipeline.flow.frames import map_in_order, read_ahead, read_frames
from pipeline.flow.ordered import restore_order
from pipeline.plan.prepare import Prepared, Routing
from pipeline.plan.reading import find_plain_columns
from pipeline.transform.decide import DecidedMorsel, Decider, WeighedMorsel
from schemas.sales import CONTACTS
from sql.query import query
from sql.session import Session

_STRETCH: Final = 16
"""Morsels to a stretch: joins that spill give rows in any order, and those of a stretch may have to
be held."""

_WIDTH: Final = 3
"""Morsels that are decided at once: with two, the cores of a small machine are idle now and then.
Each takes 300 MB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactRows:
    """Contacts as they were landed, to be read stretch by stretch.

    ``texts`` are the columns that mapping takes as they are; ``blank`` the words that are blank.
    """

    landed: LandedTable
    texts: TextColumns
    blank: Sequence[str]

    def view(self, main: Session, stretch: range | None) -> None:
        """Let every view of contacts have a stretch of their rows only, or all of them again."""
        view_landed(main, self.landed, self.blank, stretch)


def take_contacts(
    main: Session,
    landed: Mapping[str, LandedTable],
    routing: Routing,
    blank: Mapping[str, Sequence[str]],
) -> ContactRows:
    """Contacts, and the columns that mapping takes as they are."""
    plain = find_plain_columns(CONTACTS, main.columns(f"{CONTACTS.name}_landed"), routing.said)
    table, words = landed[CONTACTS.name], blank[CONTACTS.name]
    return ContactRows(landed=table, texts=TextColumns(table, plain, words), blank=words)


@contextlib.contextmanager
def decide_morsels(
    main: Session, contacts: ContactRows, prepared: Prepared, decider: Decider, rows: int
) -> Iterator[Generator[DecidedMorsel]]:
    """All contacts, decided; ``rows`` to a morsel."""
    main.use_threads(1)  # Polars has the other cores, and one thread keeps rows nearly in order.
    with (
        heap.freeze_heap(),
        contextlib.closing(read_ahead(_route(main, contacts, prepared, rows))) as morsels,
    ):
        yield _decide_side_by_side(decider, morsels, contacts.texts, prepared.marks)
    contacts.view(main, None)


def _route(
    main: Session, contacts: ContactRows, prepared: Prepared, rows: int
) -> Iterator[pl.DataFrame]:
    """What SQL says of each contact, morsel by morsel, one stretch after the other."""
    for first in range(0, prepared.rows or 1, rows * _STRETCH):
        contacts.view(main, range(first, first + rows * _STRETCH))
        reader = main.stream(query("plan/route"), rows, **prepared.parameters)
        yield from restore_order(read_frames(reader), rows, start=first)


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
