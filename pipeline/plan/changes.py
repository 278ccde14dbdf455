"""What the updates of a plan change, field by field.

Planned rows are compared with what SCM has, where the plan asked SCM, else with what p2c sent there
last. Where neither is known there is nothing to compare, and nothing is done.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.mapping.compile import CompiledTemplate
from pipeline.plan.change_counts import ChangeCounts
from pipeline.plan.other_side import Side, find_other_side, stream_pairs
from pipeline.plan.request import Planning
from pipeline.run.files import TableWriter
from pipeline.run.findings import RunFinding
from pipeline.run.summary import TaskChanges
from pipeline.scm.differences import DIFFERING, find_differences
from schemas.catalogue import Column
from schemas.run import CHANGES
from sql.query import query
from sql.session import Session

_ROWS: Final = 65_536


def compare_updates(planning: Planning, session: Session) -> list[RunFinding]:
    """Write ``changes.parquet``, and count in ``planning.changes`` what it has.

    Args:
        planning: the plan; its rows are whole.
        session: where to do it.

    Returns:
        A finding for each column in which values are cleared.

    Raises:
        Stopped: SCM cannot be reached, or refuses.
    """
    with ExitStack() as stack:
        writer: TableWriter | None = None
        for task, mapping in planning.mappings.items():
            session.parquet("planned", planning.folder.rows_files(task), places=True)
            side = find_other_side(planning, session, mapping)
            if side is None:
                continue
            if writer is None:
                writer = stack.enter_context(TableWriter(planning.folder.changes, CHANGES))
            planning.changes.append(_compare_task(planning, session, mapping, side, writer))
    if writer is not None:
        planning.hashes[writer.path] = writer.sha256
    return [
        RunFinding(
            code="would_clear", detail=f"{one.cleared:,}", column=f"{task.task}.{one.column}"
        )
        for task in planning.changes
        for one in task.fields
        if one.cleared
    ]


def _compare_task(
    planning: Planning,
    session: Session,
    mapping: CompiledTemplate,
    side: Side,
    writer: TableWriter,
) -> TaskChanges:
    counts = ChangeCounts(task=mapping.template.task, against=side.against, updates=side.updates)
    scratch = planning.folder.path / "scratch" / "differing.parquet"
    if side.is_known:
        columns = {one.name: one.column for one in mapping.targets}
        counts.compared = _write_differing(session, columns, scratch)
        session.parquet("differing", scratch)
        for batch in session.stream(query("plan/changes"), _ROWS, task=counts.task):
            frame = pl.DataFrame(batch).select(CHANGES.names())
            counts.add(frame)
            writer.write(frame)
    return counts.summarize(mapping.columns)


def _write_differing(session: Session, columns: dict[str, Column], into: Path) -> int:
    """Write the fields that differ, in any order; how many rows were compared."""
    compared = 0
    with TableWriter(into, DIFFERING) as writer:
        for pairs in stream_pairs(session, columns):
            compared += pairs.height
            writer.write(find_differences(pairs, columns))
    return compared
