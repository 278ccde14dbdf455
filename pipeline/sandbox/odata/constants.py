"""Tokens that are values: text → Python values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from pipeline.sandbox.odata.tokens import FilterToken
from pipeline.sandbox.odata.tree import Constant, ODataError, Scalar, ValueKind


def read_constant(token: FilterToken) -> Constant:
    """The value that a token is. Times without an offset are UTC.

    Raises ``ODataError`` for days that do not exist.
    """
    if token.kind == "enum":
        name, _, quoted = token.text.partition("'")
        return Constant(value=_unquote("'" + quoted), kind=ValueKind.ENUM, type_name=name)
    if token.kind == "number":
        return _number(token.text)
    kind, read = _READERS[token.kind]
    return Constant(value=read(token.text), kind=kind)


def read_timestamp(text: str) -> datetime:
    """The moment that the text names, in UTC. Raises ``ODataError``."""
    try:
        moment = datetime.fromisoformat(_six_digits(text))
    except ValueError as error:
        raise ODataError(
            f"Cannot convert the literal '{text}' to the expected type 'Edm.DateTimeOffset'."
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _six_digits(text: str) -> str:
    """Python reads at most six digits of a second's fraction."""
    head, dot, tail = text.partition(".")
    digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
    return f"{head}.{digits[:6]:0<6}{tail[len(digits) :]}" if dot else text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ODataError(
            f"Cannot convert the literal '{text}' to the expected type 'Edm.Date'."
        ) from error


def _unquote(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _number(text: str) -> Constant:
    if text.lstrip("-").isdigit():
        return Constant(value=int(text), kind=ValueKind.INTEGER)
    return Constant(value=Decimal(text), kind=ValueKind.DECIMAL)


_READERS: Final[Mapping[str, tuple[ValueKind, Callable[[str], Scalar]]]] = {
    "text": (ValueKind.TEXT, _unquote),
    "quoted": (ValueKind.TEXT, lambda text: str(json.loads(text))),
    "guid": (ValueKind.GUID, UUID),
    "timestamp": (ValueKind.TIMESTAMP, read_timestamp),
    "date": (ValueKind.DATE, _day),
}
