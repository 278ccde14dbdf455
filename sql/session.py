"""The one place that knows DuckDB sessions.

Private, in memory, UTC, seeing registered tables only.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import re
import threading
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

import duckdb
import polars as pl
import pyarrow as pa

from schemas.marks import DELETED_WORDS, FORMER_WORDS, LIVE_WORDS
from schemas.text import NO_GUID, WHITE_SPACE, WRITTEN_GUID
from schemas.values import FORMS
from sql.query import Value, identifier, literal, query, with_literals

_CLAUSES: Final = (
    "modifiers", "where_clause", "group_expressions", "group_sets", "having", "qualify", "sample",
)  # fmt: skip
"""What else a SELECT may have, as DuckDB's own tree calls it."""
_PATTERN: Final = re.compile(r"[*?\[]")
"""Signs that DuckDB takes for a pattern of many files' names."""

_PATIENCE: Final = 0.1
"""Seconds."""


_NUMBER: Final = re.compile(r'"errno":"(\d+)"')
_LACKS: Final = {
    os.strerror(number): number
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.EIO)
}
"""What the operating system says of a disk that is full or fails, and its numbers."""


def find_lack(error: BaseException) -> int | None:
    """The number of the disk's failure that an engine's error tells of; null if it is another."""
    text = str(error)
    found = _NUMBER.search(text)
    if found and int(found[1]) in _LACKS.values():
        return int(found[1])
    return next((number for words, number in _LACKS.items() if words in text), None)


@contextlib.contextmanager
def naming_lack() -> Iterator[None]:
    """Tell a disk or a memory that did not suffice from a file that cannot be read.

    Raises:
        OSError: the disk was full or failed, with its number.
        MemoryError: the session's memory did not suffice.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise MemoryError(str(error).splitlines()[0]) from error
    except duckdb.Error as error:
        number = find_lack(error)
        if number is None:
            raise
        raise OSError(number, os.strerror(number)) from error


class ArrowTable(Protocol):
    """A table that Arrow can read as it streams by, such as ``pa.Table``."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Arrow's stream of record batches."""
        ...


