"""SCM's rows as ``reconcile`` compares them, read over OData.

Few rows are read by their keys, many by whole legal entities, page by page.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.events import Listener, Step
from pipeline.run.files import TableWriter
from pipeline.run.folder import RunFolder
from pipeline.run.rows import scan_arrived_rows
from pipeline.scm import lookup
from pipeline.scm.literals import build_company_filter
from pipeline.scm.metadata import Model, read_model
from pipeline.scm.reference import COMPANY, tabulate
from pipeline.wire.scm import Scm
from schemas.catalogue import Entity

FEW: Final = 400
"""Up to so many rows, twenty keys a request cost less than a look at everything."""


def read_scm_rows(
    folder: RunFolder,
    scm: Scm,
    into: Path,
    listener: Listener,
    *,
    entities: Mapping[str, Entity],
    few: int = FEW,
) -> dict[str, pl.LazyFrame]:
    """SCM's rows by task, of the entities that a run loaded.

    They are stored below ``into`` for the time being. Of legal entities with at most ``few``
    planned rows only these are read. ``entities``: task → what the run filled.

    Raises:
        Stopped: SCM cannot be reached, or refuses.
    """
    model = read_model(scm.metadata(), scm.label)
    found = {}
    for task, entity in entities.items():
        if folder.rows_files(task):
            path = into / f"{task}.parquet"
            planned = scan_arrived_rows(folder, task)
            progress = partial(_report, listener, entity.name)
            reader = _Reader(scm=scm, model=model, entity=entity, few=few)
            _write_rows(reader, planned, path, progress)
            found[task] = pl.scan_parquet(path, glob=False)
    return found


def _report(listener: Listener, entity: str, rows: int) -> None:
    listener(Step(name=f"reading {entity} of SCM", done=rows))


def _write_rows(
    reader: _Reader, planned: pl.LazyFrame, into: Path, progress: Callable[[int], None]
) -> int:
    """Write SCM's rows of the legal entities that have planned rows.

    Args:
        reader: reads an entity's rows.
        planned: destination columns, legal_entity and destination_key.
        into: the Parquet file to write: dataAreaId, keys, and planned columns that SCM has, all as
            text.
        progress: called with the number of rows so far.

    Returns:
        How many rows were read.

    Raises:
        Stopped: SCM cannot be reached, or refuses.
    """
    names = reader.shared_columns(planned.collect_schema().names())
    is_small = int(planned.select(pl.len()).collect().item()) <= reader.few
    parts = reader.by_keys(planned, names) if is_small else reader.by_company(planned, names)
    done = 0
    with TableWriter(into, pl.Schema(dict.fromkeys([COMPANY, *names], pl.String()))) as writer:
        for part in parts:
            writer.write(part)
            done += part.height
            progress(done)
    return done


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reader:
    """Reads an entity's rows; each part has dataAreaId and the columns, as text."""

    scm: Scm
    model: Model
    entity: Entity
    few: int

    def shared_columns(self, planned: Collection[str]) -> list[str]:
        """The planned columns that this SCM has."""
        return [
            one.name
            for one in self.entity.columns
            if one.name in planned and self.model.has(self.entity.odata_set, one.name)
        ]

    def by_keys(self, planned: pl.LazyFrame, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The rows under the planned keys, one legal entity after the other."""
        keys = planned.select("legal_entity", lookup.KEY, *self.entity.key).collect()
        for (area,), rows in keys.group_by("legal_entity"):
            found = lookup.find_rows(self.scm, self.entity, names, rows)
            yield found.with_columns(pl.lit(area).alias(COMPANY)).select(COMPANY, *names)

    def by_company(self, planned: pl.LazyFrame, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        """All rows of the legal entities that have planned rows, page by page."""
        areas = planned.select(pl.col("legal_entity").unique()).collect()["legal_entity"]
        chosen = [COMPANY, *names]
        for page in self.scm.pages(
            self.entity.odata_set,
            select=",".join(chosen),
            filter=build_company_filter(sorted(areas.to_list())),
        ):
            yield tabulate(page, chosen)
