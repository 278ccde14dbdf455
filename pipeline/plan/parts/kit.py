"""What a part is made from, as JSON and Parquet files that every worker can read."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from pipeline import __version__
from pipeline.errors import UsageError
from pipeline.extract.landing import LandedTable, SourceFile
from pipeline.extract.view import view_landed
from pipeline.plan.deciding import GateRules
from pipeline.plan.sessions import explain_failures
from pipeline.run.facts import Setting
from pipeline.run.files import replace_file
from schemas.sales import CONTACTS
from sql.session import Session, session

CONTACTS_READ: Final = "contacts"
"""The view of contacts as they are read."""


class PartModel(BaseModel):
    """JSON that a worker reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
    versions: dict[str, str]
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


def write_model(made: PartModel, path: Path) -> Path:
    """Write what parts are made from."""
    replace_file(path, made.model_dump_json().encode())
    return path


@lru_cache(maxsize=2)
def read_source(path: Path) -> PartSource:
    """Read where contacts lie; see ``read_text``."""
    return _check_versions(PartSource.model_validate_json(read_text(path)))


@lru_cache(maxsize=2)
def read_kit(path: Path) -> Kit:
    """Read what parts are decided with; see ``read_text``."""
    kit = Kit.model_validate_json(read_text(path))
    _check_versions(kit.source)
    return kit


def read_text(path: Path) -> str:
    """A file that the driver wrote.

    Raises:
        UsageError: this process does not see it.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"a worker cannot read {path.name} in the run folder that the driver wrote. Name a "
            "folder that the driver and all workers share under one path, such as a mounted lake "
            "or a volume.",
            where="--runs",
        ) from error


def _check_versions(source: PartSource) -> PartSource:
    """Hold this process against the driver.

    Raises:
        UsageError: hashes and texts would differ.
    """
    here = take_versions()
    for name, needed in source.versions.items():
        if here[name] != needed:
            raise UsageError(
                f"a worker has {name} {here[name]}, the driver {needed}. Install the same version "
                "in both.",
                where="run.engine",
            )
    return source


def take_versions() -> dict[str, str]:
    """The versions that a worker must have, too."""
    return {"p2c": __version__, "duckdb": version("duckdb"), "polars": version("polars")}
