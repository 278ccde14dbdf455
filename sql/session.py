"""The one place that knows DuckDB sessions.

Private, in memory, UTC, seeing registered tables only.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

import duckdb
import polars as pl
import pyarrow as pa

from schemas.marks import DELETED_WORDS, FORMER_WORDS, LIVE_WORDS
from schemas.text import WHITE_SPACE, WRITTEN_GUID
from schemas.values import FORMS
from sql.query import Value, identifier, literal, query, with_literals

_PATTERN: Final = re.compile(r"[*?\[]")
"""Signs that DuckDB takes for a pattern of many files' names."""


class ArrowTable(Protocol):
    """A table that Arrow can read as it streams by, such as ``pa.Table``."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Arrow's stream of record batches."""
        ...


class Session:
    """A DuckDB connection with p2c's macros.

    Joins keep no row order; their right side is what is built (see ``session``).
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, scratch: Path | None = None) -> None:
        self._connection = connection
        self._scratch = scratch

    def open_cursor(self) -> Session:
        """Another session of the same database, for another thread; what is registered is its own.

        It ends with this one.
        """
        return Session(self._connection.cursor())

    def run(self, text: str, /, **parameters: Value) -> None:
        """Run a statement for its effect."""
        self._connection.execute(text, parameters or None)

    def frame(self, text: str, /, **parameters: Value) -> pl.DataFrame:
        """All rows of a query; for small answers."""
        frame: pl.DataFrame = self._make_relation(text, parameters).pl()
        return frame

    def arrow(self, text: str, /, **parameters: Value) -> pa.Table:
        """All rows of a query as an Arrow table."""
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
        listed = [_PATTERN.sub(r"[\g<0>]", str(path)) for path in paths]
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
        """Forget a table that ``store`` kept."""
        self.run(f"DROP TABLE {identifier(name)}")

    def set_aside(self, name: str, *, but: str) -> None:
        """Move a table that ``store`` kept, but for one column, into the scratch folder.

        There it takes no memory. A session without a scratch folder keeps it as it is.
        """
        if self._scratch is None:
            return
        self._scratch.mkdir(mode=0o700, exist_ok=True)
        path = self._scratch / f"{name}.parquet"
        self.copy(f"SELECT * EXCLUDE ({identifier(but)}) FROM {identifier(name)}", path)
        self.drop(name)
        self.parquet(name, path)

    def copy(self, text: str, target: Path, *, compression: str = "snappy") -> None:
        """Write the answer of a query to a Parquet file, in the query's order."""
        options = f"FORMAT parquet, COMPRESSION {compression}"
        self.run(f"COPY ({text}) TO {literal(str(target))} ({options})")

    def view(self, name: str, text: str, /, **values: Value) -> None:
        """Name a query."""
        text = with_literals(text, **values)
        self.run(f"CREATE OR REPLACE TEMP VIEW {identifier(name)} AS {text}")

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

    def use_threads(self, count: int) -> None:
        """From now on, work in this many threads."""
        self.run(f"SET threads = {count}")


@contextlib.contextmanager
def session(
    *,
    memory: str = "1GB",
    scratch: Path | None = None,
    threads: int | None = None,
    views: bool = False,
) -> Iterator[Session]:
    """A session that ends with the ``with`` block.

    ``memory`` bounds DuckDB's buffers; beyond it DuckDB spills to ``scratch``, a folder whose
    parent is there. The optimizer must not swap the sides of a join: the queries name the side to
    read through first, and rows come out nearly in its order. ``views``: texts leave as Arrow's
    string views. Polars takes them as they are; many of Arrow's own functions cannot.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory,
        "python_enable_replacements": "false",
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
        connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side,in_clause'")
        if views:
            connection.execute("SET arrow_output_version = '1.4'")
            connection.execute("SET produce_arrow_string_view = true")
        connection.execute(with_literals(query("text"), white_space=WHITE_SPACE))
        connection.execute(with_literals(query("macros"), written_guid=WRITTEN_GUID, **FORMS))
        connection.execute(
            with_literals(
                query("deletion"),
                deleted_words=DELETED_WORDS,
                former_words=FORMER_WORDS,
                live_words=LIVE_WORDS,
            )
        )
        yield Session(connection, scratch)
    finally:
        connection.close()
