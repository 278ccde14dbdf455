"""FetchXML: the query run, page by page, with its cookie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element

import orjson

from pipeline.sandbox.odata.columns import Sql, compose, make_guid_key
from pipeline.sandbox.odata.tree import ODataError, ValueKind
from pipeline.sandbox.sales import paging
from pipeline.sandbox.sales.aggregates import check_limit
from pipeline.sandbox.sales.call import SalesCall
from pipeline.sandbox.sales.fetchparts import FetchPlan, is_true, parse_fetch
from pipeline.sandbox.sales.fetchplan import plan_fetch
from pipeline.sandbox.sales.paging import Term, read_row_key
from pipeline.sandbox.sales.prefer import PAGE
from pipeline.sandbox.sales.reading import COUNTED
from pipeline.sandbox.sales.rows import Piece, compile_head, compile_row
from pipeline.sandbox.sales.schema import SalesTable
from pipeline.sandbox.wire.batch import ODataAnswer

_NOTE: Final = "Microsoft.Dynamics.CRM"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Paged:
    """Which page is asked for. ``cookie`` is null for simple paging."""

    number: int
    size: int
    cookie: paging.Position | None
    top: bool

    @classmethod
    def of(cls, fetch: Element, call: SalesCall) -> _Paged:
        top = _number(fetch, "top")
        size = min(_number(fetch, "count") or call.prefer.page or PAGE, PAGE)
        cookie = fetch.get("paging-cookie")
        return cls(
            number=_number(fetch, "page") or 1,
            size=size if top is None else min(top, PAGE),
            cookie=paging.read_inner(cookie) if cookie else None,
            top=top is not None,
        )


def answer_fetch(call: SalesCall, table: SalesTable, text: str) -> ODataAnswer:
    """The page that a ``<fetch>`` asks for. Raises ``ODataError`` and ``SalesFailure``."""
    fetch = parse_fetch(text)
    plan = plan_fetch(fetch, call.prefer, call.caller.id)
    if plan.root.table is not table:
        raise ODataError(
            f"The entity '{plan.root.name}' of the FetchXML is not the one of the address, "
            f"'{table.name}'."
        )
    if plan.aggregate:
        return _answer(call, table, _aggregate(call, plan), "")
    paged, distinct = _Paged.of(fetch, call), is_true(fetch.get("distinct"))
    bookmarked = not plan.foreign_order and not distinct
    if bookmarked:
        key = Sql(text=make_guid_key(f"{plan.root.sql}.{table.id}"))
        plan.terms = [
            *[term for term in plan.terms if term.name != table.id],
            _id_term(plan, table, key),
        ]
    rows = _rows(call, plan, paged, distinct=distinct)
    notes = _total(call, plan) if is_true(fetch.get("returntotalrecordcount")) else ""
    if len(rows) > paged.size and not paged.top:
        notes += _more(call, plan, paged, rows if bookmarked else None)
    return _answer(call, table, [row[0] for row in rows[: paged.size]], notes)


def _id_term(plan: FetchPlan, table: SalesTable, key: Sql) -> Term:
    descending = any(term.descending for term in plan.terms if term.name == table.id)
    return Term(name=table.id, sql=key, kind=ValueKind.GUID, descending=descending)


def _number(fetch: Element, name: str) -> int | None:
    text = fetch.get(name)
    if text is None:
        return None
    if not text.isdigit() or not int(text):
        raise ODataError(f"Invalid FetchXML: '{name}' must be a positive number.")
    return int(text)


def _rows(
    call: SalesCall, plan: FetchPlan, paged: _Paged, *, distinct: bool
) -> list[tuple[Any, ...]]:
    """The rows of the page and, to see whether there are more, one beyond."""
    offset = 0 if paged.cookie else (paged.number - 1) * paged.size
    if offset + paged.size > call.bounds.simple and offset:
        raise ODataError(
            "Paging cookie is required when trying to retrieve a set of records on any high pages."
        )
    wheres = [
        plan.where,
        *([paging.compile_after(plan.terms, paged.cookie)] if paged.cookie else []),
    ]
    keys = [] if distinct else [term.sql for term in plan.terms]
    order = ", ".join(
        f"{term.sql.text} {'DESC' if term.descending else 'ASC'}" for term in plan.terms
    )
    sql = compose(
        f"SELECT {{}}{''.join(', {}' for _ in keys)} FROM {{}} WHERE "
        f"{' AND '.join(['{}'] * len(wheres))}"
        f"{' GROUP BY 1' if distinct else ''}{f' ORDER BY {order}' if order else ''}"
        f" LIMIT {paged.size + 1} OFFSET {offset}",
        _row(call, plan, distinct=distinct),
        *keys,
        plan.source,
        *wheres,
    )
    return call.store.rows(sql.text, sql.values)


def _row(call: SalesCall, plan: FetchPlan, *, distinct: bool) -> Sql:
    pieces = (
        []
        if distinct
        else list(compile_head(plan.root.table, plan.root.sql, call.prefer, call.root))
    )
    if pieces:
        return compile_row([Piece(text="{"), *pieces, *plan.pieces, Piece(text="}")])
    inside = compile_row(plan.pieces)
    return compose("'{{'||substr({}, 2)||'}}'", inside)


def _aggregate(call: SalesCall, plan: FetchPlan) -> list[str]:
    check_limit(
        call.store,
        plan.source.text,
        Sql(text=plan.where.text, values=(*plan.source.values, *plan.where.values)),
        call.bounds.aggregated,
    )
    group = f" GROUP BY {', '.join(plan.groups)}" if plan.groups else ""
    terms = ", ".join(
        f"{term.sql.text} {'DESC' if term.descending else 'ASC'}" for term in plan.terms
    )
    order = f" ORDER BY {terms}" if terms else ""
    row = _row(call, plan, distinct=True)
    sql = compose(f"SELECT {{}} FROM {{}} WHERE {{}}{group}{order}", row, plan.source, plan.where)
    return [text for (text,) in call.store.rows(sql.text, sql.values)]


def _total(call: SalesCall, plan: FetchPlan) -> str:
    sql = compose(
        f"SELECT count(*) FROM (SELECT 1 FROM {{}} WHERE {{}} LIMIT {COUNTED + 1})",
        plan.source,
        plan.where,
    )
    found = call.store.rows(sql.text, sql.values)[0][0]
    exceeded = "true" if found > COUNTED else "false"
    noted = {
        "totalrecordcount": str(min(found, COUNTED)),
        "totalrecordcountlimitexceeded": exceeded,
    }
    return "".join(
        f',"@{_NOTE}.{name}":{value}'
        for name, value in noted.items()
        if call.prefer.notes(f"{_NOTE}.{name}")
    )


def _more(
    call: SalesCall, plan: FetchPlan, paged: _Paged, rows: Sequence[Sequence[Any]] | None
) -> str:
    """That there are more rows, and the cookie if the order allows one."""
    found = ""
    if rows is not None and call.prefer.notes(f"{_NOTE}.fetchxmlpagingcookie"):
        first, last = (read_row_key(plan.terms, row) for row in (rows[0], rows[paged.size - 1]))
        outer = paging.write_outer_cookie(
            paged.number, paging.write_cookie(paged.number, plan.terms, first, last)
        )
        found = f',"@{_NOTE}.fetchxmlpagingcookie":{orjson.dumps(outer).decode()}'
    return found + (
        f',"@{_NOTE}.morerecords":true' if call.prefer.notes(f"{_NOTE}.morerecords") else ""
    )


def _answer(call: SalesCall, table: SalesTable, rows: Sequence[str], notes: str) -> ODataAnswer:
    return call.json(
        f'{{{call.context(table.set_name)}"value":[{",".join(rows)}]{notes}}}'.encode()
    )
