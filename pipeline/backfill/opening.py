"""The way in which contacts of a backfill are decided about: the one that the settings ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.backfill.parts.passes import PartedBackfill
from pipeline.backfill.ways import BackfillWay, StreamedBackfill
from pipeline.plan.request import Planning
from pipeline.plan.sessions import make_hasher
from pipeline.run.handed import open_parts
from sql.session import Session


@contextmanager
def open_backfill(planning: Planning, main: Session, hasher: Session) -> Iterator[BackfillWay]:
    """One stream in this process, or the passes of an engine, whose files are gone afterwards."""
    if planning.engine is None:
        yield StreamedBackfill(planning, main, make_hasher(hasher))
        return
    with open_parts(planning.folder.parts):
        yield PartedBackfill(planning, planning.engine, main)
