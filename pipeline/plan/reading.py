"""How landed columns are read: SQL select lists that give each catalogue column its type.

A landed column is text (from CSV and JSON) or has the type of the user's Parquet file; both end as
the same view. Mapping sees text: ``text:<column>`` is the value read and written as text again,
``raw:<column>`` the value as it was written. Where the landed column is that text already, Polars
takes it from the landed table (``generalize``); the others are columns ``say:<name>`` of the view.
A column ``raw:<name>`` of the view is a typed column as it was written, for finding what could not
be read; ``unread:<name>`` is that only where it could not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, assert_never

from pipeline.plan.deletion import DELETED, MarkColumn, build_deletion_columns
from schemas.catalogue import Field, Table, Type
from schemas.marks import MARKS, WRITTEN
from schemas.text import NO_GUID
from sql.query import identifier, literal

_SQL_TYPES: Final = {
    Type.GUID: "UUID",
    Type.TEXT: "VARCHAR",
    Type.CHOICE: "INTEGER",
    Type.TWO_OPTIONS: "BOOLEAN",
    Type.DECIMAL: "DECIMAL(38, 10)",
    Type.INTEGER: "BIGINT",
    Type.TIMESTAMP: "TIMESTAMPTZ",
}
_PLAIN: Final = "VARCHAR"
PLACE: Final = ("source_row", "source_file", "source_line")
"""Where a row stands: its number over all files of its table from 0, its file, its line in that
file."""
_WHOLE: Final = frozenset(
    {
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "HUGEINT",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TableReading:
    """How text columns of one table are read, as a look at each whole column has shown.

    ``orders``: whether the day comes first in a column's dates with slashes; columns that do not
    show it are left out. ``amounts``: columns that hold more than plain amounts, and whether they
    show that the point is the decimal sign. ``unread``: mapped columns of which some value cannot
    be read.
    """

    orders: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    amounts: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    unread: tuple[str, ...] = ()


AS_DECLARED: Final = TableReading()
"""Columns that nobody looked at: dates with slashes are not read, amounts are plain."""


def build_typed_column(
    field: Field, column: str, physical: str, reading: TableReading = AS_DECLARED
) -> str:
    """SQL that reads ``column``, of DuckDB type ``physical``, as the field's declared type.

    Null when it cannot be read.
    """
    text = _build_text(column, physical)
    match field.type:
        case Type.GUID:
            typed = f"nullif({column}, UUID {literal(NO_GUID)})"
            typed = typed if physical == "UUID" else f"guid_of({text})"
        case Type.TEXT:
            typed = text
        case Type.CHOICE:
            typed = _build_choice(field, column, physical)
        case Type.TWO_OPTIONS:
            typed = column if physical == "BOOLEAN" else _build_flag(field, text)
        case Type.TIMESTAMP:
            typed = _build_timestamp(column, physical, reading.orders.get(field.name))
        case Type.DECIMAL:
            amount = _build_amount(field, column, physical, reading)
            typed = f"TRY_CAST({amount} AS {_SQL_TYPES[Type.DECIMAL]})"
        case Type.INTEGER:
            typed = _build_whole(column, physical)
        case _:
            assert_never(field.type)
    return typed


def build_mapping_text(
    field: Field, column: str, physical: str, reading: TableReading = AS_DECLARED
) -> str:
    """SQL for what mapping sees.

    The value read and written as text again, or the text itself if it cannot be read. An amount
    that cannot be read is null.
    """
    text = _build_text(column, physical)
    match field.type:
        case Type.TEXT:
            return text
        case Type.TWO_OPTIONS:
            value = build_typed_column(field, column, physical)
            read = f"CASE WHEN {value} THEN 'true' ELSE 'false' END"
            return f"CASE WHEN {value} IS NULL THEN {text} ELSE {read} END"
        case Type.CHOICE | Type.INTEGER if physical in _WHOLE:
            return text
        case Type.DECIMAL if field.name in reading.amounts and physical == _PLAIN:
            return _build_amount(field, column, physical, reading)
        case Type.DECIMAL:
            return text
        case _:
            typed = build_typed_column(field, column, physical, reading)
            return f"coalesce(CAST({typed} AS VARCHAR), {text})"


def _build_text(column: str, physical: str) -> str:
    if physical == _PLAIN:
        return column
    if physical in {"DOUBLE", "FLOAT"}:
        return f"plain_float({column})"
    if physical.startswith("DECIMAL"):
        return f"plain_decimal({column})"
    return f"CAST({column} AS VARCHAR)"


def _build_members(field: Field, text: str, *, usual: str, otherwise: str) -> str:
    """The words of a choice or of two options, and ``otherwise`` for all other text.

    ``usual``: a branch for the digits that nearly all sources write. DuckDB computes the first test
    of a CASE for all rows, and what comes after it for the rest only.
    """
    if not field.members:
        return otherwise
    is_flag = field.type is Type.TWO_OPTIONS
    values = [bool(value) if is_flag else value for value in field.members.values()]
    place = f"list_position({literal(list(field.members))}, lower(trimmed({text})))"
    member = f"list_extract([{', '.join(map(literal, values))}], {place})"
    read = f"coalesce({member}, {otherwise})"
    if any(word.isdigit() for word in field.members):
        return read
    return f"CASE {usual} ELSE {read} END"


def _build_flag(field: Field, text: str) -> str:
    usual = f"WHEN {text} IN ('0', '1') THEN {text} = '1'"
    return _build_members(field, text, usual=usual, otherwise=f"two_options_of({text})")


def _build_choice(field: Field, column: str, physical: str) -> str:
    if physical in _WHOLE:
        return f"TRY_CAST({column} AS INTEGER)"
    text = _build_text(column, physical)
    usual = f"WHEN strlen({text}) = 1 AND ord({text}) BETWEEN 48 AND 57 THEN ord({text}) - 48"
    otherwise = f"TRY_CAST(whole_of({text}) AS INTEGER)"
    return _build_members(field, text, usual=usual, otherwise=otherwise)


def _build_whole(column: str, physical: str) -> str:
    if physical == _PLAIN:
        return f"whole_of({column})"
    if physical in {"DOUBLE", "FLOAT"} or physical.startswith("DECIMAL"):
        return f"whole_of_number({column})"
    return f"TRY_CAST({column} AS BIGINT)"


def _build_amount(field: Field, column: str, physical: str, reading: TableReading) -> str:
    if physical != _PLAIN:
        return column
    pointed = reading.amounts.get(field.name)
    return f"trimmed({column})" if pointed is None else f"amount_of({column}, {literal(pointed)})"


def _build_timestamp(column: str, physical: str, day_first: bool | None) -> str:
    if physical == "TIMESTAMP WITH TIME ZONE":
        return column
    if physical.startswith(("TIMESTAMP", "DATE")):
        return f"CAST({column} AS TIMESTAMPTZ)"
    return f"timestamp_of({_build_text(column, physical)}, {literal(day_first)})"


def add_own(table: Table, own: Mapping[str, Type]) -> Table:
    """The table with further columns that have a type, with the proof of their column."""
    fields = (Field(name=name, type=kind) for name, kind in own.items())
    return replace(table, fields=(*table.fields, *fields)) if own else table


def find_plain_columns(
    table: Table, columns: Mapping[str, str], said: Collection[str]
) -> dict[str, str]:
    """Names in ``said`` that are a landed column as it stands.

    Such a column is text, or has numbers or booleans of the declared type.

    Returns:
        ``text:…`` or ``raw:…`` → the landed column.
    """
    found = {}
    for name in said:
        kind, _, column = name.partition(":")
        field, physical = table.field(column) or Field(name=column), columns.get(column)
        if physical == _PLAIN:
            stands = kind == "raw" or field.type is Type.TEXT
        else:
            whole = physical in _WHOLE and field.type in {Type.CHOICE, Type.INTEGER}
            stands = kind == "text" and (
                whole or (physical == "BOOLEAN" and field.type is Type.TWO_OPTIONS)
            )
        if stands:
            found[name] = column
    return found


def build_select_list(
    table: Table,
    columns: Mapping[str, str],
    *,
    said: Collection[str] = (),
    reading: TableReading = AS_DECLARED,
) -> str:
    """The select list that turns a landed table into its declared form.

    Args:
        table: the catalogue's entry.
        columns: landed column → its DuckDB type. Columns that the catalogue does not know stay as
            they are.
        said: ``text:…`` and ``raw:…`` names that are needed; those that are not ``generalize``
            become columns ``say:…``.
        reading: what is known of the columns.

    Returns:
        SQL: every catalogue column by name and type (null where the source lacks it), extra columns
            as text, what is said, what cannot be read, and ``PLACE``.
    """
    parts = [*PLACE, *build_deletion_columns(dict(list_mark_columns(table, columns, reading)))]
    for one in table.fields:
        if one.name != DELETED:
            parts += _declare_column(one, columns.get(one.name), reading)
    known = {one.name for one in table.fields}
    extras = [name for name in columns if name not in known and name not in PLACE]
    parts += [
        f"{_build_text(identifier(name), columns[name])} AS {identifier(name)}" for name in extras
    ]
    parts += ['CAST(NULL AS VARCHAR) AS "say:"'] if said else []
    plain = find_plain_columns(table, columns, said)
    parts += [_build_said(table, name, columns, reading) for name in said if name not in plain]
    parts += [_build_unread(table, name, columns, reading) for name in reading.unread]
    return "SELECT " + ",\n       ".join(parts)


def list_mark_columns(
    table: Table, columns: Mapping[str, str], reading: TableReading
) -> Iterator[tuple[str, MarkColumn]]:
    """The columns that say whether a row is gone."""
    for mark in MARKS:
        one = table.field(mark.name) or mark  # The table's own has the project's words.
        if one.name in columns and one.name != WRITTEN:
            name, physical = identifier(one.name), columns[one.name]
            read = build_typed_column(one, name, physical, reading)
            yield one.name, MarkColumn(read=read, written=_build_text(name, physical))


def _declare_column(field: Field, physical: str | None, reading: TableReading) -> list[str]:
    """A column with its type, and as it was written."""
    name, raw = identifier(field.name), identifier(f"raw:{field.name}")
    if physical is None:
        typed, text = f"CAST(NULL AS {_SQL_TYPES[field.type]})", "CAST(NULL AS VARCHAR)"
    else:
        typed = build_typed_column(field, name, physical, reading)
        text = _build_text(name, physical)
        text = f"given_id({text})" if field.type is Type.GUID else text
    return [f"{typed} AS {name}"] + ([] if field.type is Type.TEXT else [f"{text} AS {raw}"])


def _build_said(table: Table, name: str, columns: Mapping[str, str], reading: TableReading) -> str:
    kind, _, column = name.partition(":")
    target = identifier(f"say:{name}")
    if column not in columns:
        return f"CAST(NULL AS VARCHAR) AS {target}"
    if kind == "raw":
        return f"{_build_text(identifier(column), columns[column])} AS {target}"
    field = table.field(column) or Field(name=column)
    text = build_mapping_text(field, identifier(column), columns[column], reading)
    return f"{text} AS {target}"


def _build_unread(
    table: Table, name: str, columns: Mapping[str, str], reading: TableReading
) -> str:
    field, column = table.field(name) or Field(name=name), identifier(name)
    typed = build_typed_column(field, column, columns[name], reading)
    text = _build_text(column, columns[name])
    return f"CASE WHEN {typed} IS NULL THEN trimmed({text}) END AS {identifier(f'unread:{name}')}"
