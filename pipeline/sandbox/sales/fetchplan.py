"""FetchXML → the pieces of a SQL query.

Sources joined, conditions, what each row shows, what rows are ordered by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from pipeline.sandbox.odata.columns import Sql, compose, make_sort_key
from pipeline.sandbox.odata.tree import ODataError, ValueKind
from pipeline.sandbox.sales.fetchgroups import aggregate
from pipeline.sandbox.sales.fetchparts import (
    FetchPlan,
    FetchSource,
    is_true,
    need_attribute,
    omit_null,
    read_alias,
)
from pipeline.sandbox.sales.operators import compile_column_pair, compile_operator
from pipeline.sandbox.sales.paging import Term
from pipeline.sandbox.sales.prefer import Prefer
from pipeline.sandbox.sales.references import find_named_table
from pipeline.sandbox.sales.rows import compile_notes, compile_value
from pipeline.sandbox.sales.schema import SalesColumn

_JOINS: Final = {"inner": "JOIN", "outer": "LEFT JOIN"}
_EXISTS: Final = {"exists": "EXISTS", "in": "EXISTS", "any": "EXISTS", "not any": "NOT EXISTS"}


def plan_fetch(fetch: Element, prefer: Prefer, caller: str) -> FetchPlan:
    """The plan of a ``<fetch>``. Raises ``ODataError`` and ``SalesFailure``."""
    entity = fetch.find("entity")
    if entity is None:
        raise ODataError("Invalid FetchXML: the element 'entity' is missing.")
    root = FetchSource(
        table=find_named_table(entity.get("name", "")), name=entity.get("name", ""), sql="f0"
    )
    plan = FetchPlan(
        root=root, prefer=prefer, caller=caller, aggregate=is_true(fetch.get("aggregate"))
    )
    plan.sources[root.name] = root
    _link(plan, entity, root)
    _show(plan, entity, root)
    plan.wheres += list(_filters(plan, entity, root))
    _orders(plan, entity, root)
    return plan


def _link(plan: FetchPlan, parent: Element, outer: FetchSource) -> None:
    """The ``link-entity`` elements of an element, and theirs."""
    for link in parent.findall("link-entity"):
        number = len(plan.sources) + len(plan.joins)
        table = find_named_table(link.get("name", ""))
        source = FetchSource(
            table=table, name=read_alias(link) or f"{table.name}{number}", sql=f"f{number}"
        )
        kind = (link.get("link-type") or "inner").lower()
        pairs = (
            f"{source.sql_column(need_attribute(link, 'from')).sql} = "
            f"{outer.sql_column(need_attribute(link, 'to')).sql}"
        )
        if kind in _EXISTS:
            plan.wheres.append(_compile_exists(plan, link, source, pairs, _EXISTS[kind]))
            continue
        if kind not in _JOINS:
            raise ODataError(f"The link-type '{kind}' is not supported.")
        plan.sources[source.name] = source
        position = len(plan.joins)
        _link(plan, link, source)
        terms = [Sql(text=pairs), *_filters(plan, link, source)]
        join = compose(
            f"{_JOINS[kind]} {table.name} AS {source.sql} ON {' AND '.join(['{}'] * len(terms))}",
            *terms,
        )
        plan.joins.insert(position, join)
        _show(plan, link, source)
        _orders(plan, link, source)


def _compile_exists(
    plan: FetchPlan, link: Element, source: FetchSource, pairs: str, word: str
) -> Sql:
    inner = FetchPlan(
        root=source,
        prefer=plan.prefer,
        caller=plan.caller,
        aggregate=False,
        sources={source.name: source},
    )
    terms = [Sql(text=pairs), *_filters(inner, link, source)]
    return compose(
        (
            f"{word} (SELECT 1 FROM {source.table.name} AS {source.sql} WHERE "
            f"{' AND '.join(['{}'] * len(terms))})"
        ),
        *terms,
    )


def _show(plan: FetchPlan, element: Element, source: FetchSource) -> None:
    """The columns that rows show."""
    attributes = element.findall("attribute")
    if plan.aggregate:
        for attribute in attributes:
            aggregate(plan, attribute, source)
        return
    whole = element.find("all-attributes") is not None or (source is plan.root and not attributes)
    if whole:
        for column in source.table.columns.values():
            _column(plan, source, column, "")
    for attribute in [] if whole else attributes:
        _column(
            plan, source, source.column(need_attribute(attribute, "name")), read_alias(attribute)
        )


def _column(plan: FetchPlan, source: FetchSource, column: SalesColumn, alias: str) -> None:
    own = source is plan.root
    if own and not alias and column.name == source.table.id:
        return
    name = alias or (column.wire if own else f"{source.name}.{column.name}")
    plan.aliases[alias or name] = f"{source.sql}.{column.name}"
    plan.pieces += compile_notes(source.table, column, source.sql, plan.prefer, name)
    plan.pieces.append(
        omit_null(name, Sql(text=compile_value(column, source.sql)), f"{source.sql}.{column.name}")
    )


def _orders(plan: FetchPlan, element: Element, source: FetchSource) -> None:
    for order in element.findall("order"):
        descending = is_true(order.get("descending"))
        if order.get("alias") is not None:
            name = need_attribute(order, "alias")
            if name not in plan.aliases:
                raise ODataError(f"An order names the alias '{name}', which no attribute has.")
            plan.terms.append(
                Term(
                    name=name,
                    sql=Sql(text=plan.aliases[name]),
                    kind=ValueKind.TEXT,
                    descending=descending,
                )
            )
            plan.foreign_order = True
            continue
        target = _find_source(plan, order.get("entityname"), source)
        column = target.sql_column(need_attribute(order, "attribute"))
        plan.terms.append(
            Term(
                name=need_attribute(order, "attribute"),
                sql=Sql(text=make_sort_key(column)),
                kind=column.kind,
                descending=descending,
            )
        )
        plan.foreign_order = plan.foreign_order or target is not plan.root


def _find_source(plan: FetchPlan, name: str | None, source: FetchSource) -> FetchSource:
    if name is None:
        return source
    if name not in plan.sources:
        raise ODataError(f"There is no link-entity with the name or alias '{name}'.")
    return plan.sources[name]


def _filters(plan: FetchPlan, element: Element, source: FetchSource) -> Iterator[Sql]:
    for child in element.findall("filter"):
        yield _filter(plan, child, source)


def _filter(plan: FetchPlan, element: Element, source: FetchSource) -> Sql:
    word = {"and": " AND ", "or": " OR "}.get((element.get("type") or "and").lower())
    if word is None:
        raise ODataError(f"The filter type '{element.get('type')}' is neither 'and' nor 'or'.")
    parts = [_condition(plan, child, source) for child in element.findall("condition")]
    parts += list(_filters(plan, element, source))
    return compose(f"({word.join(['{}'] * len(parts))})", *parts) if parts else Sql(text="1")


def _condition(plan: FetchPlan, element: Element, source: FetchSource) -> Sql:
    target = _find_source(plan, element.get("entityname"), source)
    column = target.sql_column(need_attribute(element, "attribute"))
    operator = need_attribute(element, "operator")
    if element.get("valueof") is not None:
        return compile_column_pair(
            operator, column, target.sql_column(need_attribute(element, "valueof"))
        )
    return compile_operator(operator, column, _texts(element), plan.caller)


def _texts(element: Element) -> Sequence[str]:
    values = [child.text or "" for child in element.findall("value")]
    given = element.get("value")
    return values or ([] if given is None else [given])
