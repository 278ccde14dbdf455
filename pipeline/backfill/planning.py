"""Making a backfill's plan: landed contacts, documents and counters → actions, ranks, evidence.

It writes its run folder only.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from pipeline.backfill.decisions import decide_backfill
from pipeline.backfill.results import PLAN
from pipeline.backfill.summary import summarize_backfill
from pipeline.events import Listener
from pipeline.plan.record import first_facts, source_hashes, whole_facts
from pipeline.plan.request import Planning, Request
from pipeline.plan.sessions import sessions
from pipeline.plan.source import landed_source
from pipeline.project.resolve import Project
from pipeline.run.facts import Kind
from pipeline.run.folder import Clock, RunFolder, building, new_run
from pipeline.run.vouching import write_plan

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
    project: Project, request: Request, runs: Path, clock: Clock, listener: Listener
) -> RunFolder:
    """Plan a backfill.

    Returns:
        The run folder, whole.

    Raises:
        Refused: project or source are wrong, or numbers would become too long; nothing was written.
        Stopped: the disk or another part of the world failed.
    """
    run = new_run(clock)
    facts = first_facts(project, request, Kind.BACKFILL, run, clock())
    with building(runs, facts) as folder:
        planning = Planning(project=project, request=request, folder=folder, listener=listener)
        planning.source = landed_source(
            project, folder, runs, listener, changes=False, tables=TABLES, wished=_WISHED
        )
        with ThreadPoolExecutor(1) as hashing:
            hashes = source_hashes(planning.source.landed, hashing)
            with sessions(planning) as (main, hasher):
                counted = decide_backfill(planning, main, hasher)
            sources = {path: future.result() for path, future in hashes.items()}
        folder.write_facts(whole_facts(facts, planning, sources, counted.numbers))
        landed = sorted(folder.source.glob("*.parquet"))
        files = (folder.run_json, folder.findings, folder.path / PLAN, *landed)
        write_plan(folder, summarize_backfill(run, counted), files, clock)
    return RunFolder(runs / run)
