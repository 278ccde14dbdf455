"""Values as OData writes them: in URLs, in filters, in JSON bodies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import quote

import orjson

from schemas.catalogue import BOOLEANS, Column, ColumnKind, Entity

COMPANY: Final = "dataAreaId"
"""The key property of every entity that belongs to a legal entity."""

NEVER: Final = "1900-01-01T00:00:00Z"
"""What SCM stores where no time is set."""

NO_GUID: Final = "00000000-0000-0000-0000-000000000000"
"""What SCM stores where no GUID is set."""

_BLANKS: Final[Mapping[ColumnKind, str | int | float]] = {
    ColumnKind.TEXT: "",
    ColumnKind.INTEGER: 0,
    ColumnKind.LONG: 0,
    ColumnKind.DECIMAL: 0.0,
    ColumnKind.BOOLEAN: False,
    ColumnKind.TIMESTAMP: NEVER,
    ColumnKind.GUID: NO_GUID,
}
"""What a column of each kind holds where nothing is set; an enum has its first member."""


def quote_text(text: str) -> str:
    """A text constant: in single quotes, quotes inside doubled."""
    return "'" + text.replace("'", "''") + "'"


def build_row_address(entity: Entity, legal_entity: str, row: Mapping[str, object]) -> str:
    """The path of one row below ``/data``: its set and its whole key, percent-encoded."""
    keys = {COMPANY: legal_entity, **{name: str(row[name]) for name in entity.key}}
    pairs = ",".join(f"{name}={quote(quote_text(value), safe='')}" for name, value in keys.items())
    return f"{entity.odata_set}({pairs})"


def build_row_body(
    columns: Mapping[str, Column], row: Mapping[str, object], legal_entity: str | None
) -> bytes:
    """A row as JSON.

    With a legal entity it is a whole new row. Without one it is what an update sets: all columns
    but the key, and but those without a value that keep what SCM has.
    """
    given = {
        name: encode_value(column, row[name])
        for name, column in columns.items()
        if legal_entity or not (column.key or (column.keeps and row[name] is None))
    }
    return orjson.dumps({COMPANY: legal_entity, **given} if legal_entity else given)


def choose_blank(column: Column) -> str | int | float:
    """How a column says that it is empty: SCM has no null (reference B.2)."""
    if column.kind is ColumnKind.ENUM:
        return column.members[0]
    return _BLANKS[column.kind]


def encode_value(column: Column, value: object) -> str | int | float:
    """A value of ``rows/`` as JSON; a null is sent as empty, because the source is the master."""
    if value is None:
        return choose_blank(column)
    if column.kind is ColumnKind.BOOLEAN:
        return value == BOOLEANS[1]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value if isinstance(value, str | int | float) else str(value)


def build_company_filter(legal_entities: Sequence[str]) -> str:
    """The condition that a row belongs to one of these legal entities; without any, no row does."""
    return " or ".join(f"{COMPANY} eq '{entity.lower()}'" for entity in legal_entities or [""])
