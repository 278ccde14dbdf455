"""Conditions by operator, as FetchXML and the ``Microsoft.Dynamics.CRM.*`` functions name them.

A column and texts → SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

from pipeline.sandbox.odata.columns import (
    Sql,
    SqlColumn,
    SqlValue,
    bind_constant,
    format_timestamp,
)
from pipeline.sandbox.odata.comparing import compare, compare_columns, match_pattern
from pipeline.sandbox.odata.constants import read_timestamp
from pipeline.sandbox.odata.tree import Comparing, Constant, ODataError, ValueKind

_COMPARING: Final[Mapping[str, Comparing]] = {
    "eq": "eq",
    "ne": "ne",
    "neq": "ne",
    "gt": "gt",
    "ge": "ge",
    "lt": "lt",
    "le": "le",
}
_RELATIVE: Final = re.compile(r"(last|next|olderthan)-x-(minutes|hours|days|weeks|months|years)")
_LIKE: Final = {"like": "{}", "begins-with": "{}%", "ends-with": "%{}", "contains": "%{}%"}
_MONTHS: Final = {"months": 1, "years": 12}
_LAST_MONTH: Final = 12


def compile_operator(
    operator: str, column: SqlColumn, texts: Sequence[str], caller: str = ""
) -> Sql:
    """The condition.

    Raises ``ODataError`` for unknown operators and values that the column cannot have.
    """
    positive = _POSITIVE.get(operator)
    if positive is not None:
        found = compile_operator(positive, column, texts, caller)
        return Sql(text=f"({column.sql} IS NULL OR NOT {found.text})", values=found.values)
    for rule in (_compare, _compare_list, _search, _user, _calendar):
        made = rule(operator, column, texts, caller)
        if made is not None:
            return made
    raise ODataError(f"The condition operator '{operator}' is not supported.")


_POSITIVE: Final = {
    "not-like": "like",
    "not-begin-with": "begins-with",
    "not-end-with": "ends-with",
    "not-in": "in",
    "not-between": "between",
    "ne-userid": "eq-userid",
    "ne-businessid": "eq-businessid",
}


def compile_column_pair(operator: str, left: SqlColumn, right: SqlColumn) -> Sql:
    """Two columns of one row compared."""
    if operator not in _COMPARING:
        raise ODataError(f"The condition operator '{operator}' cannot compare columns.")
    return compare_columns(_COMPARING[operator], left, right)


def _value(column: SqlColumn, text: str) -> SqlValue:
    return bind_constant(_constant(column.kind, text), column)


def _constant(kind: ValueKind, text: str) -> Constant:
    try:
        return Constant(value=_READERS[kind](text), kind=kind)
    except (ValueError, InvalidOperation) as error:
        raise ODataError(f"The value '{text}' is not of the type {kind}.") from error


def _flag(text: str) -> bool:
    if text.lower() not in {"true", "false", "1", "0"}:
        raise ValueError(text)
    return text.lower() in {"true", "1"}


_READERS: Final[Mapping[ValueKind, Callable[[str], str | int | Decimal | UUID | datetime]]] = {
    ValueKind.BOOLEAN: _flag,
    ValueKind.INTEGER: int,
    ValueKind.DECIMAL: Decimal,
    ValueKind.GUID: lambda text: UUID(text.strip("{}")),
    ValueKind.TIMESTAMP: read_timestamp,
    ValueKind.DATE: read_timestamp,
    ValueKind.TEXT: str,
}


def _compare(operator: str, column: SqlColumn, texts: Sequence[str], _caller: str) -> Sql | None:
    if operator in {"null", "not-null"}:
        return Sql(
            text=f"({column.sql} IS {'NOT ' if operator == 'not-null' else ''}NULL)",
            values=column.values,
        )
    if operator not in _COMPARING:
        return None
    return compare(_COMPARING[operator], column, _constant(column.kind, _one(operator, texts)))


def _one(operator: str, texts: Sequence[str]) -> str:
    if len(texts) != 1:
        raise ODataError(
            f"The condition operator '{operator}' takes one value, {len(texts)} were given."
        )
    return texts[0]


def _compare_list(
    operator: str, column: SqlColumn, texts: Sequence[str], _caller: str
) -> Sql | None:
    values = (
        tuple(_value(column, text) for text in texts)
        if operator in {"in", "contain-values", "between"}
        else ()
    )
    name = f"{column.sql} COLLATE NOCASE" if column.kind is ValueKind.TEXT else column.sql
    if operator in {"in", "contain-values"}:
        return Sql(
            text=f"({name} IN ({', '.join('?' * len(values))}))", values=(*column.values, *values)
        )
    if operator != "between":
        return None
    if len(values) != len(("low", "high")):
        raise ODataError("The condition operator 'between' takes two values.")
    return Sql(text=f"({name} BETWEEN ? AND ?)", values=(*column.values, *values))


def _search(operator: str, column: SqlColumn, texts: Sequence[str], _caller: str) -> Sql | None:
    if operator not in _LIKE:
        return None
    pattern = _LIKE[operator].format(_one(operator, texts))
    return match_pattern(column, pattern.replace("\\", "\\\\"))


def _user(operator: str, column: SqlColumn, _texts: Sequence[str], caller: str) -> Sql | None:
    if operator == "eq-userid":
        return Sql(text=f"({column.sql} = ?)", values=(*column.values, caller))
    if operator == "eq-businessid":
        unit = "(SELECT businessunitid FROM systemuser WHERE systemuserid = ?)"
        return Sql(text=f"({column.sql} = {unit})", values=(*column.values, caller))
    return None


def _calendar(operator: str, column: SqlColumn, texts: Sequence[str], _caller: str) -> Sql | None:
    span = _span(operator, texts, datetime.now(UTC))
    if span is None:
        return None
    if column.kind not in {ValueKind.TIMESTAMP, ValueKind.DATE}:
        raise ODataError(f"The condition operator '{operator}' is for dates only.")
    length = 10 if column.kind is ValueKind.DATE else 20
    low, high = (None if end is None else format_timestamp(end)[:length] for end in span)
    terms = [f"{column.sql} >= ?"] * (low is not None) + [f"{column.sql} < ?"] * (high is not None)
    return Sql(
        text=f"({' AND '.join(terms)})", values=tuple(end for end in (low, high) if end is not None)
    )


def _span(
    operator: str, texts: Sequence[str], now: datetime
) -> tuple[datetime | None, datetime | None] | None:
    """The moments that an operator means, the second one excluded."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if operator in _DAYS:
        low, high = _DAYS[operator]
        return day + timedelta(days=low), day + timedelta(days=high)
    if operator in {"on", "on-or-after", "on-or-before"}:
        given = read_timestamp(_one(operator, texts)).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        following = given + timedelta(days=1)
        return (None if operator == "on-or-before" else given), (
            None if operator == "on-or-after" else following
        )
    if operator in _CALENDAR:
        unit, step = _CALENDAR[operator]
        first = day.replace(day=1) if unit == "months" else day.replace(month=1, day=1)
        return _move(first, unit, step), _move(first, unit, step + 1)
    match = _RELATIVE.fullmatch(operator)
    return (
        None
        if match is None
        else _find_relative(match[1], match[2], int(_one(operator, texts)), now)
    )


