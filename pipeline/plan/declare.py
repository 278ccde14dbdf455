"""Landed tables as the catalogue declares them: views that every later query reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

import polars as pl

from pipeline.errors import ConfigurationError, list_problems
from pipeline.plan.deletion import DELETED
from pipeline.plan.profile import (
    Doubt,
    find_doubts,
    may_be_unreadable,
    place_doubt,
    study_columns,
)
from pipeline.plan.reading import PLACE, TableReading, add_own, build_select_list
from pipeline.run.findings import RunFinding
from schemas.catalogue import Field, Table, Type
from schemas.codes import find_code
from schemas.marks import MARKS, WRITTEN
from schemas.sales import CONTACTS
from sql.query import query
from sql.session import Session

COMPARED: Final = ("versionnumber", "sinkmodifiedon", "modifiedon")
"""Columns that say which of several rows of one id counts."""

READING: Final = (
    "column_unreadable", "date_order_unknown", "deletion_unreadable", "fraction_dropped",
    "key_hidden", "key_rewritten", "key_shortened", "null_word_read",
    "number_shortened", "sign_for_blank", "text_damaged", "text_masked",
)  # fmt: skip
"""Codes of findings of how columns were read."""

_MARKS: Final = tuple(field.name for field in MARKS if field.name != WRITTEN)
"""Columns that say that a row is gone; as it is read, ``isdelete`` has what all of them say."""

_DOCUMENTS: Final = ("quotes", "salesorders", "invoices")
_BY_COLUMN: Final = (Type.TIMESTAMP, Type.DECIMAL)
"""Types whose text means what the whole column shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnUse:
    """What is asked of the columns of a table, besides which rows of it count.

    ``said``: see ``reading``. ``direct``: columns that mapping takes as they are read. ``own``:
    see ``Routing``. ``named``: columns that a condition names. ``is_dated``: whether ``createdon``
    counts. ``month_first``: see ``LandedTable``. ``is_small``: it is kept as it is read, for each
    query of a view that reads many columns binds all of them again. ``customers_later``: somebody
    else looks at the customers of documents, where no row is marked as gone.
    """

    said: Collection[str] = ()
    direct: Collection[str] = ()
    own: Mapping[str, Type] = field(default_factory=lambda: MappingProxyType({}))
    named: Collection[str] = ()
    is_dated: bool = False
    month_first: bool = False
    is_small: bool = False
    customers_later: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredTable:
    """A table as it is read, without rows, and its columns that hold what cannot be read.

    ``compared``: columns that count only where an id has several rows, not looked at yet.
    ``customer``: the column of customers, if it was left for later.
    """

    table: Table
    empty: pl.DataFrame
    doubts: Mapping[str, Doubt]
    reading: TableReading
    compared: tuple[Field, ...]
    customer: Field | None = None

    def list_named(self, words: Collection[str]) -> list[Doubt]:
        """Doubtful columns among some words of a condition, where case means nothing."""
        folded = {word.lower() for word in words}
        return [one for name, one in self.doubts.items() if name in folded]


def declare_table(session: Session, table: Table, view: str, use: ColumnUse) -> DeclaredTable:
    """Name a table's views.

    Args:
        session: has the view ``<table>_landed``.
        table: the catalogue's entry, with the project's words.
        view: what the table is called as it is read; ``<view>_chosen`` has its ``chosen_rows``.
        use: what is asked of it. ``<view>_looked_at`` has the columns that are looked at before it
            is known how all are read.
    """
    table = add_own(table, use.own)
    columns = session.columns(f"{table.name}_landed")
    looked_at = [one for one in table.fields if _is_used(table, one, columns, use)]
    reading = study_columns(
        session, replace(table, fields=tuple(looked_at)), columns, month_first=use.month_first
    )
    doubtful = [one for one in looked_at if _may_be_unreadable(one, columns)]
    named = {word.lower() for word in use.named}
    later = [one for one in doubtful if one.name in COMPARED and one.name not in named]
    customer = next((one for one in doubtful if _waits(one, table, columns, use)), None)
    now = [one for one in doubtful if one not in later and one is not customer]
    wanted = {one.name for one in now} | (
        {*_MARKS} if DELETED in {one.name for one in now} else set()
    )
    few = {name: columns[name] for name in columns if name in wanted}
    select = build_select_list(replace(table, fields=tuple(now)), few, reading=reading)
    session.view(f"{view}_looked_at", f"{select}\nFROM {table.name}_landed")
    doubts = find_doubts(session, table, f"{view}_looked_at", reading, now)
    unread = tuple(name for name in use.direct if name in doubts)
    _name_views(session, table, view, columns, use, replace(reading, unread=unread))
    return DeclaredTable(
        table=table, empty=session.empty(view), doubts=doubts, reading=reading,
        compared=tuple(later), customer=customer,
    )  # fmt: skip


