"""Where a page ends, as the XML cookies of Dataverse.

In ``$skiptoken`` encoded once more, in FetchXML as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET

from pipeline.sandbox.odata.columns import Sql, SqlValue, turn_guid, turn_guid_back
from pipeline.sandbox.odata.tree import ODataError, ValueKind
from pipeline.sandbox.wire import xmltree

_NUMBERS: Final = frozenset({ValueKind.INTEGER, ValueKind.DECIMAL, ValueKind.BOOLEAN})


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One thing that rows are ordered by.

    ``name`` is its element in the cookie; ``sql`` holds the collation.
    """

    name: str
    sql: Sql
    kind: ValueKind
    descending: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """Where the last page ended.

    Its number, the values of the last row, and what else the service wrote there.
    """

    page: int
    last: Mapping[str, str | None] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)


def write_cookie(
    page: int,
    terms: Sequence[Term],
    first: Sequence[SqlValue],
    last: Sequence[SqlValue],
    **notes: object,
) -> str:
    """The inner cookie of a page."""
    element = ET.Element(
        "cookie", {"page": str(page), **{name: str(value) for name, value in notes.items()}}
    )
    for term, low, high in zip(terms, first, last, strict=True):
        attributes = {**_attribute("last", high, term.kind), **_attribute("first", low, term.kind)}
        ET.SubElement(element, term.name, attributes)
    return ET.tostring(element, encoding="unicode")


def write_outer_cookie(page: int, inner: str, *, tracking: bool = False) -> str:
    """The cookie that names the next page, with the inner one encoded twice in it."""
    encoded = quote(quote(inner, safe=""), safe="")
    return f'<cookie pagenumber="{page + 1}" pagingcookie="{encoded}" istracking="{tracking}" />'


def read_outer(text: str) -> Position:
    """The position in a ``$skiptoken``. Raises ``ODataError``."""
    element = _parse(text)
    inner = element.get("pagingcookie")
    if inner is None:
        raise ODataError("Malformed XML in the Paging Cookie")
    return read_inner(unquote(unquote(inner)))


def read_inner(text: str) -> Position:
    """The position in an inner cookie. Raises ``ODataError``."""
    element = _parse(text)
    page = element.get("page", "1")
    if not page.isdigit():
        raise ODataError("Malformed XML in the Paging Cookie")
    last = {
        child.tag: child.get("last")
        for child in element
        if child.get("last") is not None or child.get("lastnull")
    }
    return Position(
        page=int(page),
        last=last,
        notes={name: value for name, value in element.items() if name != "page"},
    )


def compile_after(terms: Sequence[Term], position: Position) -> Sql:
    """The condition that a row comes after a position.

    Raises ``ODataError`` for a cookie of another query.
    """
    if any(term.name not in position.last for term in terms):
        raise ODataError("Malformed XML in the Paging Cookie")
    steps: list[str] = []
    values: list[SqlValue] = []
    same: list[tuple[str, tuple[SqlValue, ...]]] = []
    for term in terms:
        value = _restore(position.last[term.name], term.kind)
        step = _beyond(term, value)
        steps.append("(" + " AND ".join([*(text for text, _ in same), step]) + ")")
        values += [one for _, equal in same for one in equal] + [
            *term.sql.values,
            *([value] if "?" in step else []),
        ]
        same.append((f"{term.sql.text} IS ?", (*term.sql.values, value)))
    return Sql(text=f"({' OR '.join(steps)})", values=tuple(values))


def read_row_key(terms: Sequence[Term], row: Sequence[Any]) -> list[Any]:
    """The values that a row is ordered by, which stand behind its JSON."""
    return [
        turn_guid_back(value) if term.kind is ValueKind.GUID else value
        for term, value in zip(terms, row[1:], strict=True)
    ]


def _beyond(term: Term, value: SqlValue) -> str:
    """One term behind a value: blanks come first, last when descending."""
    if value is None:
        return "0" if term.descending else f"{term.sql.text} IS NOT NULL"
    return (
        f"({term.sql.text} < ? OR {term.sql.text} IS NULL)"
        if term.descending
        else f"{term.sql.text} > ?"
    )


def _attribute(name: str, value: SqlValue, kind: ValueKind) -> dict[str, str]:
    if value is None:
        return {f"{name}null": "1"}
    return {name: f"{{{str(value).upper()}}}" if kind is ValueKind.GUID else str(value)}


def _restore(text: str | None, kind: ValueKind) -> SqlValue:
    if text is None:
        return None
    if kind is ValueKind.GUID:
        return turn_guid(text.strip("{}").lower())
    try:
        return int(text) if kind in _NUMBERS else text
    except ValueError as error:
        raise ODataError("Malformed XML in the Paging Cookie") from error


def _parse(text: str) -> ET.Element:
    try:
        return xmltree.parse_xml(text.encode())
    except xmltree.XmlError as error:
        raise ODataError("Malformed XML in the Paging Cookie") from error
