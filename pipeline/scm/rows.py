"""SCM's rows as ``reconcile`` compares them, read over OData.

Under few keys, or whole legal entities page by page.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.events import Listener, Step
from pipeline.mapping.template import entities_by_task
from pipeline.run.files import TableWriter
from pipeline.run.folder import RunFolder
from pipeline.run.rows import rows_that_arrived
from pipeline.scm import lookup
from pipeline.scm.literals import company_filter
from pipeline.scm.metadata import Model, read_model
from pipeline.scm.reference import COMPANY, rows_of
from pipeline.wire.scm import Scm
from schemas.catalogue import Entity

FEW: Final = 400
"""Up to so many rows twenty keys a request cost less than a look at everything."""


def from_scm(
    folder: RunFolder, scm: Scm, into: Path, listener: Listener, *, few: int = FEW
) -> dict[str, pl.LazyFrame]:
    """SCM's rows by task, of the entities that a run loaded.

    They are kept below ``into`` meanwhile. Of legal entities with at most ``few`` planned rows
    only these are read.

    Raises:
        Stopped: SCM cannot be reached, or refuses.
    """
    model = read_model(scm.metadata(), scm.label)
    found = {}
    for task, entity in entities_by_task().items():
        if folder.rows_files(task):
            path = into / f"{task}.parquet"
            told = partial(_tell, listener, entity.name)
            _read_rows(scm, model, entity, rows_that_arrived(folder, task), path, told, few)
            found[task] = pl.scan_parquet(path, glob=False)
    return found


def _tell(listener: Listener, entity: str, rows: int) -> None:
    listener(Step(name=f"reading {entity} of SCM", done=rows))


def _read_rows(
    scm: Scm,
    model: Model,
    entity: Entity,
    planned: pl.LazyFrame,
    into: Path,
    progress: Callable[[int], None],
    few: int,
) -> int:
    """Write SCM's rows of the legal entities that planned rows are of: dataAreaId, keys, and planned columns that SCM has.

    Args:
        scm: where to read.
        model: its ``$metadata``.
        entity: which rows.
        planned: destination columns, legal_entity and destination_key.
        into: the Parquet file to write, all columns as text.
        progress: hears how many rows there are so far.
        few: up to so many planned rows are read by their keys.

    Returns:
        How many rows were read.

    Raises:
        Stopped: SCM cannot be reached, or refuses.
    """
    known = planned.collect_schema().names()
    columns = [
        one.name
        for one in entity.columns
        if one.name in known and model.has(entity.odata_set, one.name)
    ]
    schema = pl.Schema(dict.fromkeys([COMPANY, *columns], pl.String()))
    areas = sorted(
        planned.select(pl.col("legal_entity").unique()).collect()["legal_entity"].to_list()
    )
    count = int(planned.select(pl.len()).collect().item())
    done = 0
    with TableWriter(into, schema) as writer:
        if count <= few:
            for (area,), rows in (
                planned.select("legal_entity", lookup.KEY, *entity.key)
                .collect()
                .group_by("legal_entity")
            ):
                found = lookup.found(scm, entity, columns, rows).with_columns(
                    pl.lit(area).alias(COMPANY)
                )
                writer.write(found.select(schema.names()))
                done += found.height
                progress(done)
            return done
        for page in scm.pages(
            entity.odata_set, select=",".join(schema), filter=company_filter(areas)
        ):
            writer.write(rows_of(page, schema))
            done += len(page)
            progress(done)
    return done
