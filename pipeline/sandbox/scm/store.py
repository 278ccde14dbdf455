"""The database of the SCM twin: one SQLite table for each entity set.

Several threads use it, one at a time. A row is a mapping of property to value, with ``_recid`` and
``_recversion``, of which etags are made. Text compares without regard to case, as SCM's database
does.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pipeline.sandbox.odata.columns import casefold
from pipeline.sandbox.scm.entities import (
    CATALOGUE,
    COMPANY,
    ENTITIES,
    SETUP,
    Catalogue,
    Property,
    PropertyKind,
    ScmEntity,
    ScmReference,
)

ScmRow: TypeAlias = dict[str, Any]

RECID: Final = "_recid"
RECVERSION: Final = "_recversion"

_FIRST_RECID: Final = 5637144576
_VERSION_STEP: Final = 1_103_515_245
_LARGE: Final = frozenset({"CustomersV2", "CDSContactPersons", "CDSParties"})
_TYPES: Final = {
    PropertyKind.STRING: "TEXT COLLATE NOCASE",
    PropertyKind.ENUM: "TEXT",
    PropertyKind.INT: "INTEGER",
    PropertyKind.INT64: "INTEGER",
    PropertyKind.DECIMAL: "REAL",
    PropertyKind.DATETIME: "TEXT",
}
_INDEXES: Final = {
    "CustomersV2": (COMPANY, "PartyNumber"),
    "AddressCountryRegions": ("ISOcode",),
    "DataManagementExecutionJobDetails": ("JobId",),
}


def _insert(entity: ScmEntity) -> str:
    columns = ", ".join(f'"{one.name}"' for one in entity.properties)
    values = ", ".join(f":{one.name}" for one in entity.properties)
    return f'INSERT INTO "{entity.name}" ({columns}, "{RECVERSION}") VALUES ({values}, 1)'


class DuplicateKeyError(Exception):
    """A row with that key is there already."""


class ScmStore:
    """All tables of one SCM. ``path`` is a file, or memory."""

    def __init__(self, path: str = ":memory:", catalogue: Catalogue = CATALOGUE) -> None:
        self.catalogue = catalogue
        self._inserts = {name: _insert(one) for name, one in catalogue.entities.items()}
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.create_function("casefold", 1, casefold, deterministic=True)
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("PRAGMA journal_mode = MEMORY")
        self._create()
        self._versions = itertools.count(_VERSION_STEP, _VERSION_STEP)
        self._generations: Counter[str] = Counter()
        self._mappings: dict[tuple[str, str, str], tuple[int, Mapping[str, str]]] = {}
        self._codes: dict[tuple[ScmReference, str], tuple[int, Mapping[str, str]]] = {}

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def copy_to(self, other: ScmStore) -> None:
        """Make another store what this one is."""
        with self._lock:
            self._db.backup(other._db)
        other._generations.update(ENTITIES.keys())

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Transactions may nest: an inner one that fails undoes itself alone."""
        with self._lock:
            name = f"level{self._depth}"
            self._db.execute(f"SAVEPOINT {name}")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._db.execute(f"ROLLBACK TO {name}")
                self._generations.update(ENTITIES.keys())  # what was read since may be gone
                raise
            finally:
                self._depth -= 1
                self._db.execute(f"RELEASE {name}")

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Writes that belong together.

        Part of the transaction that is open, else one of their own.
        """
        with self._lock:
            if self._depth:
                yield
                return
            with self.transaction():
                yield

    # rows

    def find(self, entity: ScmEntity, key: Mapping[str, Any]) -> ScmRow | None:
        """The row with this key."""
        where = " AND ".join(f'"{name}" = ?' for name in key)
        found = self.select(f'SELECT * FROM "{entity.name}" WHERE {where}', list(key.values()))
        return found[0] if found else None

    def select(self, sql: str, parameters: Sequence[Any] = ()) -> list[ScmRow]:
        """The rows of a query."""
        with self._lock:
            return [dict(row) for row in self._db.execute(sql, parameters)]

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first value of a query, or null."""
        with self._lock:
            row = self._db.execute(sql, parameters).fetchone()
            return row[0] if row else None

    def insert(self, entity: ScmEntity, row: Mapping[str, Any]) -> ScmRow:
        """Insert a whole row. Raises ``DuplicateKeyError``."""
        with self._lock:
            try:
                cursor = self._db.execute(self._inserts[entity.name], row)
            except sqlite3.IntegrityError as error:
                raise DuplicateKeyError from error
            self._generations[entity.name] += 1
            return {**row, RECID: cursor.lastrowid, RECVERSION: 1}

    def insert_many(self, entity: ScmEntity, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert whole rows; those whose key is there already are left out."""
        with self._lock:
            self._db.executemany(
                self._inserts[entity.name].replace("INSERT", "INSERT OR IGNORE", 1), rows
            )
            self._generations[entity.name] += 1

    def update(
        self, entity: ScmEntity, row: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> ScmRow:
        """Change a row. Raises ``DuplicateKeyError``."""
        version = next(self._versions) & 0x7FFF_FFFF
        sets = ", ".join(f'"{name}" = ?' for name in (*changes, RECVERSION))
        sql = f'UPDATE "{entity.name}" SET {sets} WHERE "{RECID}" = ?'
        with self._lock:
            try:
                self._db.execute(sql, [*changes.values(), version, row[RECID]])
            except sqlite3.IntegrityError as error:
                raise DuplicateKeyError from error
            self._generations[entity.name] += 1
        return {**row, **changes, RECVERSION: version}

    def delete(self, entity: ScmEntity, row: Mapping[str, Any]) -> None:
        """Delete a row."""
        with self._lock:
            self._db.execute(f'DELETE FROM "{entity.name}" WHERE "{RECID}" = ?', [row[RECID]])
            self._generations[entity.name] += 1

    def clear(self, entity: ScmEntity, company: str) -> None:
        """Delete all rows of a legal entity, or of a shared entity."""
        where = "" if entity.shared else f' WHERE "{COMPANY}" = ?'
        with self._lock:
            self._db.execute(
                f'DELETE FROM "{entity.name}"{where}', [] if entity.shared else [company]
            )
            self._generations[entity.name] += 1

    # reference data

    def found(self, reference: ScmReference, value: str, company: str) -> bool:
        """Whether a value is there to be referred to, in this legal entity or in all."""
        if reference.entity_set in _LARGE:
            entity = ENTITIES[reference.entity_set]
            own = () if entity.shared else (company,)
            where = f'"{reference.target}" = ?' + (f' AND "{COMPANY}" = ?' if own else "")
            return (
                self.value(f'SELECT 1 FROM "{entity.name}" WHERE {where}', (value, *own))
                is not None
            )
        return value.lower() in self.codes(reference, company)

    def codes(self, reference: ScmReference, company: str) -> Mapping[str, str]:
        """All values that can be referred to, by their lower-case form.

        Read again only after a change.
        """
        with self._lock:
            generation = self._generations[reference.entity_set]
            known = self._codes.get((reference, company))
            if known is None or known[0] != generation:
                known = (generation, self._read_codes(reference, company))
                self._codes[reference, company] = known
            return known[1]

    def mapping(self, entity: ScmEntity, key: str, value: str) -> Mapping[str, str]:
        """One field of a shared entity by the lower-case form of another.

        Read again only after a change.
        """
        with self._lock:
            generation = self._generations[entity.name]
            known = self._mappings.get((entity.name, key, value))
            if known is None or known[0] != generation:
                rows = self.select(
                    f'SELECT "{key}" AS k, "{value}" AS v FROM "{entity.name}" ORDER BY "{RECID}" '
                    "DESC"
                )
                known = (generation, {row["k"].lower(): row["v"] for row in rows})
                self._mappings[entity.name, key, value] = known
            return known[1]

    def add_setup(self, kind: str, *codes: str) -> None:
        """Add codes that have no entity set."""
        with self._lock:
            self._db.executemany(
                'INSERT OR IGNORE INTO "_setup" VALUES (?, ?)', [(kind, code) for code in codes]
            )
            self._generations[SETUP] += 1

    def in_setup(self, kind: str, code: str) -> bool:
        """Whether a code that has no entity set is there."""
        return code.lower() in self.codes(ScmReference(entity_set=SETUP, target=kind), "")

    def next_number(self, sequence: str, first: int = 1) -> int:
        """The next number of a number sequence."""
        sql = (
            'INSERT INTO "_sequence" VALUES (?, ?) ON CONFLICT DO UPDATE SET next = next + 1 '
            "RETURNING next"
        )
        with self._lock:
            return int(self._db.execute(sql, (sequence, first)).fetchone()[0])

    def _read_codes(self, reference: ScmReference, company: str) -> Mapping[str, str]:
        if reference.is_setup:
            rows = self.select('SELECT code FROM "_setup" WHERE kind = ?', [reference.target])
            return {row["code"].lower(): row["code"] for row in rows}
        entity = ENTITIES[reference.entity_set]
        where = "" if entity.shared else f'WHERE "{COMPANY}" = ?'
        own = () if entity.shared else (company,)
        rows = self.select(f'SELECT "{reference.target}" AS code FROM "{entity.name}" {where}', own)
        return {row["code"].lower(): row["code"] for row in rows}

    # tables

    def _create(self) -> None:
        self._db.execute(
            'CREATE TABLE IF NOT EXISTS "_setup" (kind, code COLLATE NOCASE, PRIMARY KEY (kind, '
            "code))"
        )
        self._db.execute('CREATE TABLE IF NOT EXISTS "_sequence" (name PRIMARY KEY, next INTEGER)')
        for number, entity in enumerate(self.catalogue.entities.values()):
            columns = ", ".join(
                f'"{one.name}" {_TYPES[one.kind]} NOT NULL' for one in entity.properties
            )
            self._db.execute(
                f'CREATE TABLE IF NOT EXISTS "{entity.name}" '
                f'("{RECID}" INTEGER PRIMARY KEY AUTOINCREMENT, "{RECVERSION}" INTEGER, {columns})'
            )
            self._index(entity, [one.name for one in entity.keys], unique=True)
            if entity.name in _INDEXES:
                self._index(entity, _INDEXES[entity.name], unique=False)
            self._db.execute(
                (
                    "INSERT INTO sqlite_sequence SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM "
                    "sqlite_sequence WHERE name = ?)"
                ),
                (entity.name, _FIRST_RECID + number * 10**8, entity.name),
            )

    def _index(self, entity: ScmEntity, columns: Sequence[str], *, unique: bool) -> None:
        kind, name = ("UNIQUE INDEX", "key") if unique else ("INDEX", "other")
        listed = ", ".join(f'"{column}"' for column in columns)
        self._db.execute(
            f'CREATE {kind} IF NOT EXISTS "{entity.name}_{name}" ON "{entity.name}" ({listed})'
        )


def write_etag(row: Mapping[str, Any]) -> str:
    """The etag of a row: record version and record id, as SCM writes them."""
    text = f"'{row[RECVERSION]},{row[RECID]}'"
    return f'W/"{base64.b64encode(text.encode()).decode()}"'


def pick_key(entity: ScmEntity, row: Mapping[str, Any]) -> dict[str, Any]:
    """The key of a row, the legal entity first."""
    return {one.name: row[one.name] for one in entity.keys}


def render_key(keys: Sequence[Property], row: Mapping[str, Any]) -> str:
    """Key values as messages list them: ``Customer group: 10, Currency: USD``."""
    return ", ".join(f"{one.label}: {row[one.name]}" for one in keys)
