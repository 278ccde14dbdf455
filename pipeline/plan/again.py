"""A plan made again from its run folder: no system is asked, nothing is sent.

All that decided comes from the folder: settings, landed tables, what SCM had, what earlier loads
had left. Only Parquet that was read where it lies is read there again.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from pipeline.engine.opening import start_engine
from pipeline.errors import during
from pipeline.events import Listener
from pipeline.plan.batches import write_batches
from pipeline.plan.recording import record_again
from pipeline.plan.request import Planning, PlanRequest
from pipeline.plan.restore import restore_destination, restore_memory, restore_source
from pipeline.plan.sessions import open_sessions
from pipeline.project.resolve import Project
from pipeline.run.facts import RunFacts
from pipeline.run.folder import RunFolder


def make_again(
    found: RunFolder, facts: RunFacts, project: Project, place: Path, listener: Listener
) -> RunFolder:
    """Decide about all contacts of a run again.

    Args:
        found: the run; it is only read, and nothing of it is lost (``list_lost``).
        facts: its ``run.json``.
        project: as the run recorded it.
        place: an empty folder.
        listener: hears of progress.

    Returns:
        A folder with decisions, findings and planned rows, and no records of a run.
    """
    again = RunFolder(place / found.run)
    with during("preparing the replay"):
        again.path.mkdir()
    request = PlanRequest(
        limit=facts.request.limit,
        only=found.only if found.only.is_file() else None,
        full=facts.request.full,
        take_over=facts.request.take_over,
        command="replay",
        retry_of=facts.retry_of,
    )
    project = _use_this_machine(project)
    with start_engine(project.settings.run) as engine:
        planning = Planning(
            project=project,
            request=request,
            folder=again,
            listener=listener,
            home=restore_memory(found, facts, place),
            mappings=project.mappings(),
            engine=engine,
            destination=restore_destination(found, facts),
            source=restore_source(found, facts),
        )
        with open_sessions(planning) as (main, hasher):
            decider = record_again(planning, main, hasher)
        write_batches(again, decider.batcher.sizes)
    return again


def _use_this_machine(project: Project) -> Project:
    """The project without the engine that a cluster needs."""
    run = project.settings.run.model_copy(update={"engine": "here"})
    return dataclasses.replace(project, settings=project.settings.model_copy(update={"run": run}))
