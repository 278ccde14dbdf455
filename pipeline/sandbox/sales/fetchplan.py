"""FetchXML → the pieces of a SQL query.

Sources joined, conditions, what each row shows, what rows are ordered by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from pipeline.sandbox.odata.columns import Sql, compose, sort_key
from pipeline.sandbox.odata.tree import Kind, ODataError
from pipeline.sandbox.sales.fetchgroups import aggregate
from pipeline.sandbox.sales.fetchparts import Plan, Source, alias_of, is_true, lean, needed
from pipeline.sandbox.sales.operators import condition, two_columns
from pipeline.sandbox.sales.paging import Term
from pipeline.sandbox.sales.prefer import Prefer
from pipeline.sandbox.sales.references import table_named
from pipeline.sandbox.sales.rows import json_value, notes
from pipeline.sandbox.sales.schema import Column

_JOINS: Final = {"inner": "JOIN", "outer": "LEFT JOIN"}
_EXISTS: Final = {"exists": "EXISTS", "in": "EXISTS", "any": "EXISTS", "not any": "NOT EXISTS"}


def plan_of(fetch: Element, prefer: Prefer, caller: str) -> Plan:
    """The plan of a ``<fetch>``. Raises ``ODataError`` and ``FailedError``."""
    entity = fetch.find("entity")
    if entity is None:
        raise ODataError("Invalid FetchXML: the element 'entity' is missing.")
    root = Source(table=table_named(entity.get("name", "")), name=entity.get("name", ""), sql="f0")
    plan = Plan(root=root, prefer=prefer, caller=caller, aggregate=is_true(fetch.get("aggregate")))
    plan.sources[root.name] = root
    _link(plan, entity, root)
    _show(plan, entity, root)
    plan.wheres += list(_filters(plan, entity, root))
    _orders(plan, entity, root)
    return plan


def _link(plan: Plan, parent: Element, outer: Source) -> None:
    """The ``link-entity`` elements of an element, and theirs."""
    for link in parent.findall("link-entity"):
        number = len(plan.sources) + len(plan.joins)
        table = table_named(link.get("name", ""))
        source = Source(
            table=table, name=alias_of(link) or f"{table.name}{number}", sql=f"f{number}"
        )
        kind = (link.get("link-type") or "inner").lower()
        pairs = (
            f"{source.sql_column(needed(link, 'from')).sql} = "
            f"{outer.sql_column(needed(link, 'to')).sql}"
        )
        if kind in _EXISTS:
            plan.wheres.append(_existing(plan, link, source, pairs, _EXISTS[kind]))
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


def _existing(plan: Plan, link: Element, source: Source, pairs: str, word: str) -> Sql:
    inner = Plan(
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


def _show(plan: Plan, element: Element, source: Source) -> None:
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
        _column(plan, source, source.column(needed(attribute, "name")), alias_of(attribute))


def _column(plan: Plan, source: Source, column: Column, alias: str) -> None:
    own = source is plan.root
    if own and not alias and column.name == source.table.id:
        return
    name = alias or (column.wire if own else f"{source.name}.{column.name}")
    plan.aliases[alias or name] = f"{source.sql}.{column.name}"
    plan.pieces += notes(source.table, column, source.sql, plan.prefer, name)
    plan.pieces.append(
        lean(name, Sql(text=json_value(column, source.sql)), f"{source.sql}.{column.name}")
    )


def _orders(plan: Plan, element: Element, source: Source) -> None:
    for order in element.findall("order"):
        descending = is_true(order.get("descending"))
        if order.get("alias") is not None:
            name = needed(order, "alias")
            if name not in plan.aliases:
                raise ODataError(f"An order names the alias '{name}', which no attribute has.")
            plan.terms.append(
                Term(
                    name=name,
                    sql=Sql(text=plan.aliases[name]),
                    kind=Kind.TEXT,
                    descending=descending,
                )
            )
            plan.foreign_order = True
            continue
        target = _named(plan, order.get("entityname"), source)
        column = target.sql_column(needed(order, "attribute"))
        plan.terms.append(
            Term(
                name=needed(order, "attribute"),
                sql=Sql(text=sort_key(column)),
                kind=column.kind,
                descending=descending,
            )
        )
        plan.foreign_order = plan.foreign_order or target is not plan.root


def _named(plan: Plan, name: str | None, source: Source) -> Source:
    if name is None:
        return source
    if name not in plan.sources:
        raise ODataError(f"There is no link-entity with the name or alias '{name}'.")
    return plan.sources[name]


def _filters(plan: Plan, element: Element, source: Source) -> Iterator[Sql]:
    for child in element.findall("filter"):
        yield _filter(plan, child, source)


def _filter(plan: Plan, element: Element, source: Source) -> Sql:
    word = {"and": " AND ", "or": " OR "}.get((element.get("type") or "and").lower())
    if word is None:
        raise ODataError(f"The filter type '{element.get('type')}' is neither 'and' nor 'or'.")
    parts = [_condition(plan, child, source) for child in element.findall("condition")]
    parts += list(_filters(plan, element, source))
    return compose(f"({word.join(['{}'] * len(parts))})", *parts) if parts else Sql(text="1")


def _condition(plan: Plan, element: Element, source: Source) -> Sql:
    target = _named(plan, element.get("entityname"), source)
    column = target.sql_column(needed(element, "attribute"))
    operator = needed(element, "operator")
    if element.get("valueof") is not None:
        return two_columns(operator, column, target.sql_column(needed(element, "valueof")))
    return condition(operator, column, _texts(element), plan.caller)


def _texts(element: Element) -> Sequence[str]:
    values = [child.text or "" for child in element.findall("value")]
    given = element.get("value")
    return values or ([] if given is None else [given])
