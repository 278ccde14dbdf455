"""Keys that were loaded earlier and that no contact of the source has any more.

Their contacts are gone, are marked as deleted, or have another number. p2c deletes nothing: it
lists them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from pipeline.plan.earlier_rows import name_earlier_rows, name_task_memory
from pipeline.plan.request import Planning
from pipeline.run.findings import RunFinding
from pipeline.run.memory import find_memory_folder
from pipeline.show.spreadsheet import write_csv
from sql.query import query
from sql.session import Session

_ROWS: Final = 65_536


def find_gone(planning: Planning, session: Session, *, all_read: bool) -> list[RunFinding]:
    """Compare what was loaded with the contacts of the source, and list what nobody has.

    A plan of some contacts compares nothing: the others are not gone.

    Args:
        planning: the plan; its decisions are whole. It gets the list, ``no_longer_in_source.csv``.
        session: knows ``contacts`` and ``marks``.
        all_read: whether every row of contacts could be read.
    """
    runs = planning.runs
    memory = find_memory_folder(runs, planning.project.settings.destination.name)
    if _is_partial(planning) or not any(memory.glob("*.parquet")):
        return []
    session.parquet("decisions", planning.folder.decisions)
    parts = _list_gone(planning, session, all_read=all_read)
    first = next(parts, None)
    if first is None:
        return []
    count = write_csv(planning.folder.gone, _chain(first, parts), visible=True)
    return [RunFinding(code="no_longer_in_source", detail=f"{count:,}")]


def _is_partial(planning: Planning) -> bool:
    request, source = planning.request, planning.project.settings.source
    chosen = (request.limit, request.only, request.retry_of, source.filter)
    return any(one is not None for one in chosen)


def _list_gone(planning: Planning, session: Session, *, all_read: bool) -> Iterator[pl.DataFrame]:
    """The list, task by task."""
    runs = planning.runs
    destination = planning.project.settings.destination.name
    for task in planning.mappings:
        if not name_task_memory(session, runs, destination, task):
            continue
        session.store("gone", query("plan/gone"))
        names = session.frame(query("plan/gone_runs"))["run"].to_list()
        if names:
            name_earlier_rows(session, runs, task, names)
            text = query("plan/gone_listed")
            for batch in session.stream(text, _ROWS, task=task, all_read=all_read):
                yield pl.DataFrame(batch)
        session.drop("gone")


def _chain(first: pl.DataFrame, others: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    yield first
    yield from others
