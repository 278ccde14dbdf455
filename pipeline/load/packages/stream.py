"""The packages of a run in one stream, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from pipeline.flow.threads import WorkerThreads
from pipeline.load.packages.package import Package, build_packages
from pipeline.load.packages.spec import make_spec
from pipeline.project.resolve import Project
from pipeline.run.folder import RunFolder
from pipeline.run.rows import count_rows_by_batch

_THREADS: Final = 2


def stream_packages(
    folder: RunFolder, project: Project, labels: Mapping[str, str | None]
) -> Iterator[tuple[str, Package]]:
    """Task and package, in the order of the batches.

    Args:
        folder: has the planned rows.
        project: how the run was planned.
        labels: what SCM calls the entities.

    Raises:
        InvariantBroken: the rows of a batch are more or fewer than planned.
        Stopped: the disk failed.
    """
    with WorkerThreads(_THREADS) as pool:
        for task, mapping in project.mappings().items():
            spec = partial(make_spec, project, mapping, labels)
            sizes = count_rows_by_batch(folder, task)
            for package in build_packages(folder.rows_files(task), spec, sizes, pool=pool):
                yield task, package
