"""Making a plan: landed tables → decisions, findings, planned rows, forecast.

It writes nothing but its own run folder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.events import Listener, Step
from pipeline.extract.landing import Landed
from pipeline.extract.texts import Texts
from pipeline.extract.view import view_landed
from pipeline.flow import heap
from pipeline.flow.frames import ahead, frames
from pipeline.flow.ordered import ordered
from pipeline.mapping.compile import Compiled
from pipeline.mapping.paths import PATHS, column_of
from pipeline.plan import known, summary
from pipeline.plan.destination import look_at, mend_memory
from pipeline.plan.prepare import Prepared, Routing, prepare
from pipeline.plan.record import run_facts, source_hashes
from pipeline.plan.request import Planning, Request
from pipeline.plan.sessions import md5_of, sessions
from pipeline.plan.source import landed_source
from pipeline.plan.stream import _side_by_side, _told_at_the_end, _write
from pipeline.project.resolve import Project
from pipeline.run.files import sha256_of, write_json, write_table
from pipeline.run.folder import Clock, RunFolder, building, new_run
from pipeline.run.journal import Journal
from pipeline.transform.batch import Batcher
from pipeline.transform.decide import Decider, task
from pipeline.transform.identify import RAW
from pipeline.transform.reading import plain
from schemas.sales import CONTACTS
from sql.query import query
from sql.session import Session


def make_plan(
    project: Project, request: Request, runs: Path, clock: Clock, listener: Listener
) -> RunFolder:
    """Plan a run.

    Returns:
        The run folder, whole.

    Raises:
        Refused: project, template or source are wrong; nothing was written.
        Stopped: the disk or another part of the world failed.
    """
    run = new_run(clock)
    with building(runs, run) as folder:
        planning = Planning(project=project, request=request, folder=folder, listener=listener)
        started = clock()
        planning.mappings = project.mappings()
        planning.pinned[known.KNOWN_CUSTOMERS] = known.hash_customers(project)
        planning.destination = look_at(project, planning.mappings, folder.path, listener)
        mend_memory(runs, project)
        planning.source = landed_source(project, folder, runs, listener, changes=request.changes)
        landed = planning.source.landed
        with ThreadPoolExecutor(1) as hashing:
            hashes = source_hashes(landed, hashing)
            with sessions(planning) as (main, hasher):
                prepared, decider = _decided(planning, main, hasher, landed)
            sources = {path: future.result() for path, future in hashes.items()}
        write_json(
            folder.run_json, run_facts(planning, str(run), started.isoformat(), landed, sources)
        )
        write_table(folder.batches, summary.batches_preview(folder, project, decider.tally))
        counted = summary.Counted(tally=decider.tally, findings=prepared.findings, landed=landed)
        facts = summary.of_plan(planning.project, folder, str(run), counted, planning.mappings)
        facts["systems"] = [*planning.source.lines, *planning.destination.lines]
        hashed = {
            path: planning.hashes.get(path) or sha256_of(path) for path in folder.plan_files()
        }
        files = {
            str(path.relative_to(folder.path).as_posix()): sha256 for path, sha256 in hashed.items()
        }
        with Journal.open(folder.journal, clock) as journal:
            facts["journal"] = journal.append(
                "planned", run=str(run), files=files, balanced=facts["balanced"]
            )
        write_json(folder.summary, facts)
    return RunFolder(runs / run)


def _decided(
    planning: Planning, main: Session, hasher: Session, landed: Mapping[str, Landed]
) -> tuple[Prepared, Decider]:
    project, settings = planning.project, planning.project.settings
    for table in landed.values():
        view_landed(main, table)
    loaded = known.loaded(planning.folder.path.parent, project)
    routing = Routing(
        legal_entity=settings.destination.legal_entity,
        organizations=settings.organizations,
        filter=settings.source.filter,
        hold_blank_flags=settings.source.flag_blank == "hold",
        number_pattern=settings.source.contact_number_pattern,
        take_over=planning.request.take_over,
        only=None if planning.request.only is None else known.only_ids(planning.request.only),
        known_customers=planning.destination.customers,
        known_persons=planning.destination.persons,
        loaded=loaded,
        said=_said(planning.mappings),
    )
    planning.listener(Step(name="looking for repeats", done=0))
    prepared = prepare(main, set(landed), routing)
    decider = Decider(
        tasks={name: task(mapping) for name, mapping in planning.mappings.items()},
        hasher=md5_of(hasher),
        batcher=Batcher(rows=settings.destination.batch_rows),
        scm_read=routing.known_customers is not None,
        persons_read=routing.known_persons is not None,
        references=planning.destination.references,
        full=planning.request.full,
        limit=planning.request.limit,
    )
    contacts = landed[CONTACTS.name]
    texts = Texts(contacts, plain(CONTACTS, main.columns(f"{CONTACTS.name}_landed"), routing.said))
    main.use_threads(1)  # Polars has the other cores, and one thread keeps rows nearly in order.
    reader = main.stream(query("plan/route"), settings.run.morsel_rows, **prepared.parameters)
    with (
        heap.settled(),
        contextlib.closing(ahead(ordered(frames(reader), settings.run.morsel_rows))) as morsels,
    ):
        decided = _side_by_side(decider, morsels, texts, prepared.marks)
        _write(
            planning,
            decided,
            prepared,
            landed,
            lambda: _told_at_the_end(planning, decider, main, routing, prepared),
        )
    planning.pinned[known.LOADED_MEMORY] = known.digest_memory(main, planning.folder)
    return prepared, decider


def _said(mappings: Mapping[str, Compiled]) -> tuple[str, ...]:
    """What mapping and decisions need of contacts as text."""
    sources = {name for one in mappings.values() for name in one.sources if name not in PATHS}
    return (*RAW, *(column_of(name) for name in sorted(sources)))
