"""The first pass: what the driver must see of all contacts at once, hashed part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import polars as pl

from pipeline.engine.protocol import Work
from pipeline.plan.parts.kit import PartSource, read_source
from pipeline.run.handed import PartModel, name_attempt
from sql.query import query
from sql.session import Session

ACTIVE: Final = "active.parquet"
"""In the folder: contacts that documents name."""


class PartKeys(PartModel):
    """The file of one part's keys, in the folder."""

    file: str


class KeysWork(Work[PartKeys]):
    """Part → its rows of ``hashes`` (``sql/plan/hashes.sql``), in source order."""

    source: Path
    room: Literal["plan", "backfill"] = "plan"
    """Whose ``hashes``: a backfill does not ask who has documents."""

    @contextmanager
    def open(self) -> Iterator[Callable[[int], PartKeys]]:
        """What writes the keys of a part."""
        source = read_source(self.source)
        with source.open() as here:
            if self.room == "plan":
                here.parquet("active", source.folder / ACTIVE)
            yield lambda part: _write_keys(here, source, self.room, part)

    def read(self, answer: str) -> PartKeys:
        """An answer out of its JSON."""
        return PartKeys.model_validate_json(answer)


def _write_keys(here: Session, source: PartSource, room: str, part: int) -> PartKeys:
    path = name_attempt(source.folder, "keys", part)
    source.choose(here, part)
    if room == "plan":
        here.store("activity", query("plan/parts/active_here"))
    here.store("hashes", query(f"{room}/hashes"))
    here.copy(query("plan/parts/keys"), path)
    return PartKeys(file=path.name)


def read_marks(path: Path, *, has_documents: bool) -> pl.DataFrame:
    """Of each row of a part, in source order: contactid_invalid, has_activity."""
    marks = pl.read_parquet(path, columns=["contactid_invalid", "has_activity"], glob=False)
    if has_documents:
        return marks
    return marks.with_columns(has_activity=pl.lit(None, pl.Boolean))
