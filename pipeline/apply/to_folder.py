"""Planned rows as packages in the run folder, for somebody to import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial

import polars as pl

from pipeline.errors import InvariantBroken
from pipeline.events import Listener
from pipeline.load.packages import folder as packages_folder
from pipeline.load.packages.package import Package, build_packages
from pipeline.load.packages.spec import make_spec
from pipeline.project.open_run import OpenRun
from pipeline.run.files import TableWriter, hash_file, write_table
from pipeline.run.folder import RunFolder
from pipeline.run.journal import read_journal
from pipeline.run.rows import count_rows_by_batch
from schemas.run import OUTCOMES


def write_to_folder(
    run: OpenRun, listener: Listener
) -> tuple[Mapping[str, int], Mapping[str, str]]:
    """Write the packages, ``batches.parquet`` and ``outcomes.parquet``.

    Returns:
        Rows by outcome; table → SHA-256.
    """
    folder = run.folder
    planned = pl.read_parquet(folder.batches, glob=False)
    packages_folder.write_packages(folder, _build(run), run.journal, planned.height, listener)
    _write_batches(folder, planned)
    counts = _write_outcomes(run)
    return counts, {path.name: hash_file(path) for path in (folder.batches, folder.outcomes)}


def _build(run: OpenRun) -> Iterator[tuple[str, Package]]:
    project = run.project
    for task, mapping in project.mappings().items():
        spec = partial(make_spec, project, mapping, run.facts.scm.labels)
        sizes = count_rows_by_batch(run.folder, task)
        yield from (
            (task, package) for package in build_packages(run.folder.rows_files(task), spec, sizes)
        )


def _write_batches(folder: RunFolder, planned: pl.DataFrame) -> None:
    batches = packages_folder.list_packages(read_journal(folder.journal).entries)
    if batches["rows"].sum() != planned["rows"].sum():
        raise InvariantBroken(
            f"packages hold {batches['rows'].sum()} rows, planned were {planned['rows'].sum()}.",
            where=folder.run,
        )
    write_table(folder.batches, batches)


def _write_outcomes(run: OpenRun) -> Counter[str]:
    counts: Counter[str] = Counter()
    with TableWriter(run.folder.outcomes, OUTCOMES) as writer:
        for task in run.project.templates:
            for part in packages_folder.read_written(run.folder.rows_files(task), task):
                counts.update(dict(part["outcome"].value_counts().iter_rows()))
                writer.write(part)
    return counts
