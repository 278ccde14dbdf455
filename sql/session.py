"""The one place that knows DuckDB sessions.

Private, in memory, UTC, seeing registered tables only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from schemas.text import SQL_MACROS

Value = str | int | float | bool | None | list[str] | list[int]
"""What a query parameter can be."""


@cache
def query(name: str) -> str:
    """The text of ``sql/<name>.sql``."""
    return files("sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def names() -> list[str]:
    """All query files, for fingerprints."""
    return sorted(entry.name for entry in files("sql").iterdir() if entry.name.endswith(".sql"))


class Session:
    """A DuckDB connection with p2c's macros.

    Joins keep no row order; their right side is what is built (see ``session``).
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, scratch: Path | None = None) -> None:
        self._connection = connection
        self._scratch = scratch

    def beside(self) -> Session:
        """Another session of the same database, for another thread; what is registered is its own.

        It ends with this one.
        """
        return Session(self._connection.cursor())

    def run(self, text: str, **parameters: Value) -> None:
        """Run a statement for its effect."""
        self._connection.execute(text, parameters or None)

    def frame(self, text: str, **parameters: Value) -> pl.DataFrame:
        """All rows of a query; for small answers."""
        relation = (
            self._connection.sql(text, params=parameters)
            if parameters
            else self._connection.sql(text)
        )
        frame: pl.DataFrame = relation.pl()
        return frame

    def stream(self, text: str, rows: int, **parameters: Value) -> pa.RecordBatchReader:
        """The rows of a query in batches of at most ``rows``.

        The session is busy until they are drained.
        """
        relation = (
            self._connection.sql(text, params=parameters)
            if parameters
            else self._connection.sql(text)
        )
        return relation.to_arrow_reader(rows)

    def register(self, name: str, table: pl.DataFrame | pa.Table) -> None:
        """Make a table known by name, replacing one of that name."""
        self._connection.register(
            name,
            table.to_arrow(compat_level=pl.CompatLevel.newest())
            if isinstance(table, pl.DataFrame)
            else table,
        )

    def store(self, name: str, text: str, **parameters: Value) -> None:
        """Keep the answer of a query as a temporary table."""
        self.run(f"CREATE OR REPLACE TEMP TABLE {name} AS {text}", **parameters)

    def drop(self, name: str) -> None:
        """Forget a table that ``store`` kept."""
        self.run(f"DROP TABLE {name}")

    def set_aside(self, name: str, *, but: str) -> None:
        """Keep a table that ``store`` kept, but for one column, in the scratch folder, where it takes no memory.

        A session without a scratch folder keeps it as it is.
        """
        if self._scratch is None:
            return
        self._scratch.mkdir(exist_ok=True)
        path = self._scratch / f"{name}.parquet"
        self.copy(f"SELECT * EXCLUDE ({identifier(but)}) FROM {name}", path)
        self.drop(name)
        self.view(name, f"FROM read_parquet([{literal(str(path))}], hive_partitioning = false)")

    def copy(self, text: str, target: Path) -> None:
        """Write the answer of a query to a Parquet file, in the query's order."""
        self.run(f"COPY ({text}) TO {literal(str(target))} (FORMAT parquet)")

    def view(self, name: str, text: str) -> None:
        """Name a query without parameters."""
        self.run(f"CREATE OR REPLACE TEMP VIEW {name} AS {text}")

    def columns(self, text: str) -> Mapping[str, str]:
        """Column names and DuckDB types of a query, without running it."""
        relation = self._connection.sql(text)
        return dict(zip(relation.columns, map(str, relation.types), strict=True))


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
    config: dict[str, Any] = {"memory_limit": memory, "python_enable_replacements": "false"}
    if scratch is not None:
        config["temp_directory"] = str(scratch)
    if threads is not None:
        config["threads"] = threads
    connection = duckdb.connect(":memory:", config=config)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET preserve_insertion_order = true")
        connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        if views:
            connection.execute("SET arrow_output_version = '1.4'")
            connection.execute("SET produce_arrow_string_view = true")
        for macro in SQL_MACROS:
            connection.execute(macro)
        connection.execute(query("macros"))
        yield Session(connection, scratch)
    finally:
        connection.close()


def literal(text: str) -> str:
    """``text`` as an SQL string literal, for names of files in view definitions (views take no parameters)."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """``name`` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
