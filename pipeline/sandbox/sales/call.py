"""One operation on its way through the service: who asks, from where, with which options.

And the answers it can get.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import orjson

from pipeline.sandbox.odata.tree import Query
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.prefer import Prefer
from pipeline.sandbox.sales.reading import SalesReader
from pipeline.sandbox.sales.schema import SalesTable
from pipeline.sandbox.sales.scope import TableScope
from pipeline.sandbox.sales.shape import Shape
from pipeline.sandbox.sales.store import SalesStore
from pipeline.sandbox.sales.writing import SalesWriter
from pipeline.sandbox.wire.batch import ODataAnswer, ODataOperation

_CHANGING: Final = frozenset({"POST", "PATCH", "PUT", "DELETE"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """An application user. ``privileged`` is false for one without a role."""

    id: str
    privileged: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class RowBounds:
    """How many rows one operation reaches: by simple paging, without a cookie; aggregated."""

    simple: int = 50_000
    aggregated: int = 50_000


USUAL: Final = RowBounds()
"""The bounds that Dataverse has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SalesCall:
    """One operation.

    ``root`` is the service's root that the caller sees, ``address`` the operation's without its
    query.
    """

    store: SalesStore
    operation: ODataOperation
    caller: Caller
    root: str
    address: str
    query: Query
    query_text: str
    prefer: Prefer
    now: Callable[[], datetime]
    bounds: RowBounds = USUAL

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.operation.method

    @property
    def writer(self) -> SalesWriter:
        """Writes as the caller."""
        return SalesWriter(store=self.store, caller=self.caller.id, now=self.now)

    def header(self, name: str) -> str:
        """A header of the operation, empty if it is not there.

        ``null`` is nothing, as Microsoft's samples send it.
        """
        value = self.operation.headers.get(name, "")
        return "" if value == "null" else value

    def only(self, *methods: str) -> None:
        """Refuse other methods. Raises ``SalesFailure``."""
        if self.method not in methods:
            raise failures.wrong_method(self.method)

    def allowed(self, table: SalesTable) -> None:
        """Refuse callers without a role. Raises ``SalesFailure``."""
        if self.caller.privileged:
            return
        verb = {"POST": "Create", "DELETE": "Delete"}.get(
            self.method, "Write" if self.method in _CHANGING else "Read"
        )
        message = (
            f"Principal user (Id={self.caller.id}, type=8, roleCount=0, privilegeCount=0, "
            "accessMode=4) is missing "
            f"prv{verb}{table.schema_name} privilege on OTC={table.code} for entity "
            f"'{table.name}'. "
            f"context.Caller={self.caller.id}"
        )
        raise failures.SalesFailure(status=HTTPStatus.FORBIDDEN, code="0x80040220", message=message)

    def shape(self, table: SalesTable) -> Shape:
        """Rows of a table as this operation wants them."""
        scope = TableScope(table=table, alias="t", caller=self.caller.id)
        return Shape(scope=scope, query=self.query, prefer=self.prefer, root=self.root)

    def reader(self, table: SalesTable) -> SalesReader:
        """Reads a table as this operation wants it."""
        return SalesReader(store=self.store, shape=self.shape(table))

    def entity(self, table: SalesTable, row_id: str) -> str:
        """A row's URL."""
        return f"{self.root}/{table.set_name}({row_id})"

    def context(self, text: str) -> str:
        """A context URL as the first member of an answer, with a comma behind it.

        Empty if metadata are not wanted.
        """
        return (
            ""
            if self.prefer.metadata == "none"
            else f'"@odata.context":"{self.root}/$metadata#{text}",'
        )

    def json(
        self, body: bytes, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
    ) -> ODataAnswer:
        """An answer in JSON."""
        return ODataAnswer(
            status=status,
            headers={**self._headers(), **_typed(self.prefer.metadata), **(headers or {})},
            body=body,
        )

    def value(self, found: Any, context: str) -> ODataAnswer:
        """An answer that is an object, or a list of them, made in memory."""
        members = found if isinstance(found, dict) else {"value": found}
        noted = (
            {}
            if self.prefer.metadata == "none"
            else {"@odata.context": f"{self.root}/$metadata#{context}"}
        )
        return self.json(orjson.dumps({**noted, **members}))

    def plain(self, text: str) -> ODataAnswer:
        """An answer that is a text."""
        return ODataAnswer(
            status=HTTPStatus.OK,
            headers={**self._headers(), "Content-Type": "text/plain"},
            body=text.encode(),
        )

    def xml(self, body: bytes) -> ODataAnswer:
        """An answer in XML."""
        return ODataAnswer(
            status=HTTPStatus.OK,
            headers={"Content-Type": "application/xml", "OData-Version": "4.0"},
            body=body,
        )

    def done(self, headers: Mapping[str, str] | None = None) -> ODataAnswer:
        """An answer without content."""
        return ODataAnswer(
            status=HTTPStatus.NO_CONTENT, headers={**self._headers(), **(headers or {})}
        )

    def _headers(self) -> dict[str, str]:
        applied = self.prefer.applied
        return {"OData-Version": "4.0", **({"Preference-Applied": applied} if applied else {})}


def _typed(metadata: str) -> dict[str, str]:
    return {"Content-Type": f"application/json; odata.metadata={metadata}"}
