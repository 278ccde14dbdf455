"""Landed tables as SQL reads them, with file and line of each row."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pipeline.extract.landing import LandedTable
from sql.query import SelectColumn, query
from sql.session import Session


def view_landed(session: Session, table: LandedTable, words: Sequence[str] = ()) -> None:
    """Name a landed table ``<table>_landed``.

    It has its canonical columns and ``source_row``, ``source_file`` and ``source_line``. Cells that
    are nothing but one of ``words`` are blank.
    """
    view = f"{table.table}_landed"
    if not words:
        _view_as_written(session, table, view)
        return
    written = f"{table.table}_written"
    _view_as_written(session, table, written)
    texts = [
        name
        for name, physical in session.columns(written).items()
        if physical == "VARCHAR" and name in table.columns
    ]
    text = query("extract/landed_without_words", written=written, texts=texts)
    session.view(view, text, words=words, texts=texts)


def _view_as_written(session: Session, table: LandedTable, view: str) -> None:
    files = f"{table.table}_files"
    session.parquet(files, table.files, places=True)
    columns = [SelectColumn(name=name, of=physical) for name, physical in table.columns.items()]
    names = [one.name for one in table.sources]
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
