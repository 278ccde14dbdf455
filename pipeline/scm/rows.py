"""SCM's rows as plans and ``reconcile`` compare them, read over OData.

Few rows are read by their keys, many by whole legal entities, page by page.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.errors import AnswerUnreadable
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
            if not model.has(entity.odata_set, *entity.key):
                raise AnswerUnreadable(
                    f"does not name {entity.odata_set} with its key in $metadata. Check url, proxy "
                    "and network.",
                    where=scm.label,
                )
            path = into / f"{task}.parquet"
            planned = scan_arrived_rows(folder, task)
            progress = partial(_report, listener, entity.name)
            names = _share_columns(model, entity, planned.collect_schema().names())
            reader = RowReader(scm=scm, entity=entity, names=names, few=few)
            write_rows(reader, planned, path, progress)
            found[task] = pl.scan_parquet(path, glob=False)
    return found


def _report(listener: Listener, entity: str, rows: int) -> None:
    listener(Step(name=f"reading {entity} of SCM", done=rows))


def _share_columns(model: Model, entity: Entity, planned: Collection[str]) -> tuple[str, ...]:
    """The planned columns that this SCM has."""
    return tuple(
        one.name
        for one in entity.columns
        if one.name in planned and model.has(entity.odata_set, one.name)
    )


def write_rows(
    reader: RowReader, planned: pl.LazyFrame, into: Path, progress: Callable[[int], None]
) -> int:
    """Write SCM's rows of the legal entities that have planned rows.

    Args:
        reader: reads an entity's rows.
        planned: key columns, legal_entity and destination_key.
        into: the Parquet file to write: dataAreaId and the reader's columns, all as text.
        progress: called with the number of rows so far.

    Returns:
        How many rows were read.

    Raises:
        Stopped: SCM cannot be reached, or refuses.
    """
    is_small = int(planned.select(pl.len()).collect().item()) <= reader.few
    parts = reader.by_keys(planned) if is_small else reader.by_company(planned)
    done = 0
    schema = pl.Schema(dict.fromkeys([COMPANY, *reader.names], pl.String()))
    with TableWriter(into, schema) as writer:
        for part in parts:
            writer.write(part)
            done += part.height
            progress(done)
    return done


@dataclass(frozen=True, kw_only=True, slots=True)
class RowReader:
    """Reads an entity's rows; each part has dataAreaId and ``names``, as text.

    ``names`` are the entity's key columns and others. Up to ``few`` planned rows are looked up by
    their keys.
    """

    scm: Scm
    entity: Entity
    names: Sequence[str]
    few: int

    def by_keys(self, planned: pl.LazyFrame) -> Iterator[pl.DataFrame]:
        """The rows under the planned keys, one legal entity after the other."""
        keys = planned.select("legal_entity", lookup.KEY, *self.entity.key).collect()
        for (area,), rows in keys.group_by("legal_entity"):
            found = lookup.find_rows(self.scm, self.entity, self.names, rows)
            yield found.with_columns(pl.lit(area).alias(COMPANY)).select(COMPANY, *self.names)

    def by_company(self, planned: pl.LazyFrame) -> Iterator[pl.DataFrame]:
        """All rows of the legal entities that have planned rows, page by page."""
        areas = planned.select(pl.col("legal_entity").unique()).collect()["legal_entity"]
        chosen = [COMPANY, *self.names]
        for page in self.scm.pages(
            self.entity.odata_set,
            select=",".join(chosen),
            filter=build_company_filter(sorted(areas.to_list())),
        ):
            yield tabulate(page, chosen)
