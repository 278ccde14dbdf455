"""Rows whose cells stand in wrong columns, as a delimiter in a text without quotes moves them.

Such a row may have as many cells as the header, where its last one is cut off. But a column of
times then holds a text, and none of the others does. What already decides about a contact is not
looked at here: it rejects the contact by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import polars as pl

from pipeline.plan.declare import DeclaredTable
from pipeline.run.findings import RunFinding
from schemas.catalogue import Field, Table, Type
from schemas.keys import BLANK_SIGN
from schemas.marks import MARKS
from schemas.values import NULL_WORDS
from sql.query import query
from sql.session import Session

_SCHEMA: Final = pl.Schema({"source_row": pl.Int64, "column_name": pl.String, "written": pl.String})
_NO_ROWS: Final = _SCHEMA.to_frame()
_TEXT: Final = "VARCHAR"
_DATE: Final = r"^[\p{L}, ]*[0-9]{1,6}[-./年, ] ?(?:[0-9]{1,2}|\p{L}+)[-./月, ] ?[0-9]{1,6}"
"""What may be a date in a form that p2c does not know."""
_SHAPES: Final = {
    Type.TIMESTAMP: ("____-__-__T__:__:__Z", _DATE),
    Type.GUID: ("________-____-____-____-____________", r"^[{(]?[0-9A-Fa-f-]{32,}"),
}
"""How nearly all exports write times and ids, and how others do."""
_TYPES: Final = (*_SHAPES, Type.INTEGER, Type.CHOICE, Type.TWO_OPTIONS)
_BY_SALES: Final = ("createdon", "modifiedon", "versionnumber")
"""Columns that Sales fills itself, so that nobody writes *unknown* there."""
_NO_WORD: Final = r"^[\s+]|[0-9@]"
"""What no label of a choice, no name of an owner and no word for *unknown* has."""
_BLANK: Final = rf"^\s*(?:{BLANK_SIGN})\s*$"
_OTHERS: Final = frozenset(
    {
        "contactid", "accountid", "msdynce_isactivecustomer", "msdynce_iscompanyanaccount",
        "parentcustomerid", "creditlimit", "transactioncurrencyid",
        *(mark.name for mark in MARKS),
    }
)  # fmt: skip
"""Columns that are looked at elsewhere, cell by cell."""


def find_misplaced(
    session: Session,
    read: Mapping[str, DeclaredTable],
    landed: Collection[str],
    *,
    is_routed: bool,
) -> list[RunFinding]:
    """Store as ``misplaced`` the contacts whose cells stand in wrong columns; drop such accounts.

    Args:
        session: has the tables as they are read, and ``accounts``.
        read: the tables as they were declared, by name.
        landed: the tables that the source has.
        is_routed: whether contacts of ``misplaced`` will be rejected; else they are reported.
    """
    found = []
    for name, view in (("accounts", "accounts_declared"), ("contacts", "contacts")):
        rows = _list_misplaced(session, read[name].table, view) if name in landed else _NO_ROWS
        session.register("misplaced", rows)
        if not rows.is_empty() and name == "accounts":
            session.run(query("plan/drop_misplaced_accounts"))
        if not rows.is_empty() and (name == "accounts" or not is_routed):
            found += _report(session, view)
    return found


def _report(session: Session, view: str) -> list[RunFinding]:
    places = session.frame(query("plan/places_misplaced", rows=view))
    return [
        RunFinding(
            code="row_unreadable",
            detail=f"its cells stand in wrong columns, for {column} holds something else",
            column=column,
            source_file=file,
            source_line=line,
        )
        for column, file, line in places.iter_rows()
    ]


def _list_misplaced(session: Session, table: Table, view: str) -> pl.DataFrame:
    found = [*_find_odd(session, table, view), *_find_swapped(session, f"{table.name}_landed")]
    return pl.concat([_NO_ROWS, *found]).unique("source_row", keep="first", maintain_order=True)


def _find_odd(session: Session, table: Table, view: str) -> Iterator[pl.DataFrame]:
    """Cells that are no value of their column, where nearly all others are."""
    rows = f"{table.name}_landed"
    columns = session.columns(rows)
    for field in table.fields:
        if field.type not in _TYPES or field.name in _OTHERS or columns.get(field.name) != _TEXT:
            continue
        if _looks_odd(session, field, rows):
            raw = f"raw:{field.name}"
            odd = session.frame(query("plan/odd_values", rows=view, column=field.name, raw=raw))
            odd = odd if _is_proof(session, field, odd, rows) else odd.clear()
            odd = odd.filter(_is_moved(field))
            if not odd.is_empty():
                yield odd.with_columns(column_name=pl.lit(field.name)).select(_SCHEMA.names())


def _looks_odd(session: Session, field: Field, rows: str) -> bool:
    """Whether a cell looks odd: columns of most exports have none, and are looked at no further."""
    if field.type not in _SHAPES:
        text = query("plan/count_odd_numbers", rows=rows, column=field.name)
        return bool(session.frame(text).item())
    shape, others = _SHAPES[field.type]
    text = query("plan/count_odd_shapes", rows=rows, column=field.name)
    return bool(session.frame(text, shape=shape, others=others).item())


def _is_proof(session: Session, field: Field, odd: pl.DataFrame, rows: str) -> bool:
    """Whether some odd cells are another thing, and not the same in a form that nobody knows."""
    filled = session.frame(query("plan/filled", rows=rows, column=field.name)).item()
    if 2 * len(odd) > filled:
        return False
    return field.type is not Type.TIMESTAMP or not odd["written"].str.contains(_DATE).any()


def _is_moved(field: Field) -> pl.Expr:
    """Whether an odd cell belongs to another column: a word for null does not."""
    written = pl.col("written")
    is_blank = written.str.contains(_BLANK) | written.str.strip_chars().is_in(NULL_WORDS)
    is_moved = pl.lit(value=True) if field.name in _BY_SALES else written.str.contains(_NO_WORD)
    return ~is_blank & is_moved


def _find_swapped(session: Session, rows: str) -> Iterator[pl.DataFrame]:
    columns = session.columns(rows)
    if columns.get("telephone1") == columns.get("emailaddress1") == _TEXT:
        odd = session.frame(query("plan/swapped", rows=rows))
        yield odd.with_columns(column_name=pl.lit("telephone1")).select(_SCHEMA.names())
