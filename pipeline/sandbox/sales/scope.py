"""What names in ``$filter``, ``$orderby`` and ``$apply`` mean in the Sales tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.sandbox.odata.columns import Members, Sql, SqlColumn
from pipeline.sandbox.odata.tree import ODataError, Scalar, ValueKind
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.operators import compile_operator
from pipeline.sandbox.sales.schema import (
    CRM,
    TABLES,
    ColumnType,
    SalesColumn,
    SalesLink,
    SalesTable,
)

KINDS: Final = {
    ColumnType.ID: ValueKind.GUID,
    ColumnType.GUID: ValueKind.GUID,
    ColumnType.LOOKUP: ValueKind.GUID,
    ColumnType.TEXT: ValueKind.TEXT,
    ColumnType.MEMO: ValueKind.TEXT,
    ColumnType.FLAG: ValueKind.BOOLEAN,
    ColumnType.MONEY: ValueKind.DECIMAL,
    ColumnType.DECIMAL: ValueKind.DECIMAL,
    ColumnType.DATE: ValueKind.DATE,
    ColumnType.TIME: ValueKind.TIMESTAMP,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class TableScope:
    """A table under an alias.

    ``caller``: the id of who asks; ``variable``: what paths start with inside a quantifier.
    """

    table: SalesTable
    alias: str
    caller: str = ""
    variable: str = ""
    outer: TableScope | None = None
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def functions(self) -> frozenset[str]:
        """Dataverse knows the functions that texts are searched with, and no others."""
        return frozenset({"contains", "startswith", "endswith"})

    @property
    def lists(self) -> bool:
        """Dataverse knows ``in``."""
        return True

    def column(self, names: Sequence[str]) -> SqlColumn:
        """The column at the end of a path, also through single-valued navigation properties."""
        scope, rest = self._find_own(names)
        if len(rest) == 1:
            return make_sql_column(_property(scope.table, rest[0]), scope.alias)
        link = _link(scope.table, rest[0])
        if link.to_many:
            raise ODataError(
                f"The parent value for a property access of a property '{rest[1]}' is not a single "
                "value."
            )
        target, alias = TABLES[link.table], f"j{next(self.numbers)}"
        inner = TableScope(table=target, alias=alias, caller=self.caller, numbers=self.numbers)
        column = inner.column(rest[1:])
        where = f"{alias}.{target.id} = {compile_reference(link, scope.alias)}"
        return SqlColumn(
            sql=f"(SELECT {column.sql} FROM {target.name} AS {alias} WHERE {where})",
            kind=column.kind,
            scale=column.scale,
        )

    def members(self, names: Sequence[str], variable: str) -> Members:
        """The rows of a collection that belong to the row."""
        scope, rest = self._find_own(names)
        link = _link(scope.table, rest[-1])
        if not link.to_many or len(rest) != 1:
            raise ODataError(
                f"Any/All may only be used following a collection. '{rest[-1]}' is not a "
                "collection."
            )
        target, alias = TABLES[link.table], f"m{next(self.numbers)}"
        inner = TableScope(
            table=target,
            alias=alias,
            caller=self.caller,
            variable=variable,
            outer=self,
            numbers=self.numbers,
        )
        return Members(
            source=f"FROM {target.name} AS {alias} WHERE {compile_belonging(link, alias, scope)}",
            scope=inner,
        )

    def query_function(
        self, name: str, parameters: Mapping[str, Scalar | tuple[Scalar, ...]]
    ) -> Sql:
        """``Microsoft.Dynamics.CRM.In(PropertyName='…',PropertyValues=[…])`` and its sisters."""
        operator = _OPERATORS.get(name.removeprefix(f"{CRM}."))
        if operator is None or not name.startswith(f"{CRM}."):
            raise ODataError(f"An unknown function with name '{name}' was found.")
        path = str(parameters.get("PropertyName", "")).split("/")
        values = [parameters[key] for key in _VALUES if key in parameters]
        flat = [
            one for value in values for one in (value if isinstance(value, tuple) else (value,))
        ]
        return compile_operator(
            operator, self.column(path), [str(value) for value in flat], self.caller
        )

    def _find_own(self, names: Sequence[str]) -> tuple[TableScope, Sequence[str]]:
        """The scope that a path starts in, and the path there."""
        scope: TableScope = self
        while scope.variable and scope.variable != names[0] and scope.outer is not None:
            scope = scope.outer
        return scope, names[1:] if scope.variable else names


def make_sql_column(column: SalesColumn, alias: str) -> SqlColumn:
    """A column as conditions see it."""
    kind = KINDS.get(column.type, ValueKind.INTEGER)
    return SqlColumn(
        sql=f"{alias}.{column.name}",
        kind=kind,
        scale=column.digits if kind is ValueKind.DECIMAL else 0,
    )


def compile_reference(link: SalesLink, alias: str) -> str:
    """The id that a single-valued link holds; null where the row is of another table."""
    value = f"{alias}.{link.column.name}"
    if not link.column.polymorphic:
        return value
    return f"(CASE WHEN {alias}.{link.column.type_name} = '{link.table}' THEN {value} END)"


def compile_belonging(link: SalesLink, alias: str, scope: TableScope) -> str:
    """The condition that rows under ``alias`` belong to the row of ``scope`` by a collection."""
    text = f"{alias}.{link.column.name} = {scope.alias}.{scope.table.id}"
    return (
        f"{text} AND {alias}.{link.column.type_name} = '{scope.table.name}'"
        if link.column.polymorphic
        else text
    )


def _property(table: SalesTable, name: str) -> SalesColumn:
    if name not in table.properties:
        raise failures.no_property(name, table.name)
    return table.properties[name]


def _link(table: SalesTable, name: str) -> SalesLink:
    if name not in table.links:
        raise failures.no_property(name, table.name)
    return table.links[name]


_VALUES: Final = ("PropertyValue", "PropertyValues", "PropertyValue1", "PropertyValue2")
_OPERATORS: Final = {
    "In": "in",
    "NotIn": "not-in",
    "Between": "between",
    "NotBetween": "not-between",
    "ContainValues": "contain-values",
    "EqualUserId": "eq-userid",
    "NotEqualUserId": "ne-userid",
    "Today": "today",
    "Yesterday": "yesterday",
    "Tomorrow": "tomorrow",
    "On": "on",
    "OnOrAfter": "on-or-after",
    "OnOrBefore": "on-or-before",
    "LastXHours": "last-x-hours",
    "LastXDays": "last-x-days",
    "LastXWeeks": "last-x-weeks",
    "LastXMonths": "last-x-months",
    "LastXYears": "last-x-years",
    "NextXDays": "next-x-days",
    "OlderThanXMinutes": "olderthan-x-minutes",
    "OlderThanXHours": "olderthan-x-hours",
    "OlderThanXDays": "olderthan-x-days",
    "OlderThanXMonths": "olderthan-x-months",
    "OlderThanXYears": "olderthan-x-years",
    "Last7Days": "last-seven-days",
    "ThisMonth": "this-month",
    "ThisYear": "this-year",
    "LastMonth": "last-month",
    "LastYear": "last-year",
}
