"""Making a plan: landed tables → decisions, findings, planned rows, forecast.

It writes nothing but its own run folder.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.events import Listener
from pipeline.plan.batches import write_batches
from pipeline.plan.destination import look_at, mend_memory
from pipeline.plan.record import (
    collect_hashes,
    complete_facts,
    hash_sources,
    make_first_facts,
)
from pipeline.plan.recording import record_decisions
from pipeline.plan.request import Planning, PlanRequest
from pipeline.plan.sessions import open_sessions
from pipeline.plan.source import land_source
from pipeline.plan.summary import PlanCounts, summarize_plan
from pipeline.project.resolve import Project
from pipeline.run.folder import Clock, RunFolder, build_run, make_run_id
from pipeline.run.vouching import write_plan


def make_plan(
    project: Project, request: PlanRequest, runs: Path, clock: Clock, listener: Listener
) -> RunFolder:
    """Plan a run.

    Returns:
        The run folder, whole.

    Raises:
        Refused: project, template or source are wrong, or a load into this destination has not
            ended; nothing was written.
        Stopped: the disk or another part of the world failed.
    """
    run = make_run_id(clock, runs)
    facts = make_first_facts(project, request, request.kind, run, clock())
    with build_run(runs, facts) as folder:
        planning = Planning(project=project, request=request, folder=folder, listener=listener)
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
                prepared, decider = record_decisions(planning, main, hasher)
            sources = collect_hashes(hashes, landed)
        folder.write_facts(complete_facts(facts, planning, sources))
        write_batches(folder, decider.batcher.sizes)
        counted = PlanCounts(
            tally=decider.tally,
            findings=prepared.findings,
            landed=landed,
            units=prepared.units,
        )
        summary = summarize_plan(planning, facts, counted)
        write_plan(folder, summary, folder.plan_files(), clock, known=planning.hashes)
    return RunFolder(runs / run)
