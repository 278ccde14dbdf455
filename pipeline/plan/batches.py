"""The batches that apply will send, and outcomes that are known already, as tables."""

from __future__ import annotations

import polars as pl

from pipeline.project.resolve import Project
from pipeline.run.files import write_table
from pipeline.run.folder import RunFolder
from pipeline.transform.tally import Tally
from schemas.run import BATCHES, OUTCOMES


def write_batches(folder: RunFolder, project: Project, tally: Tally) -> None:
    """Write ``batches.parquet`` and an empty ``outcomes.parquet``.

    Unchanged rows are in no batch.
    """
    size = project.settings.destination.batch_rows
    sent: dict[tuple[str, str], int] = {}
    for (task, entity, action), count in sorted(tally.actions.items()):
        sent[task, entity] = sent.get((task, entity), 0) + (count if action != "unchanged" else 0)
    rows = [
        {
            "task": task,
            "legal_entity": entity,
            "batch": batch,
            "rows": min(size, count - (batch - 1) * size),
            "status": "planned",
        }
        for (task, entity), count in sent.items()
        for batch in range(1, -(-count // size) + 1)
    ]
    whole = [{**dict.fromkeys(BATCHES.names()), **row} for row in rows]
    write_table(folder.outcomes, OUTCOMES.to_frame())
    write_table(folder.batches, pl.DataFrame(whole, schema=BATCHES))
