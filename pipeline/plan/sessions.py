"""The DuckDB sessions of a plan, and what their errors mean."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import Final

import duckdb
import polars as pl
import pyarrow as pa

from pipeline.errors import ConfigurationError, Stopped
from pipeline.extract.landing import LandedTable
from pipeline.extract.texts import refuse_damaged
from pipeline.extract.unchanged import refuse_changed
from pipeline.plan.destination import SCRATCH
from pipeline.plan.request import Planning
from pipeline.plan.room import measure_room, refuse_lack
from pipeline.run import memory
from schemas.sales import CONTACTS
from sql.query import query
from sql.session import Session, find_lack, session

_OF_THE_WORLD: Final = (
    duckdb.IOException, duckdb.OutOfMemoryException, duckdb.InterruptException, MemoryError,
)  # fmt: skip
_OF_A_VALUE: Final = (duckdb.DataError, duckdb.InvalidInputException)
"""Their texts contain the value, so they are not shown."""


@contextlib.contextmanager
def open_sessions(planning: Planning) -> Iterator[tuple[Session, Session]]:
    """One session reads contacts, the other hashes rows while the first one streams.

    Raises:
        Stopped: a large plan would not fit on the disk or in memory.
    """
    run = planning.project.settings.run
    refuse_lack(measure_room(planning.source.landed, run, planning.runs))
    share = run.count_joins_memory(planning.source.landed[CONTACTS.name].rows)
    scratch = planning.folder.path / SCRATCH
    home = planning.runs
    tables, check = planning.source.landed.values(), partial(_refuse_changed, planning)
    has_filter = planning.project.settings.source.filter is not None
    try:
        with (
            explain_failures(tables, has_filter=has_filter, check=check),
            session(memory=share, scratch=scratch, views=True, home=home) as main,
            session(memory="256MB", threads=1, macros=False) as hasher,
        ):
            yield main, hasher
    finally:
        if scratch.exists():
            for path in scratch.iterdir():
                path.unlink(missing_ok=True)
            scratch.rmdir()


def _refuse_changed(planning: Planning, tables: Iterable[LandedTable]) -> None:
    """Refuse sources that are not what was landed, and a memory that cannot be read."""
    refuse_changed(tables)
    name = planning.project.settings.destination.name
    memory.refuse_unreadable(memory.list_memories(planning.runs, name), whole=True)


@contextlib.contextmanager
def explain_failures(
    tables: Collection[LandedTable],
    *,
    has_filter: bool,
    check: Callable[[Iterable[LandedTable]], None] | None = None,
) -> Iterator[None]:
    """Say what errors of the engines mean.

    Args:
        tables: what the block reads.
        has_filter: whether SQL of the user's is part of its queries.
        check: looks first for another reason, whatever the error is.

    Raises:
        Stopped: memory did not suffice, or the query was ended.
        OSError: the disk was full or failed.
        SourceError: a file is damaged.
        ConfigurationError: the user's SQL fails on a value.
    """
    try:
        yield
    except Exception as error:
        if check is not None:
            check(tables)
        if not isinstance(error, (duckdb.Error, OSError, pa.ArrowException, MemoryError)):
            raise
        if isinstance(error, OSError) and error.errno is not None:
            raise
        number = find_lack(error)
        if number is not None:
            raise OSError(number, os.strerror(number)) from error
        for table in tables:
            refuse_damaged(table)
        if isinstance(error, _OF_THE_WORLD):
            first = str(error).splitlines()[0]
            raise Stopped(
                f"the query engine stopped: {first}. Raise [run] memory, or free disk space."
            ) from error
        if isinstance(error, _OF_A_VALUE) and has_filter:
            raise ConfigurationError(
                (
                    "fails on a value of contacts: where a value may have another form, use "
                    "TRY_CAST, which gives null for it."
                ),
                where="source.filter",
            ) from error
        raise


def make_hasher(hasher: Session) -> Callable[[pl.Series], pl.Series]:
    """A function that gives the MD5 of texts, whatever thread asks."""
    own = threading.local()

    def hashed(texts: pl.Series) -> pl.Series:
        if not hasattr(own, "session"):
            own.session = hasher.open_cursor()
        own.session.register("texts", texts.to_frame("text"))
        frame: pl.DataFrame = own.session.frame(query("plan/md5"))
        return frame["h"]

    return hashed
