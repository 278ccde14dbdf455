"""Aggregates and groups of FetchXML."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

from pipeline.sandbox.odata.columns import Sql
from pipeline.sandbox.odata.tree import ODataError, ValueKind
from pipeline.sandbox.sales.fetchparts import (
    FetchPlan,
    FetchSource,
    is_true,
    need_attribute,
    omit_null,
    read_alias,
)
from pipeline.sandbox.sales.rows import compile_notes, compile_value
from pipeline.sandbox.sales.schema import SalesColumn
from pipeline.sandbox.sales.scope import make_sql_column

_AGGREGATES: Final = {
    "count": "count(*)",
    "countcolumn": "count({distinct}{column})",
    "sum": "sum({column})",
    "avg": "avg({column})",
    "min": "min({column})",
    "max": "max({column})",
}
_GROUPINGS: Final = {
    "day": "CAST(substr({column},9,2) AS INTEGER)",
    "month": "CAST(substr({column},6,2) AS INTEGER)",
    "year": "CAST(substr({column},1,4) AS INTEGER)",
    "quarter": "((CAST(substr({column},6,2) AS INTEGER) + 2) / 3)",
    "week": "CAST(strftime('%W', {column}) AS INTEGER) + 1",
}


def aggregate(plan: FetchPlan, attribute: Element, source: FetchSource) -> None:
    """Show an aggregate, or what rows are grouped by. Raises ``ODataError``."""
    column, alias = source.column(need_attribute(attribute, "name")), read_alias(attribute)
    if not alias:
        raise ODataError("Invalid FetchXML: an attribute of an aggregate query needs an alias.")
    if is_true(attribute.get("groupby")):
        _group(plan, attribute, source, column, alias)
        return
    function = attribute.get("aggregate", "")
    if function not in _AGGREGATES:
        raise ODataError(f"The aggregate '{function}' is not supported.")
    found = make_sql_column(column, source.sql)
    distinct = "DISTINCT " if is_true(attribute.get("distinct")) else ""
    text = _AGGREGATES[function].format(column=found.sql, distinct=distinct)
    if found.scale and function in {"sum", "avg", "min", "max"}:
        text = f"({text} / {10**found.scale}.0)"
    shown = (
        f"json_quote({text})"
        if found.kind in {ValueKind.TEXT, ValueKind.DATE, ValueKind.TIMESTAMP, ValueKind.GUID}
        else text
    )
    plan.aliases[alias] = text
    plan.pieces.append(omit_null(alias, Sql(text=shown), text))


def _group(
    plan: FetchPlan, attribute: Element, source: FetchSource, column: SalesColumn, alias: str
) -> None:
    name = f"{source.sql}.{column.name}"
    grouping = attribute.get("dategrouping")
    if grouping is not None and grouping not in _GROUPINGS:
        raise ODataError(f"The dategrouping '{grouping}' is not supported.")
    text = name if grouping is None else _GROUPINGS[grouping].format(column=name)
    plan.groups.append(text)
    plan.aliases[alias] = text
    if grouping is None:
        plan.pieces += compile_notes(source.table, column, source.sql, plan.prefer, alias)
    plan.pieces.append(
        omit_null(
            alias, Sql(text=compile_value(column, source.sql) if grouping is None else text), text
        )
    )
