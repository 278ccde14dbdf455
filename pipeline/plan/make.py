"""Making a plan: landed tables → decisions, findings, planned rows, forecast.

It writes nothing but its own run folder.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from pipeline.engine.opening import start_engine
from pipeline.engine.protocol import Engine
from pipeline.events import Listener
from pipeline.plan.destination import look_at, mend_memory
from pipeline.plan.finish import finish_plan
from pipeline.plan.record import collect_hashes, hash_sources, make_first_facts
from pipeline.plan.recording import record_decisions
from pipeline.plan.request import Planning, PlanRequest
from pipeline.plan.sessions import open_sessions
from pipeline.plan.source import land_source
from pipeline.project.resolve import Project
from pipeline.run.folder import Clock, RunFolder, build_run, make_run_id


def make_plan(
    project: Project,
    request: PlanRequest,
    runs: Path,
    clock: Clock,
    listener: Listener,
    *,
    engine: AbstractContextManager[Engine] | None = None,
) -> RunFolder:
    """Plan a run; ``engine`` decides about contacts instead of the one that the settings name.

    Returns:
        The run folder, whole.

    Raises:
        Refused: project, template or source are wrong, or a load into this destination has not
            ended; nothing was written.
        Stopped: the disk, the engine or another part of the world failed.
    """
    run = make_run_id(clock, runs)
    facts = make_first_facts(project, request, request.kind, run, clock())
    settings = project.settings.run
    with (
        build_run(runs, facts) as folder,
        engine or start_engine(settings) as started,
    ):
        planning = Planning(
            project=project, request=request, folder=folder, listener=listener, engine=started
        )
        planning.destination = look_at(project, folder.path, runs, listener)
        if planning.destination.live is not None:
            planning.project = project = planning.destination.live.project
        planning.mappings = project.mappings()
        mend_memory(runs, project)
        own = () if request.only is None else (request.only,)
        planning.source = land_source(
            project, folder, runs, listener, changes=request.changes, own=own
        )
        landed = planning.source.landed
        with hash_sources(landed) as hashes:
            with open_sessions(planning) as (main, hasher):
                decided = record_decisions(planning, main, hasher)
            sources = collect_hashes(hashes, landed)
        finish_plan(planning, facts, decided, sources, clock)
    return RunFolder(runs / run)
