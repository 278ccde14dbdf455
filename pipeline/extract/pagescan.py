"""A page of the Web API → text columns, by DuckDB's reader of JSON: no Python object is made of any value.

It reads files only, so the rows of a page pass through one. What it refuses, or would round, is left to ``pagetext``, which is
slower and says what is wrong with which row.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from sql.session import identifier, literal

NEXT: Final = "@odata.nextLink"
DELTA: Final = "@odata.deltaLink"

_ROWS: Final = b'"value":['
_ROUNDED: Final = r"^-?[0-9.]{16,}$|^-?[0-9.]+[eE]"
"""Numbers with so many digits do not survive a double."""


class UnusualPageError(Exception):
    """A page that DuckDB does not read, or not exactly; it may still be good JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scanned:
    """What a page holds: text columns (null where a row lacks one), and the links beside the rows."""

    rows: pa.Table
    next_link: str | None
    delta_link: str | None


class Scanner:
    """Reads pages of one query, from several threads.

    Args:
        names: the members of rows that are wanted, as the service spells them.
        numbers: those that hold amounts, which must not be rounded.
        scratch: a folder for the file that a page passes through.
    """

    def __init__(self, names: Sequence[str], numbers: Sequence[str], scratch: Path) -> None:
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
        chosen = ", ".join(f"nullif({identifier(name)}, '') AS {identifier(name)}" for name in names)
        options = f"format = 'array', columns = {{{columns}}}, auto_detect = false, maximum_object_size = 4194304"
        self._query = f"SELECT {chosen} FROM read_json(FILE, {options})"
        self._numbers = list(numbers)
        self._scratch = scratch
        self._local = threading.local()

    def scan(self, body: bytes) -> Scanned:
        """Read a page.

        Raises:
            UnusualPageError: it needs a slower reader, or is no whole page.
        """
        begin, end = body.find(_ROWS) + len(_ROWS) - 1, body.rfind(b"]") + 1
        if begin < len(_ROWS) or end <= begin:
            raise UnusualPageError
        links = _links(body[:begin] + b"[]" + body[end:])
        rows = self._rows(memoryview(body)[begin:end])
        if any(_is_rounded(rows[name]) for name in self._numbers) or _may_be_nested(body, rows.num_rows):
            raise UnusualPageError
        return Scanned(rows=rows, next_link=links.get(NEXT), delta_link=links.get(DELTA))

    def _rows(self, array: memoryview) -> pa.Table:
        path = self._scratch / f".page-{threading.get_ident()}.json"
        path.write_bytes(array)
        try:
            return self._connection().sql(self._query.replace("FILE", literal(str(path)))).to_arrow_table()
        except duckdb.Error as error:
            raise UnusualPageError from error
        finally:
            path.unlink()

    def _connection(self) -> duckdb.DuckDBPyConnection:
        found: duckdb.DuckDBPyConnection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = _database().cursor()
        return found


@functools.cache
def _database() -> duckdb.DuckDBPyConnection:
    """One engine for all; each thread has a connection of its own to it."""
    return duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "1GB"})


def _links(rest: bytes) -> dict[str, str]:
    """The page without its rows."""
    try:
        found = json.loads(rest)
    except ValueError as error:
        raise UnusualPageError from error
    return {name: value for name, value in found.items() if name in {NEXT, DELTA} and isinstance(value, str)}


def _may_be_nested(body: bytes, rows: int) -> bool:
    """Whether a value may be an object or a list, which would pass for text. Brackets in texts are looked at twice."""
    if body.count(b"{") == rows + 1 and body.count(b"[") == 1:
        return False
    return body.count(b'":{') > 0 or body.count(b'":[') != 1


def _is_rounded(numbers: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.match_substring_regex(numbers, _ROUNDED)).as_py())
