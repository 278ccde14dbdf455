"""The database of the Sales twin.

One SQLite table for each Dataverse table, one version counter, a log of deletions.

Readers see what was committed when they began; one writer at a time. Values are kept as answers
show them, but for decimals (integers, so many digits after the point) and two-options (0 and 1).
Row order is the order of primary keys as SQL Server compares them: the last six bytes of a GUID
come first, so ranges of ids are not ranges of their texts.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from pipeline.sandbox.odata.columns import casefold, make_guid_key
from pipeline.sandbox.sales.schema import TABLES, ColumnType, SalesColumn, SalesTable

SalesRow: TypeAlias = dict[str, Any]

_TEXTS: Final = frozenset(
    {
        ColumnType.ID,
        ColumnType.TEXT,
        ColumnType.MEMO,
        ColumnType.DATE,
        ColumnType.TIME,
        ColumnType.LOOKUP,
        ColumnType.GUID,
    }
)
_SETTINGS: Final = (
    "PRAGMA synchronous = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -8192",
    "PRAGMA mmap_size = 17179869184",
    "PRAGMA case_sensitive_like = OFF",
)
_INDEXED: Final = frozenset({"parentcustomerid", "customerid", "accountnumber", "isocurrencycode"})


class SalesStore:
    """One database file and its connections."""

    def __init__(self, path: Path) -> None:
        """Make the tables in a new file.

        It is filled without a journal, and fit for readers after :meth:`index`.
        """
        self._path = path
        self._lock = threading.RLock()
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._version = 0
        self._writer = self._connect()
        self._depth = 0
        self._writer.execute("PRAGMA journal_mode = OFF")
        for statement in _tables():
            self._writer.execute(statement)

    def close(self) -> None:
        """Close all connections."""
        for connection in self._open:
            connection.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection: the writer inside a transaction, else one that reads."""
        if getattr(self._local, "writing", False):
            return self._writer
        found: sqlite3.Connection | None = getattr(self._local, "reader", None)
        if found is None:
            found = self._local.reader = self._connect()
        return found

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit at the end, roll back on an exception. One inside another is undone alone."""
        with self._lock:
            outer, before = self._depth == 0, self._version
            self._writer.execute("BEGIN IMMEDIATE" if outer else f"SAVEPOINT s{self._depth}")
            self._depth += 1
            self._local.writing = True
            try:
                yield
                if outer and self._version != before:
                    self._writer.execute("UPDATE _version SET value = ?", (self._version,))
            except BaseException:
                self._leave(
                    *(
                        ["ROLLBACK"]
                        if outer
                        else [f"ROLLBACK TO s{self._depth - 1}", f"RELEASE s{self._depth - 1}"]
                    )
                )
                self._version = before
                raise
            self._leave("COMMIT" if outer else f"RELEASE s{self._depth - 1}")

    def _leave(self, *statements: str) -> None:
        for statement in statements:
            self._writer.execute(statement)
        self._depth -= 1
        self._local.writing = self._depth > 0

    def next_version(self) -> int:
        """A row version that is not in use, inside a transaction."""
        self._version += 1
        return self._version

    def seen_version(self, version: int) -> None:
        """Rows with versions of their own were loaded; continue after them."""
        self._version = max(self._version, version)

    @property
    def version(self) -> int:
        """The last version that this thread's connection sees."""
        found: int = self.connection.execute("SELECT value FROM _version").fetchone()[0]
        return found

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query finds."""
        found: list[tuple[Any, ...]] = self.connection.execute(sql, values).fetchall()
        return found

    def row(self, table: SalesTable, row_id: str) -> SalesRow | None:
        """One row, all columns as kept."""
        cursor = self.connection.execute(
            f"SELECT * FROM {table.name} WHERE {table.id} = ?", (row_id,)
        )
        found = cursor.fetchone()
        return (
            None
            if found is None
            else dict(zip((column[0] for column in cursor.description), found, strict=True))
        )

    def insert(self, table: SalesTable, values: Mapping[str, Any]) -> None:
        """One row. Raises ``sqlite3.IntegrityError`` for an id that is there."""
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        self._writer.execute(
            f"INSERT INTO {table.name} ({names}) VALUES ({marks})", tuple(values.values())
        )

    def insert_many(
        self, table: SalesTable, names: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> None:
        """Rows that all have the same columns."""
        marks = ", ".join("?" * len(names))
        self._writer.executemany(
            f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", rows
        )

    def update(self, table: SalesTable, row_id: str, values: Mapping[str, Any]) -> None:
        """Some columns of one row."""
        terms = ", ".join(f"{name} = ?" for name in values)
        self._writer.execute(
            f"UPDATE {table.name} SET {terms} WHERE {table.id} = ?", (*values.values(), row_id)
        )

    def delete(self, table: SalesTable, row_id: str) -> None:
        """One row, and a line in the log of deletions."""
        self._writer.execute(f"DELETE FROM {table.name} WHERE {table.id} = ?", (row_id,))
        self.log_deletion(table, row_id, self.next_version())

    def log_deletion(self, table: SalesTable, row_id: str, version: int) -> None:
        """A row is gone since a version."""
        self._writer.execute("INSERT INTO _deleted VALUES (?, ?, ?)", (table.name, row_id, version))

    def drop_superseded(self, table: SalesTable) -> None:
        """Of rows with one id only the last version stays: of equal ones the one added last."""
        ranked = (
            f"SELECT rowid AS r, row_number() OVER (PARTITION BY {table.id} "
            f"ORDER BY versionnumber DESC, rowid DESC) AS n FROM {table.name}"
        )
        self._writer.execute(
            f"DELETE FROM {table.name} WHERE rowid IN (SELECT r FROM ({ranked}) WHERE n > 1)"
        )

    def drop_deleted(self, table: SalesTable, versions: Mapping[str, int]) -> None:
        """Rows are gone since a version, unless they have a later one; those are logged."""
        self._writer.execute("CREATE TEMP TABLE gone (id TEXT PRIMARY KEY, version INTEGER)")
        self._writer.executemany("INSERT INTO gone VALUES (?, ?)", versions.items())
        self._writer.execute(
            f"DELETE FROM {table.name} WHERE rowid IN (SELECT t.rowid FROM {table.name} AS t "
            f"JOIN gone ON gone.id = t.{table.id} WHERE t.versionnumber <= gone.version)"
        )
        self._writer.execute(
            "INSERT INTO _deleted SELECT ?, id, version FROM gone "
            f"WHERE id NOT IN (SELECT {table.id} FROM {table.name})",
            (table.name,),
        )
        self._writer.execute("DROP TABLE gone")

    def index(self) -> None:
        """Make the indexes, which is cheaper once the rows are there, and a journal.

        With it readers do not wait for writers.
        """
        for statement in _indexes():
            self._writer.execute(statement)
        self._writer.execute("PRAGMA journal_mode = WAL")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        for setting in _SETTINGS:
            connection.execute(setting)
        connection.create_function("casefold", 1, casefold, deterministic=True)
        self._open.append(connection)
        return connection


def list_sql_columns(table: SalesTable) -> Iterator[tuple[str, SalesColumn]]:
    """SQL column and the column that it belongs to; a polymorphic lookup has two."""
    for column in table.columns.values():
        yield column.name, column
        if column.polymorphic:
            yield column.type_name, column


def _tables() -> Iterator[str]:
    yield "CREATE TABLE _version (value INTEGER NOT NULL)"
    yield "INSERT INTO _version VALUES (0)"
    yield (
        "CREATE TABLE _deleted (logicalname TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT "
        "NULL)"
    )
    for table in TABLES.values():
        columns = ", ".join(_definition(name, column) for name, column in list_sql_columns(table))
        yield f"CREATE TABLE {table.name} ({columns})"


def _definition(name: str, column: SalesColumn) -> str:
    if column.type is ColumnType.ID:
        return f"{name} TEXT NOT NULL"
    return f"{name} {'TEXT' if column.type in _TEXTS or name != column.name else 'INTEGER'}"


def _indexes() -> Iterator[str]:
    yield "CREATE INDEX _deleted_version ON _deleted (logicalname, version)"
    for table in TABLES.values():
        yield f"CREATE UNIQUE INDEX {table.name}_id ON {table.name} ({table.id})"
        yield f"CREATE INDEX {table.name}_order ON {table.name} ({make_guid_key(table.id)})"
        if table.tracked:
            yield f"CREATE INDEX {table.name}_version ON {table.name} (versionnumber)"
        keyed = {name for names in table.keys.values() for name in names}
        for name in [name for name in table.columns if name in _INDEXED | keyed]:
            collation = "" if table.columns[name].type is ColumnType.LOOKUP else " COLLATE NOCASE"
            yield f"CREATE INDEX {table.name}_{name} ON {table.name} ({name}{collation})"
