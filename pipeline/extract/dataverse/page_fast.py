"""A page of the Web API → text columns, by DuckDB's JSON functions.

No value becomes a Python object. What DuckDB refuses, or would round, is left to ``page``, which is
slower and says what is wrong with which row.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.wire.json_body import MalformedError, parse_json, read_next_link
from sql.query import query
from sql.session import Session, session

_DELTA: Final = "@odata.deltaLink"

_ROWS: Final = b'"value":['
_ROUNDED: Final = r"^-?[0-9.]{16,}$|^-?[0-9.]+[eE]|^-?[NI]"
"""Numbers with so many digits do not survive a double; some are not JSON at all."""

_OPENS: Final = np.isin(np.arange(256), np.frombuffer(b"{[", np.uint8))
_BEGINS_CONSTANT: Final = np.isin(np.arange(256), np.frombuffer(b"-nNiI", np.uint8))
_CONSTANT_LENGTHS: Final = (3, 4, 8, 9)
_CONSTANT: Final = "^-?(?i:nan|inf|infinity)$"


class UnusualPageError(Exception):
    """A page that DuckDB does not read, or not exactly; it may still be good JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScannedPage:
    """What a page holds: text columns (null where a row lacks one), and the links next to them."""

    rows: pa.Table
    next_link: str | None
    delta_link: str | None


def open_engine() -> AbstractContextManager[Session]:
    """What reads pages: one for all scanners, in which each thread has a session of its own."""
    return session(memory="1GB", threads=1)


class Scanner:
    """Reads pages of one query, from several threads.

    Args:
        names: the members of rows that are wanted, as the service spells them.
        numbers: those that hold amounts, which must not be rounded.
        engine: reads them (see ``open_engine``).
    """

    def __init__(self, names: Sequence[str], numbers: Sequence[str], engine: Session) -> None:
        self._engine = engine
        self._shape = json.dumps([dict.fromkeys(names, "VARCHAR")])
        self._names = list(names)
        self._numbers = list(numbers)
        self._local = threading.local()

    def scan(self, body: bytes) -> ScannedPage:
        """Read a page.

        Raises:
            UnusualPageError: it needs a slower reader, or is not a whole page.
        """
        begin, end = body.find(_ROWS) + len(_ROWS) - 1, body.rfind(b"]") + 1
        if begin < len(_ROWS) or end <= begin:
            raise UnusualPageError
        rest = _read_rest(body[:begin] + b"[]" + body[end:])
        columns = self._read_columns(memoryview(body)[begin:end])
        if (
            any(map(_may_be_no_json, columns))
            or _may_lack_rows(columns)
            or (any(map(_may_be_nested, columns)) and (b'":{' in body or body.count(b'":[') != 1))
        ):
            raise UnusualPageError
        rows = pa.table([_remove_empty(column) for column in columns], names=self._names)
        if any(_is_rounded(rows[name]) for name in self._numbers):
            raise UnusualPageError
        return ScannedPage(
            rows=rows, next_link=read_next_link(rest), delta_link=read_delta_link(rest)
        )

    def _read_columns(self, array: memoryview) -> list[pa.StringArray]:
        if not hasattr(self._local, "shaper"):
            self._local.shaper = _Shaper(self._engine.open_cursor(), self._shape)
        shaper: _Shaper = self._local.shaper
        try:
            return shaper.read_columns(array)
        except (duckdb.Error, UnicodeError) as error:
            raise UnusualPageError from error


class _Source:
    """What DuckDB reads: one row, an array of JSON as it came, copied nowhere."""

    def __init__(self) -> None:
        self.array = memoryview(b"[]")

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        ends = pa.py_buffer(np.array([0, len(self.array)], np.int64))
        page = pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(self.array)])
        return pa.table({"page": page}).__arrow_c_stream__(requested_schema)


class _Shaper:
    """One thread's session, its statement prepared.

    To plan it again for every page would cost a fifth of the time.
    """

    def __init__(self, session: Session, shape: str) -> None:
        self._source = _Source()
        self._session = session
        self._session.register("body", self._source)
        self._session.prepare("page", query("extract/page"), shape=shape)

    def read_columns(self, array: memoryview) -> list[pa.StringArray]:
        """A JSON array of objects as columns. Raises ``duckdb.Error``, ``UnicodeError``."""
        self._source.array = array
        try:
            found = self._session.arrow("EXECUTE page")["rows"].combine_chunks()
        finally:
            self._source.array = memoryview(b"[]")
        columns: list[pa.StringArray] = found.values.flatten()
        return columns


def _read_rest(rest: bytes) -> dict[str, object]:
    """The page without its rows."""
    try:
        found = parse_json(rest)
    except ValueError as error:
        raise UnusualPageError from error
    if not isinstance(found, dict):
        raise UnusualPageError
    return found


def read_delta_link(page: Mapping[str, object]) -> str | None:
    """Where changes after this page are; null if Sales does not track them.

    Raises ``ValueError`` if it is no address.
    """
    link = page.get(_DELTA)
    if link is not None and type(link) is not str:
        raise MalformedError("a delta link that is no address")
    return link


def _may_lack_rows(columns: Sequence[pa.StringArray]) -> bool:
    """Whether a row has no value at all: then it may be no object."""
    return not any(column.null_count == 0 for column in columns) and any(
        map(all, zip(*map(_find_nulls, columns), strict=True))
    )


def _find_nulls(column: pa.StringArray) -> list[bool]:
    found: list[bool] = column.is_null().to_pylist()
    return found


def _read_ends(column: pa.StringArray) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.frombuffer(column.buffers()[1], np.int32)[
        column.offset : column.offset + len(column) + 1
    ]


def _may_be_nested(column: pa.StringArray) -> bool:
    """Whether a text begins as objects and lists do, which would pass for text."""
    letters = np.frombuffer(column.buffers()[2] or b"", np.uint8)
    return bool(len(letters) and _OPENS[letters.take(_read_ends(column)[:-1], mode="clip")].any())


def _may_be_no_json(column: pa.StringArray) -> bool:
    """Whether a text may be a NaN or an infinity without quotes, which DuckDB takes for text."""
    ends = _read_ends(column)
    letters = np.frombuffer(column.buffers()[2] or b"", np.uint8)
    begins = ends[:-1][np.isin(np.diff(ends), _CONSTANT_LENGTHS)]
    if not (len(letters) and len(begins)):
        return False
    if not _BEGINS_CONSTANT[letters.take(begins, mode="clip")].any():
        return False
    return bool(pc.any(pc.match_substring_regex(column, _CONSTANT)).as_py())


def _remove_empty(column: pa.StringArray) -> pa.StringArray:
    """Empty is null."""
    ends = _read_ends(column)
    if len(column) - np.count_nonzero(ends[1:] - ends[:-1]) == column.null_count:
        return column
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _is_rounded(numbers: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.match_substring_regex(numbers, _ROUNDED)).as_py())