def _find_relative(
    word: str, unit: str, count: int, now: datetime
) -> tuple[datetime | None, datetime | None]:
    if word == "olderthan":
        return None, _move(now, unit, -count)
    whole = (
        now.replace(minute=0, second=0, microsecond=0)
        if unit == "hours"
        else now.replace(hour=0, minute=0, second=0, microsecond=0)
    )
    if word == "last":
        return _move(whole, unit, -count), now + timedelta(seconds=1)
    return now, _move(whole, unit, count + 1)


def _move(moment: datetime, unit: str, count: int) -> datetime:
    if unit not in _MONTHS:
        return moment + timedelta(**{unit: count})
    months = moment.year * _LAST_MONTH + moment.month - 1 + count * _MONTHS[unit]
    year, month = divmod(months, _LAST_MONTH)
    last = (
        date(year + (month == _LAST_MONTH - 1), (month + 1) % _LAST_MONTH + 1, 1)
        - timedelta(days=1)
    ).day
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


_DAYS: Final = {
    "today": (0, 1),
    "yesterday": (-1, 0),
    "tomorrow": (1, 2),
    "last-seven-days": (-7, 1),
    "next-seven-days": (1, 8),
}
_CALENDAR: Final = {
    "this-month": ("months", 0),
    "last-month": ("months", -1),
    "next-month": ("months", 1),
    "this-year": ("years", 0),
    "last-year": ("years", -1),
    "next-year": ("years", 1),
}
