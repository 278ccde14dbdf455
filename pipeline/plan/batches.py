"""The batches that apply will send, and outcomes that are known already, as tables."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.run.files import write_table
from pipeline.run.folder import RunFolder
from schemas.run import BATCHES, OUTCOMES


def write_batches(folder: RunFolder, sizes: Mapping[tuple[str, str, int], int]) -> None:
    """Write ``batches.parquet`` and an empty ``outcomes.parquet``.

    Args:
        folder: the run.
        sizes: rows by task, legal entity and batch. Unchanged rows are in no batch.
    """
    rows = [
        {
            **dict.fromkeys(BATCHES.names()),
            "task": task,
            "legal_entity": entity,
            "batch": batch,
            "rows": count,
            "status": "planned",
        }
        for (task, entity, batch), count in sorted(sizes.items())
    ]
    write_table(folder.outcomes, OUTCOMES.to_frame())
    write_table(folder.batches, pl.DataFrame(rows, schema=BATCHES))
