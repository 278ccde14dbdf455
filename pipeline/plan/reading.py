"""How landed columns are read: SQL select lists that give each catalogue column its type.

A landed column is text (from CSV and JSON) or has the type of the user's Parquet file; both end as
the same view. Mapping sees text: ``text:<column>`` is the value read and written as text again,
``raw:<column>`` the value as it was written. Where the landed column is that text already, Polars
takes it from the landed table (``generalize``); the others are columns ``say:<name>`` of the view.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from pipeline.plan.deletion import DELETED, MarkColumn, build_deletion_columns
from schemas.catalogue import Field, Table, Type
from schemas.marks import MARKS, WRITTEN
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


def build_typed_column(field: Field, column: str, physical: str) -> str:
    """SQL that reads ``column``, of DuckDB type ``physical``, as the field's declared type.

    Null when it cannot be read.
    """
    text = column if physical == "VARCHAR" else f"CAST({column} AS VARCHAR)"
    match field.type:
        case Type.GUID:
            return column if physical == "UUID" else f"guid_of({text})"
        case Type.TEXT:
            return _build_text(column, physical)
        case Type.CHOICE:
            return _build_choice(field, column, physical)
        case Type.TWO_OPTIONS:
            return (
                column
                if physical == "BOOLEAN"
                else f"two_options_of({_build_text(column, physical)})"
            )
        case Type.TIMESTAMP:
            return _build_timestamp(column, physical, text)
        case Type.DECIMAL | Type.INTEGER:
            wanted = _SQL_TYPES[field.type]
            return (
                f"TRY_CAST({f'trimmed({column})' if physical == 'VARCHAR' else column} AS {wanted})"
            )


def build_mapping_text(field: Field, column: str, physical: str) -> str:
    """SQL for what mapping sees.

    The value read and written as text again, or the text itself if it cannot be read.
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
        case Type.DECIMAL:
            return text
        case _:
            return (
                f"coalesce(CAST({build_typed_column(field, column, physical)} AS VARCHAR), {text})"
            )


def _build_text(column: str, physical: str) -> str:
    if physical == _PLAIN:
        return column
    if physical in {"DOUBLE", "FLOAT"}:
        return f"plain_float({column})"
    if physical.startswith("DECIMAL"):
        return f"plain_decimal({column})"
    return f"CAST({column} AS VARCHAR)"


def _build_choice(field: Field, column: str, physical: str) -> str:
    if physical in _WHOLE:
        return f"TRY_CAST({column} AS INTEGER)"
    text = f"trimmed({_build_text(column, physical)})"
    labels = " ".join(
        f"WHEN {literal(label.lower())} THEN {value}" for value, label in field.options.items()
    )
    number = (
        f"CASE WHEN regexp_full_match({text}, '[+-]?[0-9]+') THEN TRY_CAST({text} AS INTEGER) END"
    )
    return f"CASE lower({text}) {labels} ELSE {number} END" if labels else number


def _build_timestamp(column: str, physical: str, text: str) -> str:
    if physical == "TIMESTAMP WITH TIME ZONE":
        return column
    return (
        f"CAST({column} AS TIMESTAMPTZ)"
        if physical.startswith(("TIMESTAMP", "DATE"))
        else f"timestamp_of({text})"
    )


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
    table: Table, columns: Mapping[str, str], *, said: Collection[str] = ()
) -> str:
    """The select list that turns a landed table into its declared form.

    Args:
        table: the catalogue's entry.
        columns: landed column → its DuckDB type. Columns that the catalogue does not know stay as
            they are.
        said: ``text:…`` and ``raw:…`` names that are needed; those that are not ``generalize``
            become columns ``say:…``.

    Returns:
        SQL: every catalogue column by name and type (null where the source lacks it), extra columns
            as text, what is said, and ``PLACE``.
    """
    parts = [*PLACE, *build_deletion_columns(dict(_list_marks(columns)))]
    for field in table.fields:
        name = identifier(field.name)
        if field.name == DELETED:
            continue
        if field.name in columns:
            parts.append(f"{build_typed_column(field, name, columns[field.name])} AS {name}")
            if field.type in (Type.GUID, Type.TWO_OPTIONS):
                parts.append(
                    f"{_build_text(name, columns[field.name])} AS {identifier('raw:' + field.name)}"
                )
        else:
            parts.append(f"CAST(NULL AS {_SQL_TYPES[field.type]}) AS {name}")
            if field.type in (Type.GUID, Type.TWO_OPTIONS):
                parts.append(f"CAST(NULL AS VARCHAR) AS {identifier('raw:' + field.name)}")
    known = {field.name for field in table.fields}
    extras = [name for name in columns if name not in known and name not in PLACE]
    parts += [
        f"{_build_text(identifier(name), columns[name])} AS {identifier(name)}" for name in extras
    ]
    parts += ['CAST(NULL AS VARCHAR) AS "say:"'] if said else []
    parts += [
        _build_said(table, name, columns)
        for name in said
        if name not in find_plain_columns(table, columns, said)
    ]
    return "SELECT " + ",\n       ".join(parts)


def _list_marks(columns: Mapping[str, str]) -> Iterator[tuple[str, MarkColumn]]:
    """The columns that say whether a row is gone."""
    for field in MARKS:
        if field.name in columns and field.name != WRITTEN:
            name, physical = identifier(field.name), columns[field.name]
            read = build_typed_column(field, name, physical)
            yield field.name, MarkColumn(read=read, written=_build_text(name, physical))


def _build_said(table: Table, name: str, columns: Mapping[str, str]) -> str:
    kind, _, column = name.partition(":")
    target = identifier(f"say:{name}")
    if column not in columns:
        return f"CAST(NULL AS VARCHAR) AS {target}"
    if kind == "raw":
        return f"{_build_text(identifier(column), columns[column])} AS {target}"
    field = table.field(column) or Field(name=column)
    return f"{build_mapping_text(field, identifier(column), columns[column])} AS {target}"
