"""Customers in exports of SCM, kept without those that replicas mark as deleted there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.errors import SourceError, count_of, during
from pipeline.plan.deletion import DELETED, MarkColumn, build_deletion_columns
from pipeline.plan.reading import AS_DECLARED, list_mark_columns
from pipeline.run.files import TableWriter
from schemas.scm import CUSTOMERS_EXPORT, CUSTOMERS_V2
from schemas.text import key_of
from sql.query import query
from sql.session import session

_AREA: Final = "dataAreaId"
_COLUMNS: Final = ("CustomerAccount", "PartyNumber", _AREA)
_MEMORY: Final = "256MB"


def list_entities_without(customers: Path, entities: Sequence[str]) -> list[str]:
    """The legal entities of which a table of customers has none.

    A customer that names no legal entity counts for every one.
    """
    area = key_of(pl.col(_AREA)).unique()
    rows = pl.scan_parquet(customers, glob=False).select(area)
    there = rows.collect(engine="streaming")[_AREA].to_list()
    return [] if None in there else [one for one in entities if one.upper() not in there]


def keep_customers(rows: pl.LazyFrame, path: Path, scratch: Path) -> None:
    """Write the customers that are there, if the export says who is deleted, else all.

    Args:
        rows: the export, as text; it may lack columns.
        path: the file: CustomerAccount, PartyNumber and dataAreaId.
        scratch: a folder for what does not fit in memory.

    Raises:
        SourceError: a mark of deletion cannot be read, or names nobody.
        Stopped: the disk failed, or is full.
    """
    there = rows.collect_schema().names()
    missing = [pl.lit(None, pl.String).alias(name) for name in _COLUMNS if name not in there]
    rows, columns = rows.with_columns(missing), dict.fromkeys([*there, *_COLUMNS], "VARCHAR")
    marks = dict(list_mark_columns(CUSTOMERS_EXPORT, columns, AS_DECLARED))
    with during("reading destination.known_customers"):
        if marks:
            rows = _drop_deleted(rows, columns, marks, scratch)
        with TableWriter(path, pl.Schema(dict.fromkeys(_COLUMNS, pl.String()))) as writer:
            for frame in rows.select(_COLUMNS).collect_batches(maintain_order=True):
                writer.write(frame)


def _drop_deleted(
    rows: pl.LazyFrame, columns: Mapping[str, str], marks: Mapping[str, MarkColumn], scratch: Path
) -> pl.LazyFrame:
    if "versionnumber" not in columns:
        rows = rows.with_columns(versionnumber=pl.lit(None, pl.String))
    export, kept = scratch / "customers_export.parquet", scratch / "customers_there.parquet"
    rows.with_row_index("place").sink_parquet(export)
    with session(memory=_MEMORY, scratch=scratch) as here:
        here.parquet("customers_export", export)
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
        here.copy(query("plan/customers_there"), kept)
    return pl.scan_parquet(kept, glob=False)
