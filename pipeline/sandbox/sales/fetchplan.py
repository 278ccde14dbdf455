"""FetchXML → the pieces of a SQL query: sources joined, conditions, what each row shows, what rows are ordered by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element

from pipeline.sandbox.odata.columns import Column as SqlColumn
from pipeline.sandbox.odata.columns import Sql, compose, sort_key
from pipeline.sandbox.odata.tree import Kind, ODataError
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.operators import condition, two_columns
from pipeline.sandbox.sales.paging import Term
from pipeline.sandbox.sales.prefer import Prefer
from pipeline.sandbox.sales.references import table_named
from pipeline.sandbox.sales.rows import Piece, json_value, notes
from pipeline.sandbox.sales.schema import Column, Table
from pipeline.sandbox.sales.scope import sql_column

_NAME: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_JOINS: Final = {"inner": "JOIN", "outer": "LEFT JOIN"}
_EXISTS: Final = {"exists": "EXISTS", "in": "EXISTS", "any": "EXISTS", "not any": "NOT EXISTS"}
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A table under the name that the query gives it; ``sql`` is its alias in SQL."""

    table: Table
    name: str
    sql: str

    def column(self, name: str) -> Column:
        """A column by its logical name. Raises ``FailedError``."""
        if name not in self.table.columns:
            message = f"'{self.table.name}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'."
            raise failures.bad_request(message, "0x80041103")
        return self.table.columns[name]

    def sql_column(self, name: str) -> SqlColumn:
        """The same as conditions see it."""
        return sql_column(self.column(name), self.sql)


@dataclass(kw_only=True, slots=True)
class Plan:
    """A query being put together. ``bare``: rows have no etag and id of their own (aggregates, distinct)."""

    root: Source
    prefer: Prefer
    caller: str
    aggregate: bool
    sources: dict[str, Source] = field(default_factory=dict)
    joins: list[Sql] = field(default_factory=list)
    wheres: list[Sql] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    foreign_order: bool = False
    aliases: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> Sql:
        """All conditions."""
        return compose(" AND ".join(["{}"] * len(self.wheres)), *self.wheres) if self.wheres else Sql(text="1")

    @property
    def source(self) -> Sql:
        """What stands behind ``FROM``."""
        return compose(" ".join([f"{self.root.table.name} AS {self.root.sql}", *["{}"] * len(self.joins)]), *self.joins)


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


def is_true(text: str | None) -> bool:
    """Whether an attribute of FetchXML is set."""
    return (text or "").lower() in {"true", "1"}


def _link(plan: Plan, parent: Element, outer: Source) -> None:
    """The ``link-entity`` elements of an element, and theirs."""
    for link in parent.findall("link-entity"):
        number = len(plan.sources) + len(plan.joins)
        table = table_named(link.get("name", ""))
        source = Source(table=table, name=_alias(link) or f"{table.name}{number}", sql=f"f{number}")
        kind = (link.get("link-type") or "inner").lower()
        pairs = f"{source.sql_column(_needed(link, 'from')).sql} = {outer.sql_column(_needed(link, 'to')).sql}"
        if kind in _EXISTS:
            plan.wheres.append(_existing(plan, link, source, pairs, _EXISTS[kind]))
            continue
        if kind not in _JOINS:
            raise ODataError(f"The link-type '{kind}' is not supported.")
        plan.sources[source.name] = source
        position = len(plan.joins)
        _link(plan, link, source)
        terms = [Sql(text=pairs), *_filters(plan, link, source)]
        join = compose(f"{_JOINS[kind]} {table.name} AS {source.sql} ON {' AND '.join(['{}'] * len(terms))}", *terms)
        plan.joins.insert(position, join)
        _show(plan, link, source)
        _orders(plan, link, source)


def _existing(plan: Plan, link: Element, source: Source, pairs: str, word: str) -> Sql:
    inner = Plan(root=source, prefer=plan.prefer, caller=plan.caller, aggregate=False, sources={source.name: source})
    terms = [Sql(text=pairs), *_filters(inner, link, source)]
    return compose(
        f"{word} (SELECT 1 FROM {source.table.name} AS {source.sql} WHERE {' AND '.join(['{}'] * len(terms))})", *terms
    )


