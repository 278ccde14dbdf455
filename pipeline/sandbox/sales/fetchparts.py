"""What FetchXML is made of: entities under their names, and the query put together from them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element

from pipeline.sandbox.odata.columns import Sql, SqlColumn, compose, conjoin
from pipeline.sandbox.odata.tree import ODataError
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.paging import Term
from pipeline.sandbox.sales.prefer import Prefer
from pipeline.sandbox.sales.rows import Piece
from pipeline.sandbox.sales.schema import SalesColumn, SalesTable
from pipeline.sandbox.sales.scope import make_sql_column
from pipeline.sandbox.wire import xmltree

_NAME: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchSource:
    """A table under the name that the query gives it; ``sql`` is its alias in SQL."""

    table: SalesTable
    name: str
    sql: str

    def column(self, name: str) -> SalesColumn:
        """A column by its logical name. Raises ``SalesFailure``."""
        if name not in self.table.columns:
            message = (
                f"'{self.table.name}' entity doesn't contain attribute with Name = '{name}' and "
                "NameMapping = 'Logical'."
            )
            raise failures.bad_call(message, "0x80041103")
        return self.table.columns[name]

    def sql_column(self, name: str) -> SqlColumn:
        """The same as conditions see it."""
        return make_sql_column(self.column(name), self.sql)


@dataclass(kw_only=True, slots=True)
class FetchPlan:
    """A query being put together.

    ``bare``: rows have no etag and id of their own (aggregates, distinct).
    """

    root: FetchSource
    prefer: Prefer
    caller: str
    aggregate: bool
    sources: dict[str, FetchSource] = field(default_factory=dict)
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
        return conjoin(self.wheres)

    @property
    def source(self) -> Sql:
        """What stands behind ``FROM``."""
        return compose(
            " ".join([f"{self.root.table.name} AS {self.root.sql}", *["{}"] * len(self.joins)]),
            *self.joins,
        )


def parse_fetch(text: str) -> Element:
    """The ``<fetch>`` of a query. Raises ``ODataError``."""
    try:
        fetch = xmltree.parse_xml(text.encode())
    except xmltree.XmlError as error:
        raise ODataError(f"Invalid XML. {error}") from error
    if fetch.tag != "fetch":
        raise ODataError("Invalid FetchXML: the root element is not 'fetch'.")
    return fetch


def is_true(text: str | None) -> bool:
    """Whether an attribute of FetchXML is set."""
    return (text or "").lower() in {"true", "1"}


def need_attribute(element: Element, name: str) -> str:
    """An attribute that must be there. Raises ``ODataError``."""
    value = element.get(name)
    if value is None:
        raise ODataError(f"Invalid FetchXML: the attribute '{name}' of '{element.tag}' is missing.")
    return value


def read_alias(element: Element) -> str:
    """The alias of an element, empty if it has none.

    Raises ``ODataError`` for an alias that is not a name, because it becomes SQL.
    """
    alias = element.get("alias", "")
    if alias and not _NAME.fullmatch(alias):
        raise ODataError(
            f"Invalid alias '{alias}': letters, digits and underscores, not a digit first."
        )
    return alias


def omit_null(name: str, value: Sql, unless_null: str) -> Piece:
    """A property that is left out where it is null."""
    return Piece(
        text="",
        sql=Sql(text=f"CASE WHEN {unless_null} IS NOT NULL THEN ',\"{name}\":'||{value.text} END"),
    )
