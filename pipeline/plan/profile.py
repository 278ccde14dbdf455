"""A look at whole columns: how their dates and amounts are written, and what cannot be read.

``03/04/2024`` says nothing by itself, but ``13/04/2024`` in the same column does; so does
``12.25`` beside ``7.000``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.plan.deletion import DELETED
from pipeline.plan.reading import TableReading
from pipeline.run.findings import RunFinding
from schemas.catalogue import Field, Table, Type
from schemas.values import FORMS, PLAIN_AMOUNT, SHOWS_COMMA, SHOWS_POINT
from sql.query import query
from sql.session import Session

_TEXT: Final = "VARCHAR"
_EXACT: Final = {
    Type.GUID: "UUID",
    Type.TWO_OPTIONS: "BOOLEAN",
    Type.TIMESTAMP: "TIMESTAMP",
    Type.DECIMAL: "DECIMAL",
}
"""Type → how DuckDB's types begin that hold nothing else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """A column of which some filled values cannot be read: how many, and where the first stands."""

    table: str
    column: str
    count: int
    source_file: str
    source_line: int
    has_no_order: bool = False
    """It has dates that do not show whether the day or the month comes first."""

    @property
    def place(self) -> str:
        """How many, and where."""
        values = "1 value" if self.count == 1 else f"{self.count:,} values, the first"
        return f"{values} in {self.source_file} row {self.source_line}"

    def report(self) -> RunFinding:
        """As a finding of the run."""
        code = "deletion_unreadable" if self.column == DELETED else "column_unreadable"
        return RunFinding(
            code="date_order_unknown" if self.has_no_order else code,
            detail=f"{self.table}, {self.place}",
            column=self.column,
            source_file=self.source_file,
            source_line=self.source_line,
            rows=self.count if code == "deletion_unreadable" else None,
        )


def study_columns(
    session: Session, table: Table, columns: Mapping[str, str], *, month_first: bool
) -> TableReading:
    """How the text columns of a landed table are to be read.

    Args:
        session: has the view ``<table>_landed``.
        table: the catalogue's entry, with the columns to look at.
        columns: landed column → its DuckDB type.
        month_first: what wrote the table is known to put the month first.
    """
    rows = f"{table.name}_landed"
    texts = [field for field in table.fields if columns.get(field.name) == _TEXT]
    orders = {
        field.name: _find_order(session, rows, field, month_first=month_first)
        for field in texts
        if field.type is Type.TIMESTAMP
    }
    amounts = {
        field.name: _find_signs(session, rows, field)
        for field in texts
        if field.type is Type.DECIMAL
    }
    return TableReading(
        orders={name: order for name, order in orders.items() if order is not None},
        amounts={name: pointed for name, pointed in amounts.items() if pointed is not None},
    )


def _find_order(session: Session, rows: str, field: Field, *, month_first: bool) -> bool | None:
    """Whether the day comes first; null where no date shows it, or two contradict each other."""
    text = query("plan/date_orders", rows=rows, column=field.name)
    _, day, month = session.frame(text, slashed=FORMS["slashed_time"]).row(0)
    if day and month:
        return None
    if day or month or month_first:
        return bool(day)
    return None


def _find_signs(session: Session, rows: str, field: Field) -> bool | None:
    """Whether the point is the decimal sign; null where all amounts are plain."""
    plain = query("plan/amounts_not_plain", rows=rows, column=field.name)
    if not session.frame(plain, plain=PLAIN_AMOUNT).item():
        return None
    text = query("plan/amount_signs", rows=rows, column=field.name)
    shown = session.frame(text, shows_point=SHOWS_POINT, shows_comma=SHOWS_COMMA)
    point, comma = shown.row(0)
    return bool(point and not comma)


def find_doubts(
    session: Session, table: Table, view: str, reading: TableReading, columns: Iterable[Field]
) -> dict[str, Doubt]:
    """The columns, of some of a table, that have filled values which cannot be read.

    Args:
        session: has the view.
        table: the catalogue's entry.
        view: the table as it is read.
        reading: how it is.
        columns: which columns.
    """
    found = {}
    for field in columns:
        count, first = session.frame(_ask_unreadable(field, view)).row(0)
        if count:
            found[field.name] = place_doubt(session, table, field, reading, count, first)
    return found


def _ask_unreadable(field: Field, view: str) -> str:
    if field.alike:
        return query("plan/unreadable_types", rows=view, column=field.name)
    return query("plan/unreadable_values", rows=view, column=field.name, raw=f"raw:{field.name}")


def place_doubt(
    session: Session, table: Table, field: Field, reading: TableReading, count: int, first: int
) -> Doubt:
    """A column with ``count`` values that cannot be read, the first in row ``first``."""
    place = session.frame(query("plan/place", rows=f"{table.name}_landed"), row=first)
    file, line = place.row(0)
    return Doubt(
        table=table.name,
        column=field.name,
        count=count,
        source_file=file,
        source_line=line,
        has_no_order=_has_no_order(session, table, field, reading),
    )


def _has_no_order(session: Session, table: Table, field: Field, reading: TableReading) -> bool:
    rows = f"{table.name}_landed"
    is_text = session.columns(rows).get(field.name) == _TEXT
    if field.type is not Type.TIMESTAMP or field.name in reading.orders or not is_text:
        return False
    text = query("plan/date_orders", rows=rows, column=field.name)
    return bool(session.frame(text, slashed=FORMS["slashed_time"])["slashed"].item())


def may_be_unreadable(field: Field, physical: str | None) -> bool:
    """Whether a landed column can hold what its declared type cannot, or words nobody knows."""
    if physical is None or field.type is Type.TEXT:
        return physical is not None and bool(field.alike)
    return not physical.startswith(_EXACT.get(field.type, "BIGINT"))
