"""Landed tables as SQL reads them, with file and line of each row."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pipeline.extract.landing import LandedTable
from sql.query import SelectColumn, identifier, query
from sql.session import Session


def view_landed(
    session: Session,
    table: LandedTable,
    words: Sequence[str] = (),
    stretch: range | None = None,
) -> None:
    """Name a landed table ``<table>_landed``.

    It has its canonical columns and ``source_row``, ``source_file`` and ``source_line``. Cells that
    are nothing but one of ``words`` are blank. Of a ``stretch`` of its rows (``source_row``) no
    others are read.
    """
    view = f"{table.table}_landed"
    if not words:
        _view_as_written(session, table, view, stretch)
        return
    written = f"{table.table}_written"
    _view_as_written(session, table, written, stretch)
    texts = [
        name
        for name, physical in session.columns(written).items()
        if physical == "VARCHAR" and name in table.columns
    ]
    text = query("extract/landed_without_words", written=written, texts=texts)
    session.view(view, text, words=words, texts=texts)


def _view_as_written(
    session: Session, table: LandedTable, view: str, stretch: range | None
) -> None:
    if stretch is None:
        _view_whole(session, table, view)
        return
    if not table.in_place:
        whole = f"{view}_whole"
        _view_whole(session, table, whole)
        _view_stretch(session, whole, view, stretch)
        return
    starts = _sum_rows_before(table)
    met = [
        place
        for place, start in enumerate(starts)
        if start < stretch.stop and stretch.start < start + table.sources[place].rows
    ]
    parts = []
    for places in _group_places(table, starts, met, stretch):
        part = f"{view}_{places[0]}"
        _view_in_place(session, table, part, places)
        parts.append(part)
        if len(places) == 1:
            parts[-1] = f"{part}_stretch"
            _view_stretch(session, part, parts[-1], stretch)
    session.view(view, " UNION ALL ".join(f"FROM {identifier(part)}" for part in parts))


def _group_places(
    table: LandedTable, starts: Sequence[int], met: Sequence[int], stretch: range
) -> list[list[int]]:
    """Files of a stretch: those that are in it as a whole together, the others by themselves."""
    groups: list[list[int]] = []
    was_whole = False
    for place in met or [0]:
        end = starts[place] + table.sources[place].rows
        is_whole = stretch.start <= starts[place] and end <= stretch.stop
        if is_whole and was_whole:
            groups[-1].append(place)
        else:
            groups.append([place])
        was_whole = is_whole
    return groups


def _view_stretch(session: Session, rows: str, view: str, stretch: range) -> None:
    text = query("extract/stretch", rows=rows)
    session.view(view, text, first=stretch.start, end=stretch.stop)


def _view_whole(session: Session, table: LandedTable, view: str) -> None:
    if table.in_place:
        _view_in_place(session, table, view, range(len(table.files)))
        return
    files = f"{table.table}_files"
    session.parquet(files, table.files, places=True)
    session.view(view, query("extract/landed", files=files, columns=_list_columns(table)))


def _view_in_place(session: Session, table: LandedTable, view: str, places: Sequence[int]) -> None:
    """Some of a table's files, one after the other."""
    files, starts = f"{view}_files", _sum_rows_before(table)
    paths = [table.files[place] for place in places]
    names = [table.sources[place].name for place in places]
    session.parquet(files, paths, places=True)
    if len(places) == 1:
        text = query("extract/landed_in_place", files=files, columns=_list_columns(table))
        session.view(view, text, name=names[0], start=starts[places[0]])
        return
    text = query("extract/landed_in_parts", files=files, columns=_list_columns(table))
    before = [starts[place] for place in places]
    session.view(view, text, paths=[str(path) for path in paths], names=names, starts=before)


def _list_columns(table: LandedTable) -> list[SelectColumn]:
    return [
        SelectColumn(
            name=name, of=physical, macro="without_fraction" if name in table.fractions else ""
        )
        for name, physical in table.columns.items()
    ]


def _sum_rows_before(table: LandedTable) -> list[int]:
    """How many rows come before each file of a table."""
    return list(itertools.accumulate((one.rows for one in table.sources[:-1]), initial=0))
