"""Values of a body as rows keep them, or the failure that Dataverse answers."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from pipeline.sandbox.odata.columns import format_timestamp
from pipeline.sandbox.odata.constants import read_timestamp
from pipeline.sandbox.odata.tree import ODataError
from pipeline.sandbox.sales import failures
from pipeline.sandbox.sales.schema import CRM, ColumnType, SalesColumn, SalesTable

_MONEY: Final = 922_337_203_685_477
_BIGINT: Final = 2**63
_EARLIEST: Final = "1753-01-01"
_OFFSET: Final = 6


def read_value(table: SalesTable, column: SalesColumn, value: Any) -> str | int | None:
    """A JSON value as the column keeps it; an empty text is null. Raises ``SalesFailure``."""
    if value is None:
        return None
    return _READERS[column.type](table, column, value)


def _text(table: SalesTable, column: SalesColumn, value: Any) -> str | None:
    if not isinstance(value, str):
        raise _mismatch(table, column, value, "Edm.String")
    if len(value.encode("utf-16-le")) // 2 > column.length:
        raise failures.invalid(
            f"The length of the '{column.name}' attribute of the '{table.name}' entity "
            f"exceeded the maximum allowed length of '{column.length}'.",
            "0x80044331",
        )
    return value or None


def _integer(table: SalesTable, column: SalesColumn, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _mismatch(table, column, value, "Edm.Int32")
    if not column.least <= value <= column.most:
        raise _out_of_range(table, column)
    return value


def _flag(table: SalesTable, column: SalesColumn, value: Any) -> int:
    if not isinstance(value, bool):
        raise _mismatch(table, column, value, "Edm.Boolean")
    return int(value)


def _choice(table: SalesTable, column: SalesColumn, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _mismatch(table, column, value, "Edm.Int32")
    if value not in column.options:
        accepted = ",".join(str(option) for option in column.options)
        raise failures.invalid(
            f"The value '{value}' of '{column.name}' on record of type '{table.name}' is outside "
            "the valid range. "
            f"Accepted Values: {accepted}",
            "0x8004431A",
        )
    return value


def _decimal(table: SalesTable, column: SalesColumn, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _mismatch(table, column, value, "Edm.Decimal")
    try:
        number = Decimal(str(value))
    except ArithmeticError as error:
        raise _mismatch(table, column, value, "Edm.Decimal") from error
    if not number.is_finite() or abs(number) > _MONEY:
        raise _out_of_range(table, column)
    return int(round(number, column.digits).scaleb(column.digits))


def _day(table: SalesTable, column: SalesColumn, value: Any) -> str:
    try:
        day = (
            date.fromisoformat(value)
            if isinstance(value, str) and len(value) == len(_EARLIEST)
            else None
        )
    except ValueError:
        day = None
    if day is None:
        raise _mismatch(table, column, value, "Edm.Date")
    return _refuse_early(day.isoformat())


def _moment(table: SalesTable, column: SalesColumn, value: Any) -> str:
    try:
        given = read_timestamp(value) if isinstance(value, str) and _has_offset(value) else None
    except ODataError:
        given = None
    if given is None:
        raise _mismatch(table, column, value, "Edm.DateTimeOffset")
    return _refuse_early(format_timestamp(given.replace(microsecond=0)))


def _has_offset(text: str) -> bool:
    return "T" in text and (text.endswith("Z") or text[-_OFFSET : -_OFFSET + 1] in {"+", "-"})


def _refuse_early(text: str) -> str:
    if text < _EARLIEST:
        message = (
            "DateTime is less than minumum value supported by CrmDateTime. "
            f"Actual value: {text}, Minimum value supported: 01/01/1753 00:00:00"
        )
        raise failures.bad_call(message, "0x80040239")
    return text


def read_guid(table: SalesTable, column: SalesColumn, value: Any) -> str:
    """A GUID's text in small letters."""
    try:
        return str(uuid.UUID(value))
    except (ValueError, AttributeError, TypeError) as error:
        raise _mismatch(table, column, value, "Edm.Guid") from error


def _refuse_lookup(table: SalesTable, column: SalesColumn, _value: Any) -> str:
    raise failures.bad_body(
        table.set_name,
        "Microsoft.Crm.CrmException: CRM do not support direct update of Entity Reference "
        "properties, "
        f"Use Navigation properties instead. ({column.name})",
    )


def _mismatch(
    table: SalesTable, column: SalesColumn, value: Any, expected: str
) -> failures.SalesFailure:
    shown = "NaN" if isinstance(value, float) and not math.isfinite(value) else type(value).__name__
    return failures.bad_body(
        table.set_name,
        f"Microsoft.OData.ODataException: Cannot convert a value of property '{column.wire}' (a "
        f"JSON {_JSON.get(shown, shown)}) "
        f"to the expected target type '{expected}'.",
    )


def _out_of_range(table: SalesTable, column: SalesColumn) -> failures.SalesFailure:
    return failures.invalid(
        (
            f"The value of '{column.name}' on record of type '{table.name}' is outside the valid "
            "range."
        ),
        "0x80044330",
    )


def unknown_property(table: SalesTable, name: str) -> failures.SalesFailure:
    """A body names a property that the table does not have."""
    return failures.bad_body(
        table.set_name,
        f"Microsoft.OData.ODataException: The property '{name}' does not exist on type "
        f"'{CRM}.{table.name}'. "
        "Make sure to only use property names that are defined by the type.",
    )


def status_failure(
    table: SalesTable, row_id: str, status: int, state: str
) -> failures.SalesFailure:
    """A status that does not belong to the row's state."""
    message = (
        f"{status} is not a valid status code for state code {table.name}State.{state} on "
        f"{table.name} with Id {row_id}."
    )
    return failures.bad_call(message, "0x80048408")


def format_now(moment: datetime) -> str:
    """A moment as rows keep it."""
    return format_timestamp(moment.replace(microsecond=0))


_JSON: Final = {
    "str": "text",
    "int": "number",
    "float": "number",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
}
_READERS: Final[Mapping[ColumnType, Callable[[SalesTable, SalesColumn, Any], str | int | None]]] = {
    ColumnType.ID: read_guid,
    ColumnType.GUID: read_guid,
    ColumnType.TEXT: _text,
    ColumnType.MEMO: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.BIGINT: _integer,
    ColumnType.FLAG: _flag,
    ColumnType.CHOICE: _choice,
    ColumnType.STATE: _choice,
    ColumnType.STATUS: _choice,
    ColumnType.MONEY: _decimal,
    ColumnType.DECIMAL: _decimal,
    ColumnType.DATE: _day,
    ColumnType.TIME: _moment,
    ColumnType.LOOKUP: _refuse_lookup,
}
