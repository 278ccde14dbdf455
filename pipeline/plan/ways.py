"""The two ways of deciding: contacts stream by in this process, or engines get parts of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from pipeline.lazy import import_lazily
from pipeline.plan.morsels import decide_morsels
from pipeline.plan.prepare import Prepared, Routing
from pipeline.plan.request import Planning
from pipeline.plan.stretches import take_contacts
from pipeline.plan.writing import write_morsels
from pipeline.run.files import TableWriter
from pipeline.transform.decide import DecidedMorsel, Decider
from schemas.sales import CONTACTS
from sql.session import Session

if TYPE_CHECKING:
    from pipeline.plan.parts import passes
else:
    passes = import_lazily("pipeline.plan.parts.passes")


class Way(Protocol):
    """How all contacts are decided about."""

    @property
    def hash_elsewhere(self) -> Callable[[Session], None] | None:
        """See ``prepare``."""
        ...

    @property
    def words(self) -> Counter[tuple[str, str]]:
        """How often a cell of contacts is nothing but a word that may mean null, or damaged.

        By column and word; known once all are written.
        """
        ...

    def write(
        self, routing: Routing, prepared: Prepared, decider: Decider, findings: TableWriter
    ) -> None:
        """Write decisions and planned rows, whole, and the findings of contacts."""
        ...


@contextmanager
def open_way(
    planning: Planning, main: Session, blank: Mapping[str, Sequence[str]]
) -> Iterator[Way]:
    """The way that the settings ask for; ``blank`` are the blank words of each table."""
    if planning.engine is None:
        yield StreamedContacts(planning, main, blank)
        return
    words = blank[CONTACTS.name]
    with passes.open_passes(planning, planning.engine, main, words) as opened:
        yield opened


@contextmanager
def open_stream(
    planning: Planning, main: Session, blank: Mapping[str, Sequence[str]]
) -> Iterator[StreamedContacts]:
    """In this process, whatever the settings ask for."""
    yield StreamedContacts(planning, main, blank)


class StreamedContacts:
    """All contacts, one morsel after the other."""

    hash_elsewhere: Callable[[Session], None] | None = None

    def __init__(
        self, planning: Planning, main: Session, blank: Mapping[str, Sequence[str]]
    ) -> None:
        self._planning = planning
        self._main = main
        self._blank = blank
        self.words = Counter[tuple[str, str]]()

    def write(
        self, routing: Routing, prepared: Prepared, decider: Decider, findings: TableWriter
    ) -> None:
        """Write morsel after morsel."""
        with self.decide(routing, prepared, decider) as decided:
            write_morsels(self._planning, decided, prepared.rows, findings)

    @contextmanager
    def decide(
        self, routing: Routing, prepared: Prepared, decider: Decider
    ) -> Iterator[Generator[DecidedMorsel]]:
        """Decided contacts, morsel after morsel."""
        planning = self._planning
        contacts = take_contacts(self._main, planning.source.landed, routing, self._blank)
        rows = planning.project.settings.run.morsel_rows
        with decide_morsels(self._main, contacts, prepared, decider, rows) as decided:
            yield decided
        self.words = contacts.texts.words
