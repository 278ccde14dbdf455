"""Planned rows as packages in the run folder, for somebody to import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from pipeline.apply.building import write_all_packages
from pipeline.engine.opening import EngineSettings
from pipeline.errors import InvariantBroken
from pipeline.events import Listener
from pipeline.load.packages import checklist
from pipeline.load.packages import folder as packages_folder
from pipeline.load.packages.spec import make_spec
from pipeline.project.open_run import OpenRun
from pipeline.run.files import TableWriter, hash_file, replace_file, write_table
from pipeline.run.folder import RunFolder
from pipeline.run.journal import read_journal
from schemas.run import OUTCOMES


def write_to_folder(
    run: OpenRun, today: EngineSettings, listener: Listener
) -> tuple[Mapping[str, int], Mapping[str, str]]:
    """Write the packages, their checklist, ``batches.parquet`` and ``outcomes.parquet``.

    Args:
        run: the run.
        today: where packages are built.
        listener: hears of progress.

    Returns:
        Rows by outcome; file in the run folder → SHA-256.
    """
    folder = run.folder
    planned = pl.read_parquet(folder.batches, glob=False)
    write_all_packages(run, today, planned.height, listener)
    batches = _write_batches(folder, planned)
    files = [folder.batches, folder.outcomes]
    if batches.height:
        files.append(_write_checklist(run, batches))
    counts = _write_outcomes(run)
    return counts, {path.relative_to(folder.path).as_posix(): hash_file(path) for path in files}


def _write_checklist(run: OpenRun, batches: pl.DataFrame) -> Path:
    """The packages in their order, and how to import each and record it."""
    labels: dict[str, str] = {}
    for task, mapping in run.project.mappings().items():
        entities = batches.filter(pl.col("task") == task)["legal_entity"]
        if not entities.is_empty():
            spec = make_spec(run.project, mapping, run.facts.scm.labels, entities[0], 1)
            labels[task] = spec.entity_label
    path = run.folder.packages / checklist.NAME
    text = checklist.render_checklist(run.folder.run, batches, labels)
    replace_file(path, text.encode())
    return path


def _write_batches(folder: RunFolder, planned: pl.DataFrame) -> pl.DataFrame:
    batches = packages_folder.list_packages(read_journal(folder.journal).entries)
    if batches["rows"].sum() != planned["rows"].sum():
        raise InvariantBroken(
            f"packages hold {batches['rows'].sum()} rows, planned were {planned['rows'].sum()}.",
            where=folder.run,
        )
    write_table(folder.batches, batches)
    return batches


def _write_outcomes(run: OpenRun) -> Counter[str]:
    counts: Counter[str] = Counter()
    with TableWriter(run.folder.outcomes, OUTCOMES) as writer:
        for task in run.project.templates:
            for part in packages_folder.read_written(run.folder.rows_files(task), task):
                counts.update(dict(part["outcome"].value_counts().iter_rows()))
                writer.write(part)
    return counts
