"""Contacts, stretch by stretch in source order, and what SQL says of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from pipeline.extract.landing import LandedTable
from pipeline.extract.texts import TextColumns
from pipeline.extract.view import view_landed
from pipeline.flow.frames import read_frames
from pipeline.flow.ordered import restore_order
from pipeline.plan.large import LargeSides
from pipeline.plan.prepare import Prepared, Routing
from pipeline.plan.reading import add_own, find_plain_columns
from schemas.sales import CONTACTS
from sql.query import query
from sql.session import Session

_STRETCH: Final = 64
"""Morsels to a stretch: joins that spill give rows in any order, and those of a stretch may have to
be held. Each stretch has its query bound, and its joins built, anew."""
_AHEAD: Final = 4
"""Morsels whose texts are read at once."""
_SHORT: Final = 32
"""Those of a stretch of which large side tables have what it names: as many rows must have room."""


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
    known, columns = add_own(CONTACTS, routing.own), main.columns(f"{CONTACTS.name}_landed")
    plain = find_plain_columns(known, columns, routing.said)
    table, words = landed[CONTACTS.name], blank[CONTACTS.name]
    return ContactRows(
        landed=table, texts=TextColumns(table, plain, words, ahead=_AHEAD), blank=words
    )


def read_routed(
    main: Session, contacts: ContactRows, prepared: Prepared, sides: LargeSides, rows: int
) -> Iterator[pl.DataFrame]:
    """What SQL says of each contact, morsel by morsel, one stretch after the other."""
    size = rows * (_SHORT if sides.are_there else _STRETCH)
    for first in range(0, prepared.rows or 1, size):
        contacts.view(main, range(first, first + size))
        sides.choose()
        reader = main.stream(query("plan/route"), rows, **prepared.parameters)
        yield from restore_order(read_frames(reader), rows, start=first)
