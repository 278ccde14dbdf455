"""Comparisons as SQL for SQLite: a column with a value, with another column, with a pattern.

Texts compare without regard to case, as SQL Server's default collation does; ``ne`` finds blanks,
``eq`` does not; GUIDs compare in SQL Server's order (last six bytes first).
"""

from __future__ import annotations

from typing import Final

from pipeline.sandbox.odata.columns import (
    Sql,
    SqlColumn,
    SqlValue,
    bind_constant,
    make_guid_key,
    make_sort_key,
    turn_guid,
)
from pipeline.sandbox.odata.tree import Comparing, Constant, ODataError, ValueKind

_SIGNS: Final = {"eq": "=", "ne": "IS NOT", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_WORDS: Final = {
    "eq": "Equal",
    "ne": "NotEqual",
    "gt": "GreaterThan",
    "ge": "GreaterThanOrEqual",
    "lt": "LessThan",
    "le": "LessThanOrEqual",
}
_EQUALITY: Final = frozenset({"eq", "ne"})
_NUMBERS: Final = frozenset({ValueKind.INTEGER, ValueKind.DECIMAL})
_TIMES: Final = frozenset({ValueKind.TIMESTAMP, ValueKind.DATE})


def compare(operator: Comparing, column: SqlColumn, constant: Constant) -> Sql:
    """A column compared with a value. Raises ``ODataError`` where their types do not fit."""
    _check(operator, column, constant)
    value = bind_constant(constant, column)
    if value is None:
        return _compare_with_null(operator, column)
    if column.wildcards and isinstance(value, str) and "*" in value and operator in _EQUALITY:
        found = match_pattern(column, _escape(value).replace("*", "%"))
        return found if operator == "eq" else Sql(text=f"(NOT {found.text})", values=found.values)
    left, right = column.sql, "?"
    if column.kind is ValueKind.GUID and operator not in _EQUALITY:
        left, value = make_guid_key(column.sql), turn_guid(str(value))
    elif column.kind in {ValueKind.TEXT, ValueKind.ENUM} and isinstance(value, str):
        left, right, value = _fold(column, value)
    return Sql(text=f"({left} {_SIGNS[operator]} {right})", values=(*column.values, value))


def compare_columns(operator: Comparing, left: SqlColumn, right: SqlColumn) -> Sql:
    """Two columns of one row compared. Raises ``ODataError`` where their types do not fit."""
    _check(operator, left, right)
    return Sql(
        text=f"({make_sort_key(left)} {_SIGNS[operator]} {make_sort_key(right)})",
        values=(*left.values, *right.values),
    )


def match_pattern(column: SqlColumn, pattern: str) -> Sql:
    r"""A column matched with a pattern of ``%`` and ``_``; a ``\`` takes their meaning away."""
    if pattern.isascii():
        return Sql(text=f"({column.sql} LIKE ? ESCAPE '\\')", values=(*column.values, pattern))
    return Sql(
        text=f"(casefold({column.sql}) LIKE ? ESCAPE '\\')",
        values=(*column.values, pattern.casefold()),
    )


def _compare_with_null(operator: Comparing, column: SqlColumn) -> Sql:
    if operator not in _EQUALITY:
        return Sql(text="0")
    word = "IS NOT" if operator == "ne" else "IS"
    return Sql(text=f"({column.sql} {word} NULL)", values=column.values)


def _fold(column: SqlColumn, value: str) -> tuple[str, str, SqlValue]:
    """Both sides of a comparison so that case does not count.

    Only texts beyond ASCII pay for it.
    """
    if value.isascii():
        return column.sql, "? COLLATE NOCASE", value
    return f"casefold({column.sql})", "?", value.casefold()


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _check(operator: Comparing, left: SqlColumn, right: SqlColumn | Constant) -> None:
    kinds = {left.kind, right.kind}
    fitting = len(kinds) == 1 or ValueKind.NULL in kinds or kinds <= _NUMBERS or kinds <= _TIMES
    if fitting and (ValueKind.ENUM not in kinds or operator in _EQUALITY):
        return
    raise ODataError(
        "A binary operator with incompatible types was detected. Found operand types "
        f"'{left.type_name or left.kind}' and '{right.type_name or right.kind}' "
        f"for operator kind '{_WORDS[operator]}'."
    )
