"""What a part is made from, as JSON and Parquet files that every worker can read."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from pydantic import Field

from pipeline.extract.landing import LandedTable, SourceFile
from pipeline.extract.view import view_landed
from pipeline.plan.deciding import GateRules
from pipeline.plan.sessions import explain_failures
from pipeline.run.facts import Setting
from pipeline.run.handed import PartModel, read_text, refuse_other_versions, take_versions
from schemas.sales import CONTACTS
from sql.session import Session, session

CONTACTS_READ: Final = "contacts"
"""The view of contacts as they are read."""


class LandedContacts(PartModel):
    """``LandedTable``, as far as reading its rows goes."""

    in_place: bool
    files: tuple[Path, ...]
    columns: dict[str, str]
    names: tuple[str, ...]
    """Of each source file, what findings call it."""
    heights: tuple[int, ...]
    """Of each source file, its rows."""
    are_words_counted: bool
    fractions: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.heights)

    @classmethod
    def of(cls, table: LandedTable) -> LandedContacts:
        """Contacts as they were landed here."""
        return cls(
            in_place=table.in_place,
            files=tuple(path.resolve() for path in table.files),
            columns=dict(table.columns),
            names=tuple(one.name for one in table.sources),
            heights=tuple(one.rows for one in table.sources),
            are_words_counted=table.words is not None,
            fractions=tuple(sorted(table.fractions)),
        )

    def restore(self) -> LandedTable:
        """The table; what nobody asks of its source files is left out."""
        return LandedTable(
            table=CONTACTS.name,
            in_place=self.in_place,
            files=self.files,
            columns=self.columns,
            rows=self.rows,
            sources=tuple(
                SourceFile(path=Path(name), name=name, rows=rows, bytes=0)
                for name, rows in zip(self.names, self.heights, strict=True)
            ),
            words={} if self.are_words_counted else None,
            fractions=frozenset(self.fractions),
        )


class PartSource(PartModel):
    """Contacts, and how a worker reads a part of them.

    ``text`` is the query that declares them; ``folder`` is what all files of the passes lie in.
    ``threads`` are DuckDB's; null for all that the machine has. ``versions`` are p2c's and those of
    the engines inside: hashes of two versions do not meet.
    """

    contacts: LandedContacts
    blank: tuple[str, ...]
    text: str
    part_rows: int
    folder: Path
    memory: str
    threads: int | None
    versions: dict[str, str] = Field(default_factory=take_versions)
    has_filter: bool

    def stretch(self, part: int) -> range:
        """The rows of a part, by ``source_row``."""
        return range(part * self.part_rows, (part + 1) * self.part_rows)

    @contextmanager
    def open(self) -> Iterator[Session]:
        """A session with a view of contacts.

        It spills next to the files of the passes: the driver removes all of them, also what a
        worker leaves that is killed.
        """
        table = self.contacts.restore()
        with (
            explain_failures([table], has_filter=self.has_filter),
            session(
                memory=self.memory,
                scratch=self.folder / f"scratch-{secrets.token_hex(4)}",
                threads=self.threads,
                views=True,
                home=self.folder,
            ) as here,
        ):
            view_landed(here, table, self.blank)
            here.view(CONTACTS_READ, self.text)
            yield here

    def choose(self, here: Session, part: int) -> None:
        """Let every view of contacts have the rows of a part only."""
        view_landed(here, self.contacts.restore(), self.blank, self.stretch(part))


class Kit(PartModel):
    """Everything that a part is decided with.

    ``views`` are the queries between contacts and routing; ``sides`` the side tables, which lie in
    the folder; ``plain`` the columns that mapping takes as they are; ``settings`` the project's.
    """

    source: PartSource
    views: dict[str, str]
    sides: tuple[str, ...]
    parameters: dict[str, str | bool | None]
    plain: dict[str, str]
    has_documents: bool
    settings: dict[str, Setting]
    rules: GateRules
    morsel_rows: int
    keys: tuple[str, ...] = ()
    """The file of keys of each part."""
    taken: tuple[int, ...] = ()
    """Of each part, how many contacts before it count for the limit; empty without one."""


@lru_cache(maxsize=2)
def read_source(path: Path) -> PartSource:
    """Read where contacts lie; see ``read_text``."""
    source = PartSource.model_validate_json(read_text(path))
    refuse_other_versions(source.versions)
    return source


@lru_cache(maxsize=2)
def read_kit(path: Path) -> Kit:
    """Read what parts are decided with; see ``read_text``."""
    kit = Kit.model_validate_json(read_text(path))
    refuse_other_versions(kit.source.versions)
    return kit
