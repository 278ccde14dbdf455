"""Making a backfill's plan: landed contacts, documents and counters → actions, ranks, evidence.

It writes its run folder only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pipeline.backfill.decisions import decide_backfill
from pipeline.backfill.summary import write_backfill
from pipeline.engine.opening import start_engine
from pipeline.events import Listener
from pipeline.plan.record import (
    collect_hashes,
    complete_facts,
    hash_sources,
    make_first_facts,
)
from pipeline.plan.request import Planning, PlanRequest
from pipeline.plan.sessions import open_sessions
from pipeline.plan.source import land_source
from pipeline.project.resolve import Project
from pipeline.run.facts import Kind
from pipeline.run.folder import Clock, RunFolder, build_run, make_run_id
from pipeline.run.unfinished import refuse_unfinished_write_back

TABLES: Final = (
    "contacts",
    "accounts",
    "quotes",
    "salesorders",
    "invoices",
    "msdynce_p2cautonumbers",
)
_WISHED: Final = ("createdon", "versionnumber")


def make_backfill(
    project: Project, request: PlanRequest, runs: Path, clock: Clock, listener: Listener
) -> RunFolder:
    """Plan a backfill.

    Returns:
        The run folder, whole.

    Raises:
        Refused: project or source are wrong, numbers would become too long, or a backfill of this
            Sales has not ended; nothing was written.
        Stopped: the disk or another part of the world failed.
    """
    if project.sales is not None:
        refuse_unfinished_write_back(runs, project.sales.url)
    run = make_run_id(clock, runs)
    facts = make_first_facts(project, request, Kind.BACKFILL, run, clock())
    with (
        build_run(runs, facts) as folder,
        start_engine(project.settings.run) as engine,
    ):
        planning = Planning(
            project=project, request=request, folder=folder, listener=listener, engine=engine
        )
        planning.source = land_source(
            project, folder, runs, listener, changes=False, tables=TABLES, wished=_WISHED
        )
        with hash_sources(planning.source.landed) as hashes:
            with open_sessions(planning) as (main, hasher):
                counted = decide_backfill(planning, main, hasher)
            sources = collect_hashes(hashes, planning.source.landed)
        folder.write_facts(complete_facts(facts, planning, sources, counted.numbers))
        write_backfill(folder, run, counted, clock)
    return RunFolder(runs / run)