def _needed(element: Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise ODataError(f"Invalid FetchXML: the attribute '{name}' of '{element.tag}' is missing.")
    return value


def _alias(element: Element) -> str:
    """The alias of an element, empty if it has none. Raises ``ODataError`` for what is no name: it goes into SQL."""
    alias = element.get("alias", "")
    if alias and not _NAME.fullmatch(alias):
        raise ODataError(f"Invalid alias '{alias}': letters, digits and underscores, not a digit first.")
    return alias


def _show(plan: Plan, element: Element, source: Source) -> None:
    """The columns that rows show."""
    attributes = element.findall("attribute")
    if plan.aggregate:
        for attribute in attributes:
            _aggregate(plan, attribute, source)
        return
    whole = element.find("all-attributes") is not None or (source is plan.root and not attributes)
    if whole:
        for column in source.table.columns.values():
            _column(plan, source, column, "")
    for attribute in [] if whole else attributes:
        _column(plan, source, source.column(_needed(attribute, "name")), _alias(attribute))


def _column(plan: Plan, source: Source, column: Column, alias: str) -> None:
    own = source is plan.root
    if own and not alias and column.name == source.table.id:
        return
    name = alias or (column.wire if own else f"{source.name}.{column.name}")
    plan.aliases[alias or name] = f"{source.sql}.{column.name}"
    plan.pieces += notes(source.table, column, source.sql, plan.prefer, name)
    plan.pieces.append(_lean(name, Sql(text=json_value(column, source.sql)), f"{source.sql}.{column.name}"))


def _lean(name: str, value: Sql, unless_null: str) -> Piece:
    """A property that is left out where it is null."""
    return Piece(text="", sql=Sql(text=f"CASE WHEN {unless_null} IS NOT NULL THEN ',\"{name}\":'||{value.text} END"))


def _aggregate(plan: Plan, attribute: Element, source: Source) -> None:
    column, alias = source.column(_needed(attribute, "name")), _alias(attribute)
    if not alias:
        raise ODataError("Invalid FetchXML: an attribute of an aggregate query needs an alias.")
    if is_true(attribute.get("groupby")):
        _group(plan, attribute, source, column, alias)
        return
    function = attribute.get("aggregate", "")
    if function not in _AGGREGATES:
        raise ODataError(f"The aggregate '{function}' is not supported.")
    found = sql_column(column, source.sql)
    distinct = "DISTINCT " if is_true(attribute.get("distinct")) else ""
    text = _AGGREGATES[function].format(column=found.sql, distinct=distinct)
    if found.scale and function in {"sum", "avg", "min", "max"}:
        text = f"({text} / {10**found.scale}.0)"
    shown = f"json_quote({text})" if found.kind in {Kind.TEXT, Kind.DATE, Kind.TIMESTAMP, Kind.GUID} else text
    plan.aliases[alias] = text
    plan.pieces.append(_lean(alias, Sql(text=shown), text))


def _group(plan: Plan, attribute: Element, source: Source, column: Column, alias: str) -> None:
    name = f"{source.sql}.{column.name}"
    grouping = attribute.get("dategrouping")
    if grouping is not None and grouping not in _GROUPINGS:
        raise ODataError(f"The dategrouping '{grouping}' is not supported.")
    text = name if grouping is None else _GROUPINGS[grouping].format(column=name)
    plan.groups.append(text)
    plan.aliases[alias] = text
    if grouping is None:
        plan.pieces += notes(source.table, column, source.sql, plan.prefer, alias)
    plan.pieces.append(_lean(alias, Sql(text=json_value(column, source.sql) if grouping is None else text), text))


def _orders(plan: Plan, element: Element, source: Source) -> None:
    for order in element.findall("order"):
        descending = is_true(order.get("descending"))
        if order.get("alias") is not None:
            name = _needed(order, "alias")
            if name not in plan.aliases:
                raise ODataError(f"An order names the alias '{name}', which no attribute has.")
            plan.terms.append(Term(name=name, sql=Sql(text=plan.aliases[name]), kind=Kind.TEXT, descending=descending))
            plan.foreign_order = True
            continue
        target = _named(plan, order.get("entityname"), source)
        column = target.sql_column(_needed(order, "attribute"))
        plan.terms.append(
            Term(name=_needed(order, "attribute"), sql=Sql(text=sort_key(column)), kind=column.kind, descending=descending)
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
    column = target.sql_column(_needed(element, "attribute"))
    operator = _needed(element, "operator")
    if element.get("valueof") is not None:
        return two_columns(operator, column, target.sql_column(_needed(element, "valueof")))
    return condition(operator, column, _texts(element), plan.caller)


def _texts(element: Element) -> Sequence[str]:
    values = [child.text or "" for child in element.findall("value")]
    given = element.get("value")
    return values or ([] if given is None else [given])
