"""What came back of the parts of a backfill, in the order of the source."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import polars as pl

from pipeline.backfill.morsels import BackfillTally
from pipeline.backfill.parts.decide import BackfillWork, PartBackfill
from pipeline.engine.protocol import Engine
from pipeline.plan.parts.writing import read_groups
from schemas.run import BACKFILL, FINDINGS

DecidedParts = Generator[tuple[pl.DataFrame, pl.DataFrame]]


def gather_backfill(engine: Engine, kit: Path, parts: range, tally: BackfillTally) -> DecidedParts:
    """The last pass: rows and findings as they come; ``tally`` gets the counts."""
    for one in engine.map(BackfillWork(kit=kit), parts):
        for name in ("states", "actions", "findings"):
            getattr(tally, name).update(getattr(one, name))
        yield from _read_files(kit.parent, one)


def _read_files(folder: Path, one: PartBackfill) -> DecidedParts:
    for rows in read_groups(folder / one.rows):
        yield rows, FINDINGS.to_frame()
    for found in read_groups(folder / one.found):
        yield BACKFILL.to_frame(), found
    for name in (one.rows, one.found):
        (folder / name).unlink()
