"""Reading rows by OData: a page of a table or a collection, one row, a count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

import orjson

from pipeline.sandbox.odata.columns import (
    Sql,
    SqlValue,
    compose,
    conjoin,
    make_guid_key,
    make_sort_key,
    turn_guid_back,
)
from pipeline.sandbox.odata.sql import compile_condition
from pipeline.sandbox.odata.tree import ODataError, ValueKind
from pipeline.sandbox.sales import paging
from pipeline.sandbox.sales.paging import Term, read_row_key
from pipeline.sandbox.sales.prefer import PAGE
from pipeline.sandbox.sales.shape import Shape
from pipeline.sandbox.sales.store import SalesStore

COUNTED: Final = 5000
"""``$count`` counts no further."""

_IN_URLS: Final = "%:/?#[]@!$&'()*+,;=~"
_UNSUPPORTED: Final = {
    "skip": "Skip Clause is not supported in CRM",
    "search": "The query option 'Search' is not supported.",
    "compute": "The query option 'Compute' is not supported.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SalesPage:
    """Rows as JSON joined by commas, how many, and the token of the next page if there is one."""

    body: bytes
    count: int
    token: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SalesReader:
    """One query on its way.

    ``belonging``: a condition that rows of a collection fulfil; ``notes`` go into the cookie.
    """

    store: SalesStore
    shape: Shape
    belonging: Sql | None = None
    tracking: bool = False
    notes: Mapping[str, object] = field(default_factory=dict)

    def page(self) -> SalesPage:
        """The page that ``$skiptoken`` asks for, else the first one."""
        check_options(self.shape)
        query = self.shape.query
        terms = self._terms()
        position = (
            paging.read_outer(query.skiptoken)
            if query.skiptoken is not None
            else paging.Position(page=0)
        )
        wheres = [
            *self._wheres(),
            *([paging.compile_after(terms, position)] if position.last else []),
        ]
        size = self.shape.prefer.page or min(PAGE if query.top is None else query.top, PAGE)
        page = self._page(terms, wheres, size, position.page + 1)
        only = query.top is not None and self.shape.prefer.page is None
        return replace(page, token=None) if only else page

    def count(self) -> int:
        """How many rows there are, ``COUNTED`` at most."""
        return self._count(COUNTED)

    def exceeds(self) -> bool:
        """Whether there are more rows than are counted."""
        return self._count(COUNTED + 1) > COUNTED

    def one(self, row_id: str) -> str | None:
        """One row's JSON by its id."""
        scope = self.shape.scope
        where = Sql(text=f"{scope.alias}.{scope.table.id} = ?", values=(row_id,))
        sql = compose(
            f"SELECT {{}} FROM {scope.table.name} AS {scope.alias} WHERE {{}}",
            self.shape.row(),
            where,
        )
        found = self.store.rows(sql.text, sql.values)
        return str(found[0][0]) if found else None

    def _count(self, limit: int) -> int:
        scope = self.shape.scope
        where = conjoin(self._wheres())
        sql = (
            f"SELECT count(*) FROM (SELECT 1 FROM {scope.table.name} AS {scope.alias} WHERE "
            f"{where.text} LIMIT {limit})"
        )
        found: int = self.store.rows(sql, where.values)[0][0]
        return found

    def _wheres(self) -> list[Sql]:
        found = [self.belonging] if self.belonging else []
        return [
            *found,
            *(
                [compile_condition(self.shape.query.filter, self.shape.scope)]
                if self.shape.query.filter
                else []
            ),
        ]

    def _terms(self) -> list[Term]:
        scope = self.shape.scope
        terms = []
        for order in self.shape.query.orderby:
            column = scope.column(order.path.names)
            sql = Sql(text=make_sort_key(column), values=column.values)
            terms.append(
                Term(
                    name=".".join(order.path.names),
                    sql=sql,
                    kind=column.kind,
                    descending=order.descending,
                )
            )
        if not any(term.name == scope.table.id for term in terms):
            key = Sql(text=make_guid_key(f"{scope.alias}.{scope.table.id}"))
            terms.append(Term(name=scope.table.id, sql=key, kind=ValueKind.GUID))
        return terms

    def _page(
        self, terms: Sequence[Term], wheres: Sequence[Sql], size: int, number: int
    ) -> SalesPage:
        """A page; those in order of ids leave the database as one text."""
        if len(terms) == 1 and terms[0].name == self.shape.table.id and not terms[0].descending:
            return self._read_joined(terms[0], wheres, size, number)
        rows = self._read_listed(terms, wheres, size)
        body = ",".join(row[0] for row in rows[:size]).encode()
        if len(rows) <= size:
            return SalesPage(body=body, count=len(rows))
        token = self._token(
            number, terms, read_row_key(terms, rows[0]), read_row_key(terms, rows[size - 1])
        )
        return SalesPage(body=body, count=size, token=token)

    def _read_joined(self, term: Term, wheres: Sequence[Sql], size: int, number: int) -> SalesPage:
        inner = self._select([term], wheres, size)
        sql = (
            "SELECT CAST(group_concat(j, ',') AS BLOB), count(*), min(k0), max(k0) FROM "
            f"({inner.text})"
        )
        body, count, low, high = self.store.rows(sql, inner.values)[0]
        if count < size or not count or not self._more(term, wheres, high):
            return SalesPage(body=body or b"", count=count)
        return SalesPage(
            body=body,
            count=count,
            token=self._token(number, [term], [turn_guid_back(low)], [turn_guid_back(high)]),
        )

    def _token(
        self,
        number: int,
        terms: Sequence[Term],
        first: Sequence[SqlValue],
        last: Sequence[SqlValue],
    ) -> str:
        return paging.write_outer_cookie(
            number,
            paging.write_cookie(number, terms, first, last, **self.notes),
            tracking=self.tracking,
        )

    def _more(self, term: Term, wheres: Sequence[Sql], high: str) -> bool:
        scope = self.shape.scope
        where = conjoin([*wheres, Sql(text=f"{term.sql.text} > ?", values=(high,))])
        sql = f"SELECT 1 FROM {scope.table.name} AS {scope.alias} WHERE {where.text} LIMIT 1"
        return bool(self.store.rows(sql, where.values))

    def _read_listed(
        self, terms: Sequence[Term], wheres: Sequence[Sql], size: int
    ) -> list[tuple[Any, ...]]:
        sql = self._select(terms, wheres, size + 1)
        return self.store.rows(sql.text, sql.values)

    def _select(self, terms: Sequence[Term], wheres: Sequence[Sql], limit: int) -> Sql:
        scope = self.shape.scope
        keys = "".join(f", {{}} AS k{number}" for number in range(len(terms)))
        order = ", ".join(
            f"k{number} {'DESC' if term.descending else 'ASC'}" for number, term in enumerate(terms)
        )
        return compose(
            (
                f"SELECT {{}} AS j{keys} FROM {scope.table.name} AS {scope.alias} WHERE {{}} ORDER "
                f"BY {order} LIMIT {limit}"
            ),
            self.shape.row(),
            *(term.sql for term in terms),
            conjoin(wheres),
        )


def check_options(shape: Shape) -> None:
    """Refuse options that Dataverse does not know. Raises ``ODataError``."""
    for option, message in _UNSUPPORTED.items():
        if option in shape.query.given:
            raise ODataError(message)


def make_next_link(address: str, query_text: str, token: str) -> str:
    """The URL of the next page as a JSON text: the request's own with the token in it."""
    kept = [
        part
        for part in query_text.split("&")
        if part and not part.startswith(("$skiptoken=", "%24skiptoken="))
    ]
    return write_url(address, [*kept, f"$skiptoken={quote(token, safe='')}"])


def write_url(address: str, parts: Sequence[str]) -> str:
    """A URL as a JSON text.

    What may not stand in a URL as it is, as requests in a batch have it, is encoded.
    """
    return orjson.dumps(quote(f"{address}?{'&'.join(parts)}", safe=_IN_URLS)).decode()
