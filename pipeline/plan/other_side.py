"""The other side of a plan's updates: what is known of the records that they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from pipeline.mapping.compile import CompiledTemplate
from pipeline.plan.earlier_rows import name_earlier_rows, name_task_memory
from pipeline.plan.present import keep_present
from pipeline.plan.request import Planning
from pipeline.project.systems import connect_scm
from pipeline.scm.differences import NEW, OLD
from schemas.catalogue import Column
from sql.query import SelectColumn, query
from sql.session import Session

_ROWS: Final = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """The other side of a comparison: what it is, and how many updates there are."""

    against: Literal["scm", "last load"]
    updates: int
    is_known: bool = True
    """Whether the other values of any row are there."""


def find_other_side(planning: Planning, session: Session, mapping: CompiledTemplate) -> Side | None:
    """Make what is known of the records known as ``present``; null where nothing is updated."""
    task = mapping.template.task
    settings = planning.project.settings.destination
    if planning.destination.seen is not None and settings.compare_with_scm:
        updates = int(session.frame(query("plan/count_updates")).item())
        if not updates:
            return None
        with connect_scm(planning.project) as scm:
            keep_present(planning, session, scm, mapping)
        return Side(against="scm", updates=updates)
    runs = planning.runs
    if not name_task_memory(session, runs, settings.name, task):
        return None
    counted = dict(session.frame(query("plan/updated_runs")).iter_rows())
    if not counted:
        return None
    names = [name for name in counted if name is not None]
    is_known = name_earlier_rows(session, runs, task, names)
    session.view("present", query("plan/last_sent"))
    return Side(against="last load", updates=sum(counted.values()), is_known=is_known)


def stream_pairs(session: Session, columns: Mapping[str, Column]) -> Iterator[pl.DataFrame]:
    """Both states of each row that is updated."""
    there = session.columns("present")
    text = query(
        "plan/update_pairs",
        new=[SelectColumn(name=NEW + name, of=name) for name in columns],
        old=[SelectColumn(name=OLD + name, of=name) for name in columns if name in there],
    )
    for batch in session.stream(text, _ROWS):
        yield pl.DataFrame(batch)
