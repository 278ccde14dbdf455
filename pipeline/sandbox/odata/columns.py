"""Columns, what names mean, and values as rows keep them: the ground that SQL is made on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Protocol, TypeAlias

from pipeline.sandbox.odata.tree import Constant, ODataError, Scalar, ValueKind

SqlValue: TypeAlias = str | int | float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sql:
    """A piece of SQL and the values for its question marks."""

    text: str
    values: tuple[SqlValue, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SqlColumn:
    """What a path means in SQL.

    ``type_name``: the type as messages name it, where the kind does not say it. ``scale``: decimals
    are kept as integers of so many digits after the point. ``members``: what an enumeration's
    members are kept as. ``wildcards``: ``eq`` understands ``*`` in a text.
    """

    sql: str
    kind: ValueKind
    type_name: str = ""
    scale: int = 0
    members: Mapping[str, SqlValue] | None = None
    wildcards: bool = False
    values: tuple[SqlValue, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Members:
    """A collection that a quantifier ranges over.

    ``SELECT 1 <source>`` gives a row for each member; ``scope`` is a member's.
    """

    source: str
    scope: Scope


class Scope(Protocol):
    """What names mean where a condition stands."""

    @property
    def functions(self) -> frozenset[str]:
        """The built-in functions that the service knows."""
        ...

    @property
    def lists(self) -> bool:
        """Whether the service knows ``in``."""
        ...

    def column(self, names: Sequence[str]) -> SqlColumn:
        """The column that a path leads to. Raises ``ODataError`` with the service's own words."""
        ...

    def members(self, names: Sequence[str], variable: str) -> Members:
        """The collection that a path leads to; paths of ``variable`` are its members'."""
        ...

    def query_function(
        self, name: str, parameters: Mapping[str, Scalar | tuple[Scalar, ...]]
    ) -> Sql:
        """A condition that is a function of the service."""
        ...


def make_sort_key(column: SqlColumn) -> str:
    """The expression that orders rows by a column."""
    if column.kind is ValueKind.GUID:
        return make_guid_key(column.sql)
    return (
        f"{column.sql} COLLATE NOCASE"
        if column.kind in {ValueKind.TEXT, ValueKind.ENUM}
        else column.sql
    )


def make_guid_key(sql: str) -> str:
    """A GUID's text (36 characters) turned so that texts order as SQL Server orders GUIDs."""
    pieces = [(25, 12), (20, 4), (17, 2), (15, 2), (12, 2), (10, 2), (7, 2), (5, 2), (3, 2), (1, 2)]
    return "(" + "||".join(f"substr({sql},{start},{length})" for start, length in pieces) + ")"


def turn_guid(text: str) -> str:
    """:func:`make_guid_key` of a text."""
    pieces = [
        (24, 36),
        (19, 23),
        (16, 18),
        (14, 16),
        (11, 13),
        (9, 11),
        (6, 8),
        (4, 6),
        (2, 4),
        (0, 2),
    ]
    return "".join(text[start:end] for start, end in pieces)


def turn_guid_back(key: str | None) -> str | None:
    """A GUID's text from its sort key."""
    if key is None:
        return None
    node, clock = key[:12], key[12:16]
    high, mid = key[18:20] + key[16:18], key[22:24] + key[20:22]
    low = "".join(key[start : start + 2] for start in range(30, 22, -2))
    return f"{low}-{mid}-{high}-{clock}-{node}"


def compose(template: str, *parts: Sql) -> Sql:
    """A template whose ``{}`` are pieces of SQL; the values follow them."""
    return Sql(
        text=template.format(*(part.text for part in parts)),
        values=tuple(value for part in parts for value in part.values),
    )


def bind_constant(constant: Constant, column: SqlColumn) -> SqlValue:
    """A constant as the column keeps it.

    Raises ``ODataError`` where the types do not go together.
    """
    value = constant.value
    if column.members is not None and constant.kind is ValueKind.ENUM:
        return _member(constant, column, column.members)
    if value is None:
        return None
    if isinstance(value, date):
        return _time_text(value, column)
    if isinstance(value, bool):
        return int(value)
    return _scale(value, column) if isinstance(value, int | Decimal) else str(value)


def _time_text(value: date, column: SqlColumn) -> str:
    moment = (
        value
        if isinstance(value, datetime)
        else datetime(value.year, value.month, value.day, tzinfo=UTC)
    )
    return moment.date().isoformat() if column.kind is ValueKind.DATE else format_timestamp(moment)


def format_timestamp(moment: datetime) -> str:
    """A moment as rows keep it, whole seconds.

    A fraction comes last so that texts still order as times do.
    """
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{text}.{moment.microsecond:06d}" if moment.microsecond else text


def _scale(value: int | Decimal, column: SqlColumn) -> SqlValue:
    number = Decimal(value).scaleb(column.scale)
    return int(number) if number == number.to_integral_value() else float(number)


def _member(constant: Constant, column: SqlColumn, members: Mapping[str, SqlValue]) -> SqlValue:
    if constant.type_name != column.type_name or constant.value not in members:
        raise ODataError(
            f"The string '{constant.type_name}'{constant.value}'' is not a valid enumeration type "
            "constant."
        )
    return members[str(constant.value)]


def conjoin(conditions: Sequence[Sql]) -> Sql:
    """The condition that all of these hold; without any, everything does."""
    if not conditions:
        return Sql(text="1")
    return compose(" AND ".join(["{}"] * len(conditions)), *conditions)


def casefold(text: str | None) -> str | None:
    """SQLite connections need it as the function ``casefold``."""
    return None if text is None else str(text).casefold()
