"""``$apply``: ``filter(…)/groupby((…),aggregate(…))`` over at most 50,000 rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.sandbox.odata.columns import Sql, SqlColumn, compose, conjoin
from pipeline.sandbox.odata.conditions import parse_filter
from pipeline.sandbox.odata.options import split
from pipeline.sandbox.odata.sql import compile_condition
from pipeline.sandbox.odata.tree import ODataError, ValueKind
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.call import SalesCall
from pipeline.sandbox.sales.rows import Piece, compile_notes, compile_row, compile_value
from pipeline.sandbox.sales.schema import SalesTable
from pipeline.sandbox.sales.scope import TableScope
from pipeline.sandbox.sales.store import SalesStore
from pipeline.sandbox.wire.batch import ODataAnswer

_TRANSFORMATION: Final = re.compile(r"(filter|groupby|aggregate)\((.*)\)", re.DOTALL)
_TERM: Final = re.compile(r"\s*(\S+)\s+with\s+(sum|average|min|max|countdistinct)\s+as\s+(\w+)\s*")
_COUNT: Final = re.compile(r"\s*\$count\s+as\s+(\w+)\s*")
_GROUPS: Final = re.compile(r"\s*\((.*?)\)\s*(?:,\s*aggregate\((.*)\)\s*)?", re.DOTALL)
_SQL: Final = {
    "sum": "sum({})",
    "average": "avg({})",
    "min": "min({})",
    "max": "max({})",
    "countdistinct": "count(DISTINCT {})",
}


@dataclass(kw_only=True, slots=True)
class _Plan:
    wheres: list[Sql] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    terms: list[Piece] = field(default_factory=list)


def answer_apply(call: SalesCall, table: SalesTable) -> ODataAnswer:
    """The groups, or the one row of a whole set."""
    scope = call.shape(table).scope
    plan = _plan(call, scope)
    if call.query.filter is not None:
        plan.wheres.append(compile_condition(call.query.filter, scope))
    where = conjoin(plan.wheres)
    check_limit(call.store, f"{table.name} AS {scope.alias}", where, call.bounds.aggregated)
    pieces = [*_render_groups(call, scope, plan.groups), *plan.terms]
    if not pieces:
        raise ODataError("The $apply expression has neither groups nor aggregates.")
    first, *others = pieces
    row = compile_row(
        [
            Piece(text="{"),
            Piece(text=first.text.removeprefix(","), sql=first.sql),
            *others,
            Piece(text="}"),
        ]
    )
    columns = [scope.column(name.split("/")).sql for name in plan.groups]
    group = f" GROUP BY {', '.join(columns)} ORDER BY {', '.join(columns)}" if columns else ""
    sql = compose(f"SELECT {{}} FROM {table.name} AS {scope.alias} WHERE {{}}{group}", row, where)
    body = ",".join(text for (text,) in call.store.rows(sql.text, sql.values))
    return call.json(f'{{{call.context(table.set_name)}"value":[{body}]}}'.encode())


def check_limit(store: SalesStore, source: str, where: Sql, most: int) -> None:
    """Refuse to aggregate more rows than Dataverse does. Raises ``SalesFailure``."""
    count = store.rows(
        f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {where.text} LIMIT {most + 1})",
        where.values,
    )
    if count[0][0] > most:
        message = "The maximum record limit is exceeded. Reduce the number of records."
        raise failures.bad_call(message, "0x8004E023")


def aggregate_column(column: SqlColumn, function: str) -> str:
    """An aggregate as JSON text; decimals keep their digits, averages may have more."""
    text = _SQL[function].format(column.sql)
    if function == "countdistinct":
        return text
    if column.kind in {ValueKind.TEXT, ValueKind.GUID, ValueKind.DATE, ValueKind.TIMESTAMP}:
        return f"json_quote({text})"
    return (
        f"ifnull({text} / {10**column.scale}.0, 'null')"
        if column.scale
        else f"ifnull({text}, 'null')"
    )


def _plan(call: SalesCall, scope: TableScope) -> _Plan:
    plan = _Plan()
    for part in split(call.query.apply or "", "/"):
        match = _TRANSFORMATION.fullmatch(part.strip())
        if match is None:
            raise ODataError(f"Syntax error in '$apply': '{part}'.")
        if match[1] == "filter":
            plan.wheres.append(compile_condition(parse_filter(match[2]), scope))
        elif match[1] == "aggregate":
            plan.terms = list(_terms(match[2], scope))
        else:
            _group(plan, match[2], scope)
    return plan


def _group(plan: _Plan, text: str, scope: TableScope) -> None:
    match = _GROUPS.fullmatch(text)
    if match is None:
        raise ODataError(f"Syntax error in '$apply': 'groupby({text})'.")
    plan.groups = [name.strip() for name in match[1].split(",")]
    plan.terms = list(_terms(match[2], scope)) if match[2] else []


def _terms(text: str, scope: TableScope) -> Iterator[Piece]:
    for part in split(text, ","):
        if count := _COUNT.fullmatch(part):
            yield Piece(text=f',"{count[1]}":', sql=Sql(text="count(*)"))
            continue
        match = _TERM.fullmatch(part)
        if match is None:
            raise ODataError(f"Syntax error in '$apply': 'aggregate({part})'.")
        column = scope.column(match[1].split("/"))
        yield Piece(text=f',"{match[3]}":', sql=Sql(text=aggregate_column(column, match[2])))


def _render_groups(call: SalesCall, scope: TableScope, names: Sequence[str]) -> Iterator[Piece]:
    for name in names:
        if "/" in name:
            outer, _, inner = name.partition("/")
            column = scope.column(name.split("/"))
            yield Piece(text=f',"{outer}":{{"{inner}":', sql=Sql(text=f"json_quote({column.sql})"))
            yield Piece(text="}")
            continue
        scope.column([name])
        own = scope.table.properties[name]
        yield Piece(text=f',"{own.wire}":', sql=Sql(text=compile_value(own, scope.alias)))
        yield from compile_notes(scope.table, own, scope.alias, call.prefer, own.wire)
