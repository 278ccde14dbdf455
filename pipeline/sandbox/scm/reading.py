"""Reading entity sets: a query to SQL, rows to JSON, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import orjson

from pipeline.sandbox.odata.columns import Sql, conjoin
from pipeline.sandbox.odata.options import split_pairs
from pipeline.sandbox.odata.sql import compile_condition, compile_ordering
from pipeline.sandbox.odata.tree import ODataError, Query
from pipeline.sandbox.scm.entities import COMPANY, DATA_ENTITIES, PropertyKind, ScmEntity
from pipeline.sandbox.scm.payload import select_values
from pipeline.sandbox.scm.scope import EntityScope, find_property
from pipeline.sandbox.scm.store import RECID, RECVERSION, ScmRow, ScmStore, pick_key, write_etag

ACROSS: Final = "cross-company"
_ANSWERED: Final = frozenset(
    {"select", "filter", "orderby", "expand", "count", "top", "skip", "skiptoken", "format"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScmReader:
    """One caller reading.

    ``root`` is scheme and host that the caller sees, ``company`` the caller's; ``page_size`` in
    rows; ``metadata``: how many annotations there are, as ``odata.metadata`` names it.
    """

    store: ScmStore
    root: str
    company: str
    page_size: int
    query_text: str = ""
    metadata: str = "minimal"

    def page(self, entity: ScmEntity, query: Query) -> dict[str, Any]:
        """One page of an entity set. Raises ``ODataError``."""
        _check(entity, query)
        token = _Token.read(query.skiptoken)
        answer = self._head(entity, query)
        if query.count:
            answer["@odata.count"] = self.count(entity, query)
        left = token.left if token.left >= 0 else (query.top if query.top is not None else -1)
        rows = self._rows(entity, query, token, left)
        answer["value"] = [self.row(entity, row, query) for row in rows[: self.page_size]]
        if len(rows) > self.page_size and (left < 0 or left > self.page_size):
            answer["@odata.nextLink"] = self._next(
                entity, query, rows[self.page_size - 1], token, left
            )
        return answer

    def count(self, entity: ScmEntity, query: Query) -> int:
        """How many rows a query finds. Raises ``ODataError``."""
        where = conjoin(self._conditions(entity, query))
        sql = f'SELECT COUNT(*) FROM "{entity.name}" WHERE {where.text}'
        return int(self.store.value(sql, where.values))

    def find(self, entity: ScmEntity, key: Mapping[str, Any], query: Query) -> ScmRow | None:
        """The row with this key that the caller can see."""
        if (
            not entity.shared
            and not _is_across(query)
            and str(key[COMPANY]).lower() != self.company
        ):
            return None
        return self.store.find(entity, key)

    def one(self, entity: ScmEntity, row: ScmRow, query: Query) -> dict[str, Any]:
        """The answer that a single row is. Raises ``ODataError``."""
        _check(entity, query)
        head = self._head(entity, query)
        if head:
            head["@odata.context"] += "/$entity"
        return {**head, **self.row(entity, row, query)}

    def row(self, entity: ScmEntity, row: ScmRow, query: Query) -> dict[str, Any]:
        """A row with its annotations."""
        values = select_values(entity, row, frozenset(query.select) if query.select else None)
        if self.metadata == "none":
            return values
        if self.metadata != "full":
            return {"@odata.etag": write_etag(row), **values}
        link = write_row_address(entity, row)
        full: dict[str, Any] = {
            "@odata.type": f"#{DATA_ENTITIES}.{entity.type}",
            "@odata.id": f"{self.root}/data/{link}",
        }
        full |= {"@odata.etag": write_etag(row), "@odata.editLink": link}
        for name, value in values.items():
            full |= _annotate(entity, name)
            full[name] = value
        return full

    def _head(self, entity: ScmEntity, query: Query) -> dict[str, Any]:
        chosen = f"({','.join(query.select)})" if query.select else ""
        return (
            {}
            if self.metadata == "none"
            else {"@odata.context": f"{self.root}/data/$metadata#{entity.name}{chosen}"}
        )

    def _conditions(self, entity: ScmEntity, query: Query) -> list[Sql]:
        found = []
        if not entity.shared and not _is_across(query):
            found.append(Sql(text=f'"{COMPANY}" = ?', values=(self.company,)))
        if query.filter is not None:
            found.append(compile_condition(query.filter, EntityScope(entity=entity)))
        return found

    def _rows(self, entity: ScmEntity, query: Query, token: _Token, left: int) -> list[ScmRow]:
        wanted = self.page_size + 1 if left < 0 else min(left, self.page_size + 1)
        names = [
            *(query.select or (one.name for one in entity.properties)),
            *(one.name for one in entity.keys),
        ]
        listed = ", ".join(f'"{name}"' for name in dict.fromkeys([RECID, RECVERSION, *names]))
        conditions = self._conditions(entity, query)
        if token.after:
            conditions.append(Sql(text=f'"{RECID}" > ?', values=(token.after,)))
        where = conjoin(conditions)
        skip = token.skip or (0 if token.after else query.skip or 0)
        terms = [term.text for term in compile_ordering(query.orderby, EntityScope(entity=entity))]
        order = ", ".join([*terms, f'"{RECID}"'])
        sql = (
            f'SELECT {listed} FROM "{entity.name}" WHERE {where.text} ORDER BY {order} '
            "LIMIT ? OFFSET ?"
        )
        return self.store.select(sql, [*where.values, wanted, skip])

    def _next(self, entity: ScmEntity, query: Query, last: ScmRow, token: _Token, left: int) -> str:
        rest = left - self.page_size if left >= 0 else -1
        done = (token.skip or query.skip or 0) + self.page_size
        following = (
            _Token(skip=done, left=rest) if query.orderby else _Token(after=last[RECID], left=rest)
        )
        kept = [
            (name, value)
            for name, value in split_pairs(self.query_text).items()
            if name != "$skiptoken"
        ]
        texts = (
            f"{quote(name, safe='$@')}={quote(value, safe='')}"
            for name, value in [*kept, ("$skiptoken", following.text())]
        )
        return f"{self.root}/data/{entity.name}?{'&'.join(texts)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Token:
    """Where a page starts: after a record, or after so many rows.

    And how many rows are still wanted (-1: all).
    """

    after: int = 0
    skip: int = 0
    left: int = -1

    @classmethod
    def read(cls, text: str | None) -> _Token:
        if text is None:
            return cls()
        try:
            after, skip, left = orjson.loads(base64.urlsafe_b64decode(text))
            return cls(after=int(after), skip=int(skip), left=int(left))
        except (binascii.Error, ValueError, TypeError) as error:
            raise ODataError("The skip token is not valid.") from error

    def text(self) -> str:
        return base64.urlsafe_b64encode(orjson.dumps([self.after, self.skip, self.left])).decode()


def write_row_address(entity: ScmEntity, row: ScmRow) -> str:
    """The relative URL of a row: its set and its key."""
    keys = (
        f"{name}='{quote(str(value).replace(chr(39), chr(39) * 2), safe='')}'"
        for name, value in pick_key(entity, row).items()
    )
    return f"{entity.name}({','.join(keys)})"


def _is_across(query: Query) -> bool:
    return query.others.get(ACROSS, "").lower() == "true"


def _check(entity: ScmEntity, query: Query) -> None:
    unknown = sorted(query.given - _ANSWERED)
    if unknown:
        raise ODataError(f"The query parameter '${unknown[0]}' is not supported.")
    for name in (*query.select, *("/".join(term.path) for term in query.expand)):
        find_property(entity, name)


def _annotate(entity: ScmEntity, name: str) -> dict[str, str]:
    one = entity.by_name[name]
    types = {
        PropertyKind.ENUM: f"{DATA_ENTITIES}.{one.enum}",
        PropertyKind.DECIMAL: "Decimal",
        PropertyKind.DATETIME: "DateTimeOffset",
        PropertyKind.INT64: "Int64",
    }
    return {f"{name}@odata.type": f"#{types[one.kind]}"} if one.kind in types else {}
