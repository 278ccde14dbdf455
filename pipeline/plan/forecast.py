"""What applying a plan will cost: requests, bytes, minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import polars as pl

from pipeline.load.packages.package import measure_package
from pipeline.load.packages.spec import make_spec
from pipeline.mapping.compile import CompiledTemplate
from pipeline.project.resolve import Project
from pipeline.run.folder import RunFolder
from pipeline.run.summary import Forecast
from pipeline.transform.tally import Tally

RATE: Final = 200_000 / 3600
"""Rows per second that a plan reckons with: the design point of Microsoft's batch data API, for
want of a measurement."""
_RATE_FROM: Final = (
    "assumed: design point of the DMF batch API, 200,000 rows an hour; never measured at your "
    "destination"
)
_SAMPLE: Final = 2_000


def forecast_cost(
    project: Project, folder: RunFolder, tally: Tally, mappings: Mapping[str, CompiledTemplate]
) -> Forecast:
    """What applying will cost.

    Bytes are reckoned from packages of the first rows; the rate is stated with its source.
    """
    sent = dict.fromkeys(mappings, 0)
    for (task, _, action), count in tally.actions.items():
        sent[task] += 0 if action == "unchanged" else count
    size = sum(
        _estimate_bytes(project, folder, task, mappings[task], count)
        for task, count in sent.items()
    )
    rows = sum(sent.values())
    return Forecast(
        requests=_count_requests(project, tally),
        bytes=size,
        minutes=round(rows / RATE / 60, 1),
        rate=round(RATE, 1),
        rate_from=_RATE_FROM,
    )


def _estimate_bytes(
    project: Project, folder: RunFolder, task: str, mapping: CompiledTemplate, rows: int
) -> int:
    files = folder.rows_files(task)
    if not rows or not files:
        return 0
    planned, sent = pl.scan_parquet(files, glob=False), pl.col("batch").is_not_null()
    head = planned.head(_SAMPLE).filter(sent).collect()
    if head.height < _SAMPLE:
        head = planned.filter(sent).head(_SAMPLE).collect()
    if head.is_empty():
        return 0
    if project.settings.destination.load == "odata":
        there = len(head.select(mapping.columns).write_ndjson().encode())
    else:
        spec = make_spec(project, mapping, {}, str(head["legal_entity"][0]), 1)
        there = measure_package(spec, head)
    return round(there * rows / head.height)


def _count_requests(project: Project, tally: Tally) -> int:
    """Requests of an OData load; those of packages depend on how long SCM takes."""
    destination = project.settings.destination
    sent: Counter[tuple[str, str]] = Counter()
    for (task, entity, action), count in tally.actions.items():
        sent[task, entity] += 0 if action == "unchanged" else count
    limit = {"odata": None, "auto": destination.auto_rows}.get(destination.load, 0)
    return sum(
        -(-count // destination.odata_rows)
        for count in sent.values()
        if limit is None or count <= limit
    )
