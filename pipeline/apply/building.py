"""The packages of a run: built in one stream here, or batch by batch by an engine."""

from __future__ import annotations

from contextlib import nullcontext

from pipeline.engine.opening import EngineSettings, start_engine
from pipeline.engine.protocol import Engine
from pipeline.events import Listener
from pipeline.load.packages.folder import write_packages, write_packages_by_parts
from pipeline.load.packages.parts import PackageKit
from pipeline.load.packages.spans import find_spans, place_files
from pipeline.load.packages.stream import stream_packages
from pipeline.project.open_run import OpenRun


def write_all_packages(run: OpenRun, today: EngineSettings, total: int, listener: Listener) -> None:
    """Write the packages of a run that are not there yet, and record them.

    Args:
        run: the run.
        today: where they are built. In this process they come by in one stream, whatever the size
            of a part.
        total: how many there will be.
        listener: called after each.
    """
    is_elsewhere = today.engine != "here" and total > 0
    with start_engine(today) if is_elsewhere else nullcontext() as engine:
        if engine is None:
            built = stream_packages(run.folder, run.project, run.facts.scm.labels)
            write_packages(run.folder, built, run.journal, total, listener)
        else:
            write_by_engine(run, engine, listener)


def write_by_engine(run: OpenRun, engine: Engine, listener: Listener) -> None:
    """Let an engine build the packages, each batch a part."""
    files = {task: place_files(run.folder.rows_files(task)) for task in run.project.templates}
    kit = PackageKit(
        settings=dict(run.facts.settings),
        labels=dict(run.facts.scm.labels),
        files=files,
        batches=tuple(span for task in files for span in find_spans(task, files[task])),
    )
    write_packages_by_parts(run.folder, kit, engine, run.journal, listener)