class Session:
    """A DuckDB connection with p2c's macros.

    Joins keep no row order; their right side is what is built (see ``session``).
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        scratch: Path | None = None,
        home: Path | None = None,
    ) -> None:
        self._connection = connection
        with _LOCK:
            _OPEN.add(self)
        self._scratch = scratch
        self._home = home
        self._named: list[Path] = []
        self._views: dict[str, str] = {}

    def open_cursor(self) -> Session:
        """Another session of the same database, for another thread; what is registered is its own.

        It ends with this one.
        """
        return Session(self._connection.cursor())

    def run(self, text: str, /, **parameters: Value) -> None:
        """Run a statement for its effect. Raises as ``naming_lack`` does."""
        with naming_lack():
            self._connection.execute(text, parameters or None)

    def frame(self, text: str, /, **parameters: Value) -> pl.DataFrame:
        """All rows of a query; for small answers. Raises as ``naming_lack`` does."""
        with naming_lack():
            frame: pl.DataFrame = self._make_relation(text, parameters).pl()
        return frame

    def arrow(self, text: str, /, **parameters: Value) -> pa.Table:
        """All rows of a query as an Arrow table. Raises as ``naming_lack`` does."""
        with naming_lack():
            return self._make_relation(text, parameters).to_arrow_table()

    def stream(self, text: str, rows: int, /, **parameters: Value) -> pa.RecordBatchReader:
        """The rows of a query in batches of at most ``rows``.

        The session is busy until they are drained.
        """
        return self._make_relation(text, parameters).to_arrow_reader(rows)

    def _make_relation(self, text: str, parameters: Mapping[str, Value]) -> duckdb.DuckDBPyRelation:
        if not parameters:
            return self._connection.sql(text)
        return self._connection.sql(text, params=dict(parameters))

    def register(self, name: str, table: pl.DataFrame | ArrowTable) -> None:
        """Make a table known by name, replacing a table that was registered by that name."""
        self._connection.register(
            name,
            table.to_arrow(compat_level=pl.CompatLevel.newest())
            if isinstance(table, pl.DataFrame)
            else table,
        )

    def parquet(
        self,
        name: str,
        files: Path | Iterable[Path],
        *,
        schema: pl.Schema | None = None,
        by_name: bool = False,
        places: bool = False,
    ) -> None:
        """Name the rows of Parquet files, one file after the other. No sign of a path means more.

        Args:
            name: the view.
            files: one or more. With a ``schema`` they may be missing.
            schema: these columns are read, and no others. The view has them without a file, too.
            by_name: columns are matched by name, and a file need not have all of them.
            places: adds ``filename`` and ``file_row_number``, which is 0 for a file's first row.
        """
        paths = [files] if isinstance(files, Path) else list(files)
        if schema is not None and not any(path.is_file() for path in paths):
            self.register(f"{name}_without_rows", schema.to_frame())
            self.view(name, f"FROM {identifier(f'{name}_without_rows')}")
            return
        self._named += paths
        listed = [_escape_signs(path) for path in paths]
        options = ["hive_partitioning = false"]
        options += ["union_by_name = true"] if by_name else []
        options += ["filename = true", "file_row_number = true"] if places else []
        columns = "*" if schema is None else ", ".join(map(identifier, schema))
        self.view(
            name, f"SELECT {columns} FROM read_parquet({', '.join([literal(listed), *options])})"
        )

    def store(self, name: str, text: str, /, **parameters: Value) -> None:
        """Keep the answer of a query as a temporary table."""
        self.run(f"CREATE OR REPLACE TEMP TABLE {identifier(name)} AS {text}", **parameters)

    def drop(self, name: str) -> None:
        """Forget a table that ``store`` or ``store_aside`` kept."""
        kind = "TABLE" if self._views.pop(name, None) is None else "VIEW"
        self.run(f"DROP {kind} {identifier(name)}")

    def store_aside(self, name: str, text: str) -> None:
        """Keep the answer of a query in the scratch folder, where it takes no memory.

        A session without a scratch folder keeps it in memory.
        """
        if self._scratch is None:
            self.store(name, text)
        else:
            self.parquet(name, self._write_aside(self._scratch, name, text))

    def set_aside(self, name: str, *, called: str) -> None:
        """Move a table that ``store`` kept into the scratch folder, and call it something else.

        There it takes no memory. A session without a scratch folder keeps it in memory.
        """
        if self._scratch is None:
            if called != name:
                self.run(f"ALTER TABLE {identifier(name)} RENAME TO {identifier(called)}")
            return
        path = self._write_aside(self._scratch, called, f"FROM {identifier(name)}")
        self.drop(name)
        self.parquet(called, path)

    def _write_aside(self, scratch: Path, name: str, text: str) -> Path:
        scratch.mkdir(mode=0o700, exist_ok=True)
        path = scratch / f"{name}.parquet"
        self.copy(text, path)
        return path

    def copy(self, text: str, target: Path, *, compression: str = "snappy") -> None:
        """Write the answer of a query to a Parquet file, in the query's order."""
        options = f"FORMAT parquet, COMPRESSION {compression}"
        self.run(f"COPY ({text}) TO {literal(str(target))} ({options})")

    def view(self, name: str, text: str, /, **values: Value) -> None:
        """Name a query."""
        text = with_literals(text, **values)
        self.run(f"CREATE OR REPLACE TEMP VIEW {identifier(name)} AS {text}")
        self._views[name] = text

    def list_views(self, names: Collection[str]) -> dict[str, str]:
        """The texts of those views among ``names`` that there are, in their order."""
        return {name: self._views[name] for name in names if name in self._views}

    def prepare(self, name: str, text: str, /, **values: Value) -> None:
        """Plan a query once. ``EXECUTE name`` is the text that runs it."""
        self.run(f"PREPARE {identifier(name)} AS {with_literals(text, **values)}")

    def columns(self, name: str) -> Mapping[str, str]:
        """Column names and DuckDB types of a relation, without reading it."""
        relation = self._connection.sql(f"FROM {identifier(name)}")
        return dict(zip(relation.columns, map(str, relation.types), strict=True))

    def empty(self, name: str) -> pl.DataFrame:
        """A relation without its rows."""
        return self.frame(f"FROM {identifier(name)} LIMIT 0")

    def is_expression(self, text: str) -> bool:
        """Whether a text is one expression of SQL, and no more than that.

        Raises ``duckdb.Error`` if it is not SQL at all.
        """
        told = json.loads(str(self.frame(query("expression"), text=f"SELECT {text}\n").item()))
        if told["error"] and told["error_type"] == "not implemented":  # Not only SELECT.
            return False
        if told["error"]:
            raise duckdb.ParserException(str(told["error_message"]))
        node = told["statements"][0]["node"]
        return (
            len(told["statements"]) == 1
            and node["type"] == "SELECT_NODE"
            and len(node["select_list"]) == 1
            and node["from_table"]["type"] == "EMPTY"
            and not any(node.get(name) for name in _CLAUSES)
            and not node["select_list"][0]["alias"]
        )

    def fence(self) -> None:
        """From now on, read nothing outside but files that are named, and the session's home.

        SQL that a user wrote may run afterwards. The session still spills to its scratch folder and
        keeps tables there; its configuration is locked but for the number of threads.
        """
        folders = [one for one in (self._scratch, self._home) if one is not None]
        for setting, paths in (("allowed_paths", self._named), ("allowed_directories", folders)):
            spellings = [text for path in paths for text in (str(path), _escape_signs(path))]
            self.run(f"SET {setting} = {literal(list(dict.fromkeys(spellings)))}")
        self.run("SET enable_external_access = false")
        self.run("SET allowed_configs = ['threads']")
        self.run("SET lock_configuration = true")

    def interrupt(self) -> None:
        """End the query that runs, from another thread; it fails there."""
        self._connection.interrupt()

    def use_threads(self, count: int) -> None:
        """From now on, work in this many threads."""
        self.run(f"SET threads = {count}")


