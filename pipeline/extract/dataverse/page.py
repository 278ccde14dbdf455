"""A page of the Web API → text columns, fast if it is written as usual.

Other pages go by way of Python objects: slow, but that understands all of JSON.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, NoReturn

import numpy as np
import pyarrow as pa

from pipeline.errors import count_of
from pipeline.extract.dataverse.page_fast import Scanner, UnusualPageError, read_delta_link
from pipeline.wire.json_body import MalformedError, parse_exactly, read_next_link
from sql.session import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class DataversePage:
    """One page: a text column for each wanted name, null where a row lacks it, and ``line``.

    That is the place within the page, from 1. ``slots`` counts all rows of the page; those in
    ``unreadable`` (line → why) are not among the ``rows``. ``lacks``: wanted names that stand
    nowhere in the page; Sales writes a blank down as null.
    """

    rows: pa.Table
    slots: int
    unreadable: dict[int, str]
    next_link: str | None
    delta_link: str | None
    lacks: frozenset[str] = frozenset()


class PageReader:
    """Reads pages of one query, fast if they are written as usual.

    Args:
        names: the members of rows that are wanted.
        numbers: those of ``names`` that hold amounts.
        exact: those that every row must have, blank or not: they decide where it goes.
        engine: reads those that are written as usual (see ``page_fast``).
    """

    def __init__(
        self,
        names: Sequence[str],
        numbers: Sequence[str],
        engine: Session,
        exact: Collection[str] = (),
    ) -> None:
        self._names = list(names)
        self._exact = list(exact)
        self._scanner = Scanner(self._names, numbers, engine)

    def read(self, body: bytes) -> DataversePage:
        """Read a page.

        Raises:
            ValueError, KeyError: it is not a page, not a whole one, or lacks what decides.
        """
        page = self._read(body)
        for name in self._exact:
            lacking = page.slots - body.count(json.dumps(name).encode())
            if lacking > 0:
                raise MalformedError(f"{count_of(lacking, 'row')} without {name}")
        return replace(page, lacks=frozenset(_find_lacking(page.rows, self._names, body)))

    def _read(self, body: bytes) -> DataversePage:
        try:
            scanned = self._scanner.scan(body)
        except UnusualPageError:
            return _read_by_objects(body, self._names)
        lines = pa.array(np.arange(1, scanned.rows.num_rows + 1))
        return DataversePage(
            rows=scanned.rows.append_column("line", lines),
            slots=scanned.rows.num_rows,
            unreadable={},
            next_link=scanned.next_link,
            delta_link=scanned.delta_link,
        )


def _find_lacking(rows: pa.Table, names: Sequence[str], body: bytes) -> Iterator[str]:
    """Names that a page with rows does not have; annotations may be missing."""
    for name in names:
        is_blank = rows.num_rows and rows[name].null_count == rows.num_rows
        if is_blank and "@" not in name and json.dumps(name).encode() not in body:
            yield name


def _read_by_objects(body: bytes, names: Sequence[str]) -> DataversePage:
    page = parse_exactly(body, _DECODER)
    rows = page.get("value") if isinstance(page, dict) else None
    if not isinstance(page, dict) or not isinstance(rows, list):
        raise KeyError("value")
    unreadable = {
        line: why for line, row in enumerate(rows, start=1) if (why := _find_trouble(row, names))
    }
    good = [(line, row) for line, row in enumerate(rows, start=1) if line not in unreadable]
    columns = {
        name: pa.array([_to_text(row.get(name)) for _, row in good], pa.string()) for name in names
    }
    lines = pa.array([line for line, _ in good], pa.int64())
    return DataversePage(
        rows=pa.table({**columns, "line": lines}),
        slots=len(rows),
        unreadable=unreadable,
        next_link=read_next_link(page),
        delta_link=read_delta_link(page),
    )


class _Number(str):
    """A number as text; where a text is wanted, it is none."""

    __slots__ = ()


def _format_amount(text: str) -> _Number:
    """A number as DuckDB would write it, if nothing of it is lost."""
    shortest = repr(float(text))
    try:
        return _Number(shortest if Decimal(shortest) == Decimal(text) else text)
    except ArithmeticError:
        return _Number(text)


def _keep_first(members: list[tuple[str, object]]) -> dict[str, object]:
    """An object.

    Of a member that is there twice, which OData forbids, the first counts, as in DuckDB.
    """
    return dict(reversed(members))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


_DECODER: Final = json.JSONDecoder(
    parse_float=_format_amount,
    parse_int=_Number,
    parse_constant=_refuse_constant,
    object_pairs_hook=_keep_first,
)


def _find_trouble(row: object, names: Sequence[str]) -> str | None:
    """Why a row cannot be read; null if it can."""
    if not isinstance(row, dict):
        return "it is not a JSON object"
    for name in names:
        value = row.get(name)
        if isinstance(value, dict | list):
            return f"{name} holds an object or a list"
        if isinstance(value, str) and not value.isascii() and not _can_encode(value):
            return f"{name} holds half a character"
    return None


def _can_encode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _to_text(value: object) -> str | None:
    """A value as text: numbers were parsed as text, and objects and lists were sorted out."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if value else None