def add_unread_customers(
    session: Session, one: DeclaredTable, count: int, first: int
) -> DeclaredTable:
    """The table with the doubt that ``count`` customers raise, the first in row ``first``.

    Unless its customers were looked at already.
    """
    field = one.customer
    if field is None:
        return one
    doubt = place_doubt(session, one.table, field, one.reading, count, first)
    found = {**one.doubts, field.name: doubt}
    names = [field.name for field in one.table.fields if field.name in found]
    return replace(one, doubts={name: found[name] for name in names})


def _name_views(
    session: Session,
    table: Table,
    view: str,
    columns: Mapping[str, str],
    use: ColumnUse,
    reading: TableReading,
) -> None:
    landed = f"{table.name}_landed"
    select = build_select_list(table, columns, said=use.said, reading=reading)
    content = [column for column in columns if column not in PLACE] or ["source_row"]
    session.view(f"{landed}_chosen", query("plan/chosen_landed", landed=landed, content=content))
    if use.is_small:
        session.store(view, f"{select}\nFROM {landed}")
        chosen = query("plan/chosen", rows=view, chosen=f"{landed}_chosen")
        session.view(f"{view}_chosen", chosen)
    else:
        session.view(view, f"{select}\nFROM {landed}")
        session.view(f"{view}_chosen", f"{select}, content_hash\nFROM {landed}_chosen")


def _is_used(table: Table, field: Field, columns: Mapping[str, str], use: ColumnUse) -> bool:
    """Whether something hangs on a column that no gate of single contacts looks at."""
    name = field.name
    if name == DELETED:
        is_marked = not columns.keys().isdisjoint(_MARKS)
        return is_marked and (table.name != CONTACTS.name or use.is_dated or name in use.named)
    if name not in columns or field.type is Type.TEXT:
        return name in columns and name == "customeridtype"
    if name in COMPARED:
        return table.name not in _DOCUMENTS or not columns.keys().isdisjoint(_MARKS)
    return (
        name in use.direct
        or name in {word.lower() for word in use.named}
        or (name == "createdon" and use.is_dated)
        or (f"text:{name}" in use.said and field.type in _BY_COLUMN)
        or name in _MARKS
        or name == "customerid"
    )


def _waits(field: Field, table: Table, columns: Mapping[str, str], use: ColumnUse) -> bool:
    return (
        use.customers_later
        and field.name == "customerid"
        and table.name in _DOCUMENTS
        and columns.keys().isdisjoint(_MARKS)
    )


def _may_be_unreadable(field: Field, columns: Mapping[str, str]) -> bool:
    """Whether a column can hold what its type cannot; the marks of deletion are one column."""
    if field.name in _MARKS:
        return field.name == DELETED
    return may_be_unreadable(field, columns[field.name])


def list_words(condition: str | None) -> set[str]:
    """Words of an SQL condition: columns, if there are such."""
    return set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", condition or ""))


def refuse_doubtful(doubts: Iterable[Doubt], setting: str) -> None:
    """Refuse a condition on columns that hold what cannot be read: it would be null there.

    Raises:
        ConfigurationError: there are ``doubts``.
    """
    sentences = [
        f"names {one.column}, which has values that cannot be read: {one.place}. "
        f"{find_code(one.report().code).advice}"
        for one in doubts
    ]
    if sentences:
        raise ConfigurationError(list_problems(sentences), where=setting)


def report_doubts(
    session: Session,
    tables: Mapping[str, DeclaredTable],
    repeated: Collection[str],
    direct: Collection[str],
) -> list[RunFinding]:
    """What could not be read, as findings of the run.

    Args:
        session: has the views of the tables; contacts of which an id has several are chosen.
        tables: view → table, as they were declared.
        repeated: those of which an id has several rows: versions and dates decide there only.
        direct: columns of contacts whose values are findings of their contacts already.
    """
    found = []
    for view, one in tables.items():
        name, doubts = one.table.name, dict(one.doubts)
        if name in repeated:
            rows = f"{view}_chosen" if name == CONTACTS.name else view
            doubts |= find_doubts(session, one.table, rows, one.reading, one.compared)
        found += [
            doubt.report()
            for doubt in doubts.values()
            if (doubt.column not in COMPARED or name in repeated)
            and (name != CONTACTS.name or doubt.column not in direct or doubt.has_no_order)
        ]
    return found