def _escape_signs(path: Path) -> str:
    return _PATTERN.sub(r"[\g<0>]", str(path))


_OPEN: Final = weakref.WeakSet[Session]()
_LOCK: Final = threading.Lock()
"""Held while sessions are interrupted, and while one comes or is closed."""


@contextlib.contextmanager
def session(
    *,
    memory: str = "1GB",
    scratch: Path | None = None,
    threads: int | None = None,
    views: bool = False,
    home: Path | None = None,
    macros: bool = True,
) -> Iterator[Session]:
    """A session that ends with the ``with`` block.

    ``memory`` bounds DuckDB's buffers; beyond it DuckDB spills to ``scratch``, a folder whose
    parent is there. The optimizer must not swap the sides of a join: the queries name the side to
    read through first, and rows come out nearly in its order. ``views``: texts leave as Arrow's
    string views. Polars takes them as they are; many of Arrow's own functions cannot. ``home``:
    a folder whose files may be named after ``fence``, too. ``macros``: whether queries need p2c's
    macros; making them takes a third of a session's time to open.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory,
        "python_enable_replacements": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    if scratch is not None:
        config["temp_directory"] = str(scratch)
    if threads is not None:
        config["threads"] = threads
    connection = duckdb.connect(":memory:", config=config)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET preserve_insertion_order = true")
        # Footers of large files are read once, not for every view and query; DuckDB sees changes.
        connection.execute("SET parquet_metadata_cache = true")
        connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side,in_clause'")
        if views:
            connection.execute("SET arrow_output_version = '1.4'")
            connection.execute("SET produce_arrow_string_view = true")
        if macros:
            _make_macros(connection)
        yield Session(connection, scratch, home)
    finally:
        _close(connection)


def interrupt_sessions() -> None:
    """End the queries of all sessions that are open; they fail where they were asked.

    A session that is being closed, which may take a while, is left alone.
    """
    if not _LOCK.acquire(timeout=_PATIENCE):
        return
    try:
        for one in list(_OPEN):
            with contextlib.suppress(duckdb.Error):  # It was closed.
                one.interrupt()
    finally:
        _LOCK.release()


def _close(connection: duckdb.DuckDBPyConnection) -> None:
    """Close the connection of a session; nobody interrupts it meanwhile."""
    with _LOCK:
        connection.close()


def _make_macros(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(with_literals(query("text"), white_space=WHITE_SPACE))
    guids = {"written_guid": WRITTEN_GUID, "no_guid": NO_GUID}
    connection.execute(with_literals(query("macros"), **guids, **FORMS))
    connection.execute(
        with_literals(
            query("deletion"),
            deleted_words=DELETED_WORDS,
            former_words=FORMER_WORDS,
            live_words=LIVE_WORDS,
        )
    )


@functools.lru_cache(maxsize=32)
def find_pattern_problem(pattern: str) -> str | None:
    """Why a text is no regular expression, as the query engine says it; null if it is one."""
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(query("pattern"), {"pattern": pattern})
    except duckdb.Error as error:
        return str(error).splitlines()[0].partition("Error: ")[2]
    finally:
        connection.close()
    return None
