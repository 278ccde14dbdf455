"""Landed tables as SQL reads them, with file and line of each row."""

from __future__ import annotations

import itertools

from pipeline.extract.landing import LandedTable
from sql.query import SelectColumn, query
from sql.session import Session


def view_landed(session: Session, table: LandedTable) -> None:
    """Name a landed table ``<table>_landed``.

    It has its canonical columns and ``source_row``, ``source_file`` and ``source_line``.
    """
    files = f"{table.table}_files"
    session.parquet(files, table.files, places=True)
    columns = [SelectColumn(name=name, of=physical) for name, physical in table.columns.items()]
    names = [one.name for one in table.sources]
    view = f"{table.table}_landed"
    if not table.in_place:
        session.view(view, query("extract/landed", files=files, columns=columns))
    elif len(names) == 1:
        text = query("extract/landed_in_place", files=files, columns=columns)
        session.view(view, text, name=names[0])
    else:
        text = query("extract/landed_in_parts", files=files, columns=columns)
        paths = [str(path) for path in table.files]
        session.view(view, text, paths=paths, names=names, starts=_sum_rows_before(table))


def _sum_rows_before(table: LandedTable) -> list[int]:
    """How many rows come before each file of a table."""
    return list(itertools.accumulate((one.rows for one in table.sources[:-1]), initial=0))
