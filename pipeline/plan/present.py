"""What SCM has under the keys that a plan updates, kept in the run folder.

Updates are compared with it, and an undo writes it back.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from pipeline.events import Step
from pipeline.lazy import import_lazily
from pipeline.mapping.compile import CompiledTemplate
from pipeline.plan.request import Planning
from pipeline.run.files import TableWriter
from pipeline.transform.decide import CUSTOMERS
from sql.query import query
from sql.session import Session

if TYPE_CHECKING:
    from pipeline.scm import rows
    from pipeline.wire.scm import Scm
else:
    rows = import_lazily("pipeline.scm.rows")

_ROWS: Final = 65_536
_SHARE: Final = 12
"""A key costs a twentieth of a small request, a row of a page of ten thousand much less: below one
in so many of all records, keys are cheaper."""


def keep_present(planning: Planning, session: Session, scm: Scm, mapping: CompiledTemplate) -> None:
    """Write ``present/<task>.parquet``: destination_key and the mapped columns, as text.

    Few keys are looked up. Of many, all records of their legal entities are read, page by page, and
    those of other keys are left out.

    Args:
        planning: the plan; its rows are whole. It gets the hash of the file.
        session: knows the task's rows as ``planned``; it gets to know the file as ``present``.
        scm: where to look.
        mapping: the task's mapping.

    Raises:
        Stopped: SCM cannot be reached, or refuses.
    """
    entity, task = mapping.entity, mapping.template.task
    names = tuple(dict.fromkeys([*entity.key, *mapping.columns]))
    files = planning.folder.rows_files(task)
    planned = pl.scan_parquet(files, glob=False).filter(pl.col("action") == "update")
    path = planning.folder.present(task)
    read = path.with_name(f"{task}-read.parquet")
    few = max(rows.FEW, _count_records(planning, task) // _SHARE)
    reader = rows.RowReader(scm=scm, entity=entity, names=names, few=few)
    try:
        rows.write_rows(reader, planned, read, partial(_report, planning, entity.name))
        session.parquet("scm_rows", read, places=True)
        text = query("plan/present", key=entity.key, columns=names)
        planning.hashes[path] = _write(session, text, path, names)
    finally:
        read.unlink(missing_ok=True)
    session.parquet("present", path)


def _report(planning: Planning, entity: str, rows: int) -> None:
    planning.listener(Step(name=f"reading {entity} that are updated", done=rows))


def _count_records(planning: Planning, task: str) -> int:
    """How many records of the entity SCM has."""
    seen = planning.destination.seen
    if seen is None:
        return 0
    return seen.customer_count if task == CUSTOMERS else seen.person_count


def _write(session: Session, text: str, path: Path, names: tuple[str, ...]) -> str:
    schema = pl.Schema(dict.fromkeys(["destination_key", *names], pl.String()))
    with TableWriter(path, schema) as writer:
        for batch in session.stream(text, _ROWS):
            writer.write(pl.DataFrame(batch))
    return writer.sha256
