"""``$select`` and ``$expand``: what a row of an answer is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipeline.sandbox.odata.columns import Sql, compose, make_guid_key
from pipeline.sandbox.odata.sql import compile_condition, compile_ordering
from pipeline.sandbox.odata.tree import Expand, ODataError, Query
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.prefer import PAGE, Prefer
from pipeline.sandbox.sales.rows import Piece, compile_head, compile_properties, compile_row
from pipeline.sandbox.sales.schema import TABLES, ColumnType, SalesColumn, SalesLink, SalesTable
from pipeline.sandbox.sales.scope import TableScope, compile_belonging, compile_reference

_DEEPEST: Final = 4
_NESTED: Final = frozenset({"select", "filter", "orderby", "top", "count", "expand"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How rows of one table are shown. ``root``: the service's root that the caller sees."""

    scope: TableScope
    query: Query
    prefer: Prefer
    root: str
    depth: int = 0

    @property
    def table(self) -> SalesTable:
        """The table of the rows."""
        return self.scope.table

    def columns(self) -> list[SalesColumn]:
        """The selected columns, all if none is; money brings its currency."""
        names = [name for name in self.query.select if name not in self.table.links]
        if not names or "*" in names:
            return list(self.table.columns.values())
        unknown = [name for name in names if name not in self.table.properties]
        if unknown:
            raise failures.no_property(unknown[0], self.table.name)
        found = {name: self.table.properties[name] for name in names}
        if any(column.type is ColumnType.MONEY for column in found.values()):
            found.setdefault(
                "_transactioncurrencyid_value", self.table.columns["transactioncurrencyid"]
            )
        return list(found.values())

    def row(self, more: Sequence[Piece] = ()) -> Sql:
        """The expression that gives a row's JSON, without or with further properties at its end."""
        return compile_row([Piece(text="{"), *self.inside(), *more, Piece(text="}")])

    def inside(self) -> Iterator[Piece]:
        """What stands between a row's braces."""
        alias = self.scope.alias
        yield from compile_head(self.table, alias, self.prefer, self.root)
        yield from compile_properties(self.table, self.columns(), alias, self.prefer)
        for expand in self.query.expand:
            yield self._expand(expand)

    def context(self) -> str:
        """The properties that a context URL lists in brackets, with them.

        Empty when all are there.
        """
        names = [name for name in self.query.select if name not in self.table.links]
        names += [
            f"{expand.path[0]}({','.join(expand.query.select)})" for expand in self.query.expand
        ]
        return f"({','.join(names)})" if names else ""

    def _expand(self, expand: Expand) -> Piece:
        link = self._link(expand)
        inner = Shape(
            scope=TableScope(
                table=TABLES[link.table],
                alias=f"e{next(self.scope.numbers)}",
                caller=self.scope.caller,
                numbers=self.scope.numbers,
            ),
            query=expand.query,
            prefer=self.prefer,
            root=self.root,
            depth=self.depth + 1,
        )
        if expand.path[1:] == ("$ref",):
            inner = replace(inner, query=replace(expand.query, select=(inner.table.id,)))
        return Piece(
            text=f',"{link.name}":',
            sql=_many(inner, link, self.scope) if link.to_many else _one(inner, link, self.scope),
        )

    def _link(self, expand: Expand) -> SalesLink:
        name = expand.path[0]
        if name not in self.table.links:
            raise failures.no_property(name, self.table.name)
        if expand.path[1:] not in {(), ("$ref",)}:
            raise ODataError(
                "Only navigation properties and $ref can be expanded, not "
                f"'{'/'.join(expand.path)}'."
            )
        if self.depth >= _DEEPEST:
            raise ODataError("The request includes a $expand path which is too deep.")
        unknown = expand.query.given - _NESTED
        if unknown:
            raise ODataError(f"The query option '${min(unknown)}' is not supported in $expand.")
        return self.table.links[name]


def _one(inner: Shape, link: SalesLink, outer: TableScope) -> Sql:
    alias, table = inner.scope.alias, inner.table
    where = f"{alias}.{table.id} = {compile_reference(link, outer.alias)}"
    return compose(
        f"ifnull((SELECT {{}} FROM {table.name} AS {alias} WHERE {where}), 'null')", inner.row()
    )


def _many(inner: Shape, link: SalesLink, outer: TableScope) -> Sql:
    alias, table = inner.scope.alias, inner.table
    kept = (
        Sql(text="1")
        if inner.query.filter is None
        else compile_condition(inner.query.filter, inner.scope)
    )
    terms = [
        *compile_ordering(inner.query.orderby, inner.scope),
        Sql(text=make_guid_key(f"{alias}.{table.id}")),
    ]
    belonging = compile_belonging(link, alias, outer)
    rows = compose(
        f"SELECT {{}} AS j FROM {table.name} AS {alias} WHERE {belonging} AND {{}} "
        f"ORDER BY {', '.join(['{}'] * len(terms))} LIMIT {min(inner.query.top or PAGE, PAGE)}",
        inner.row(),
        kept,
        *terms,
    )
    return compose("'['||ifnull((SELECT group_concat(j, ',') FROM ({})), '')||']'", rows)
