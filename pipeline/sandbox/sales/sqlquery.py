"""``?sql=``: one SELECT over the tables, in the part of T-SQL that the Web API takes.

SQLite answers it, reading only.
"""

from __future__ import annotations

import re
import sqlite3
from decimal import Decimal
from typing import Any, Final

import orjson

from pipeline.sandbox.odata.tree import ODataError
from pipeline.sandbox.sales.call import SalesCall
from pipeline.sandbox.sales.schema import TABLES, ColumnType, SalesColumn, SalesTable
from pipeline.sandbox.wire.batch import ODataAnswer

MOST: Final = 5000

_TOP: Final = re.compile(r"^\s*SELECT\s+(DISTINCT\s+)?TOP\s+\(?(\d+)\)?\s+", re.IGNORECASE)
_OFFSET: Final = re.compile(
    r"\s+OFFSET\s+(\d+)\s+ROWS?(?:\s+FETCH\s+(?:NEXT|FIRST)\s+(\d+)\s+ROWS?\s+ONLY)?\s*$",
    re.IGNORECASE,
)
_SELECT: Final = re.compile(r"^\s*SELECT\s+(?!.*;)", re.IGNORECASE | re.DOTALL)
_STAR: Final = re.compile(r"^\s*SELECT\s+(?:DISTINCT\s+)?(?:\w+\.)?\*", re.IGNORECASE)
_TABLE: Final = re.compile(r"\b(FROM|JOIN)\s+(\w+)", re.IGNORECASE)
_READING: Final = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION})


def answer_sql(call: SalesCall, table: SalesTable, text: str) -> ODataAnswer:
    """The rows that a SELECT finds, ``MOST`` at the most. Raises ``ODataError``."""
    if not _SELECT.match(text):
        raise ODataError("Only one SELECT statement is allowed.")
    if _STAR.match(text):
        raise ODataError("SELECT * is not supported; name the columns.")
    rows = _run(call, _translate(text))
    return call.json(
        b"".join(
            (
                f'{{{call.context(table.set_name)}"value":'.encode(),
                orjson.dumps(rows, default=str),
                b"}",
            )
        )
    )


def _translate(text: str) -> str:
    """The statement as SQLite reads it.

    Limits at its end, tables as subqueries in the form that answers have.
    """
    limit, offset = MOST, 0
    if top := _TOP.match(text):
        limit = min(int(top[2]), MOST)
        text = f"SELECT {top[1] or ''}{text[top.end() :]}"
    if window := _OFFSET.search(text):
        offset, limit = int(window[1]), min(int(window[2] or MOST), MOST)
        text = text[: window.start()]
    return f"{_TABLE.sub(_render_table, text)} LIMIT {limit} OFFSET {offset}"


def _render_table(match: re.Match[str]) -> str:
    """A table as its rows look in answers, named as the statement names it."""
    name = match[2].lower()
    if name not in TABLES:
        raise ODataError(f"Invalid table name '{match[2]}'.")
    columns = ", ".join(
        f"{_value(column)} AS {column.name}" for column in TABLES[name].columns.values()
    )
    following = match.string[match.end() :].lstrip()
    alias = (
        ""
        if re.match(
            r"(?i)(AS\s+)?(?!where\b|join\b|inner\b|left\b|on\b|group\b|order\b|offset\b)\w",
            following,
        )
        else f" AS {name}"
    )
    return f"{match[1]} (SELECT {columns} FROM {name}){alias}"


def _value(column: SalesColumn) -> str:
    return (
        f"{column.name} / {10**column.digits}.0"
        if column.type in {ColumnType.MONEY, ColumnType.DECIMAL}
        else column.name
    )


def _run(call: SalesCall, text: str) -> list[dict[str, Any]]:
    connection = call.store.connection
    connection.set_authorizer(
        lambda action, *_: sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY
    )
    try:
        cursor = connection.execute(text)
        names = [column[0] for column in cursor.description]
        found = cursor.fetchall()
    except sqlite3.Error as error:
        raise ODataError(f"The SQL statement cannot be run: {error}.") from error
    finally:
        connection.set_authorizer(None)
    flags = {name for name in names if _is_flag(name)}
    return [
        {name: _json(name, value, flags) for name, value in zip(names, row, strict=True)}
        for row in found
    ]


def _is_flag(name: str) -> bool:
    return any(
        table.columns[name].type is ColumnType.FLAG
        for table in TABLES.values()
        if name in table.columns
    )


def _json(name: str, value: Any, flags: set[str]) -> Any:
    if name in flags and value in {0, 1}:
        return bool(value)
    return float(value) if isinstance(value, Decimal) else value
