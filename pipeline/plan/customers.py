"""Customers in an export of SCM that are deleted there: replicas keep and mark them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.errors import SourceError, count_of
from pipeline.plan.deletion import DELETED, build_deletion_columns
from pipeline.plan.reading import AS_DECLARED, list_mark_columns
from schemas.scm import CUSTOMERS_EXPORT, CUSTOMERS_V2
from schemas.text import key_of
from sql.query import query
from sql.session import session

_AREA: Final = "dataAreaId"


def list_entities_without(customers: Path, entities: Sequence[str]) -> list[str]:
    """The legal entities of which a table of customers has none.

    A customer that names no legal entity counts for every one.
    """
    area = key_of(pl.col(_AREA)).unique()
    there = pl.scan_parquet(customers, glob=False).select(area).collect()[_AREA].to_list()
    return [] if None in there else [one for one in entities if one.upper() not in there]


def drop_deleted_customers(frame: pl.DataFrame) -> pl.DataFrame:
    """The customers that are there, if the export says who is deleted.

    Raises:
        SourceError: a mark of deletion cannot be read, or names nobody.
    """
    columns = dict.fromkeys(frame.columns, "VARCHAR")
    marks = dict(list_mark_columns(CUSTOMERS_EXPORT, columns, AS_DECLARED))
    if not marks:
        return frame
    if "versionnumber" not in columns:
        frame = frame.with_columns(versionnumber=pl.lit(None, pl.String))
    with session() as here:
        here.register("customers_export", frame.with_row_index("place"))
        rest = f"* EXCLUDE ({DELETED})" if DELETED in columns else "*"
        select = ", ".join([rest, *build_deletion_columns(marks)])
        here.view("customers_marked", f"SELECT {select} FROM customers_export")
        doubtful = here.frame(query("plan/customers_doubtful")).item()
        if doubtful:
            raise SourceError(
                f"{count_of(doubtful, 'row')} of {CUSTOMERS_V2.name} may be deleted: the mark of "
                f"deletion ({', '.join(marks)}) cannot be read, or the row names no customer. "
                "Write true or false there, or export without deleted rows.",
                where="destination.known_customers",
            )
        return here.frame(query("plan/customers_there"))
