"""Rows as JSON, made by SQLite itself.

One expression for each row, so that a page is one text when it leaves the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.sandbox.odata.columns import Sql, SqlValue
from pipeline.sandbox.sales.formatted import compile_formatted
from pipeline.sandbox.sales.prefer import FORMATTED, LOOKUP_TYPE, NAVIGATION, Prefer
from pipeline.sandbox.sales.schema import CRM, ColumnType, SalesColumn, SalesTable

_ARGUMENTS: Final = 90
"""SQLite's functions take 127 arguments at most."""

_EDM: Final = {
    ColumnType.ID: "Guid",
    ColumnType.GUID: "Guid",
    ColumnType.LOOKUP: "Guid",
    ColumnType.DATE: "Date",
    ColumnType.TIME: "DateTimeOffset",
}
_EDM_NUMBERS: Final = {
    ColumnType.MONEY: "Decimal",
    ColumnType.DECIMAL: "Decimal",
    ColumnType.BIGINT: "Int64",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Some text of a row: ``text`` as it stands, then what ``sql`` gives, if there is any.

    A null gives nothing.
    """

    text: str
    sql: Sql | None = None


def compile_row(pieces: Iterable[Piece]) -> Sql:
    """The expression that joins the pieces to one text."""
    terms: list[str] = []
    values: list[SqlValue] = []
    for chunk in _chunks(pieces):
        pattern = "".join(
            piece.text.replace("%", "%%") + ("%s" if piece.sql else "") for piece in chunk
        ).replace("'", "''")
        arguments = [piece.sql for piece in chunk if piece.sql]
        terms.append(
            f"printf('{pattern}'{''.join(f', {argument.text}' for argument in arguments)})"
        )
        values += [value for argument in arguments for value in argument.values]
    return Sql(text="||".join(terms), values=tuple(values))


def _chunks(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    chunk: list[Piece] = []
    count = 0
    for piece in pieces:
        chunk.append(piece)
        count += piece.sql is not None
        if count == _ARGUMENTS:
            yield chunk
            chunk, count = [], 0
    if chunk:
        yield chunk


def compile_head(table: SalesTable, alias: str, prefer: Prefer, root: str) -> Iterator[Piece]:
    """What every row begins with: etag and id, without a bracket.

    More, or less, as the metadata level says.
    """
    key = Sql(text=f"{alias}.{table.id}")
    if prefer.metadata != "none":
        yield Piece(text='"@odata.etag":"W/\\"', sql=Sql(text=f"{alias}.versionnumber"))
        yield Piece(text='\\"",')
    if prefer.metadata == "full":
        yield Piece(
            text=f'"@odata.type":"#{CRM}.{table.name}","@odata.id":"{root}/{table.set_name}(',
            sql=key,
        )
        yield Piece(text=f')","@odata.editLink":"{table.set_name}(', sql=key)
        yield Piece(text=')",')
    yield Piece(text=f'"{table.id}":"', sql=key)
    yield Piece(text='"')


def compile_properties(
    table: SalesTable, columns: Sequence[SalesColumn], alias: str, prefer: Prefer
) -> Iterator[Piece]:
    """The columns, each with a comma before it and behind its notes."""
    for column in columns:
        if column.type is ColumnType.ID:
            continue
        yield from compile_notes(table, column, alias, prefer, column.wire)
        if prefer.metadata == "full" and (
            edm := _EDM.get(column.type) or _EDM_NUMBERS.get(column.type)
        ):
            yield Piece(text=f',"{column.wire}@odata.type":"#{edm}"')
        yield Piece(text=f',"{column.wire}":', sql=Sql(text=compile_value(column, alias)))


def compile_notes(
    table: SalesTable, column: SalesColumn, alias: str, prefer: Prefer, name: str
) -> Iterator[Piece]:
    """The annotations of a column that were asked for; a null has none.

    ``name`` is the property's.
    """
    if prefer.notes(FORMATTED) and (text := compile_formatted(table, column, alias)) is not None:
        yield _note(name, FORMATTED, text)
    if column.type is not ColumnType.LOOKUP:
        return
    if prefer.notes(NAVIGATION):
        yield _note(
            name,
            NAVIGATION,
            _by_target(
                column, alias, {table: column.navigation(table) for table in column.targets}
            ),
        )
    if prefer.notes(LOOKUP_TYPE):
        yield _note(
            name, LOOKUP_TYPE, _by_target(column, alias, {table: table for table in column.targets})
        )


def _note(name: str, term: str, text: str) -> Piece:
    """One annotation; nothing at all where its text is null."""
    return Piece(text="", sql=Sql(text=f"',\"{name}@{term}\":'||{text}"))


def _by_target(column: SalesColumn, alias: str, texts: dict[str, str]) -> str:
    """A text that depends on the lookup's target; null where the lookup is."""
    if not column.polymorphic:
        (text,) = texts.values()
        return f"CASE WHEN {alias}.{column.name} IS NOT NULL THEN '\"{text}\"' END"
    cases = " ".join(f"WHEN '{target}' THEN '\"{text}\"'" for target, text in texts.items())
    return f"CASE {alias}.{column.type_name} {cases} END"


def compile_value(column: SalesColumn, alias: str) -> str:
    """A column's value as JSON text, ``null`` included."""
    name = f"{alias}.{column.name}"
    match column.type:
        case ColumnType.TEXT | ColumnType.MEMO:
            return f"json_quote({name})"
        case ColumnType.FLAG:
            return f"CASE {name} WHEN 0 THEN 'false' WHEN 1 THEN 'true' ELSE 'null' END"
        case ColumnType.MONEY | ColumnType.DECIMAL:
            return f"ifnull({compile_decimal(column, name)}, 'null')"
        case (
            ColumnType.ID | ColumnType.GUID | ColumnType.LOOKUP | ColumnType.DATE | ColumnType.TIME
        ):
            return f"ifnull('\"'||{name}||'\"', 'null')"
        case _:
            return f"ifnull({name}, 'null')"


def compile_decimal(column: SalesColumn, name: str) -> str:
    """A decimal with all its digits, null where it is null."""
    unit = 10**column.digits
    sign = f"CASE WHEN {name} < 0 THEN '-' ELSE '' END"
    return (
        f"{sign}||(abs({name}) / {unit})||'.'||substr('{unit}'||(abs({name}) % {unit}), "
        f"-{column.digits})"
    )
