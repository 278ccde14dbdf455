"""Cells of a data file to typed values, as staging takes them.

Enums by symbol, plain numbers, times in UTC or en-US.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final

from pipeline.sandbox.scm.entities import Property, PropertyKind
from pipeline.sandbox.scm.payload import INT32, INT64, normalize_timestamp
from pipeline.sandbox.scm.switches import Switches

_NUMBER: Final = re.compile(r"-?\d{1,26}(\.\d{1,16})?")
_LOCAL: Final = (
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %I:%M:%S %p",
)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


class CellError(Exception):
    """A cell cannot be staged; the text says why, and never holds the value."""


def read_cell(one: Property, text: str, switches: Switches) -> Any:
    """The value of a cell. An empty one is the field's default. Raises ``CellError``."""
    value = text.rstrip(" ")
    if not value:
        return one.default
    match one.kind:
        case PropertyKind.STRING:
            return _text(one, value, switches)
        case PropertyKind.ENUM:
            return _member(one, value, switches)
        case PropertyKind.INT | PropertyKind.INT64 | PropertyKind.DECIMAL:
            return _number(one, value)
        case PropertyKind.DATETIME:
            return _time(one, value)


def _text(one: Property, value: str, switches: Switches) -> str:
    if (
        one.length is None
        or len(value) * 2 <= one.length
        or len(value.encode("utf-16-le")) <= 2 * one.length
    ):
        return value
    if switches.too_long == "truncate":
        return value.encode("utf-16-le")[: 2 * one.length].decode("utf-16-le", "ignore")
    raise _invalid(one, f"the text is longer than {one.length} characters")


def _member(one: Property, value: str, switches: Switches) -> str:
    if value in one.members:
        return value
    if switches.enum_cells == "any":
        folded = {member.lower(): member for member in one.members} | {
            str(at): member for at, member in enumerate(one.members)
        }
        if value.lower() in folded:
            return folded[value.lower()]
    raise _invalid(one, f"the value is not a symbol of {one.enum}")


def _number(one: Property, value: str) -> int | float:
    if not _NUMBER.fullmatch(value):
        raise _invalid(one, "the value is not a number")
    if one.kind is PropertyKind.DECIMAL:
        return float(value)
    most = INT32 if one.kind is PropertyKind.INT else INT64
    if "." in value or not -most <= int(value) < most:
        raise _invalid(one, "the value is not an integer, or too large")
    return int(value)


def _time(one: Property, value: str) -> str:
    exact = normalize_timestamp(f"{value}T00:00:00Z" if _DATE.fullmatch(value) else value)
    if exact:
        return exact
    for form in _LOCAL:
        try:
            return (
                dt.datetime.strptime(value, form)
                .replace(tzinfo=dt.UTC)
                .strftime("%Y-%m-%dT%H:%M:%SZ")
            )
        except ValueError:
            continue
    raise CellError(f"DMF2016: Column '{one.staging_name}' has an invalid datetime value.")


def _invalid(one: Property, why: str) -> CellError:
    return CellError(f"DMF2018: Column '{one.staging_name}' has invalid data: {why}.")
