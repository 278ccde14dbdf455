"""What a plan says, as values that can be compared."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.run.folder import RunFolder


def plan_again(
    project: Path, runs: Path, request: PlanRequest, *assignments: str
) -> dict[str, object]:
    """A plan made now, without what tells it from another one: see ``take_plan``."""
    flags = Flags(project=project, runs=runs, assignments=assignments)
    made = plan_contacts(flags, request, report_nothing, None)
    return take_plan(RunFolder(Path(str(made.folder))))


def take_plan(run: RunFolder) -> dict[str, object]:
    """Its tables in file order, with their types, and its summary without names of its own."""
    tables = {
        path.stem: path
        for path in (run.decisions, run.findings, run.batches, run.outcomes, run.changes)
        if path.is_file()
    }
    frames = {name: pl.read_parquet(path) for name, path in tables.items()}
    for task in sorted(path.name for path in (run.path / "rows").iterdir()):
        frames[task] = pl.concat([pl.read_parquet(path) for path in run.rows_files(task)])
    summary = run.read_summary().as_json()
    own = {"run", "journal"}
    return {
        **{name: (frame.schema, frame.rows()) for name, frame in frames.items()},
        "summary": {key: value for key, value in summary.items() if key not in own},
        "folder": sorted(path.name for path in run.path.iterdir()),
    }
