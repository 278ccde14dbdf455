"""Making a plan: landed tables → decisions, findings, planned rows, forecast. It writes nothing but its own run folder."""

from __future__ import annotations

import contextlib
import getpass
import itertools
import socket
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
import pyarrow as pa

from pipeline import heap, known, summary
from pipeline.destination import Destination, look_at, mappings_of, mend_memory
from pipeline.errors import ConfigurationError, Stopped
from pipeline.events import Listener, Step
from pipeline.extract.landing import Landed
from pipeline.extract.texts import Texts, refuse_damaged
from pipeline.fingerprint import fingerprints, versions
from pipeline.flow import ahead, frames, side_by_side
from pipeline.folder import Clock, RunFolder, TableWriter, building, new_run, sha256_of, write_json, write_table
from pipeline.journal import Journal
from pipeline.mapping.compile import Compiled
from pipeline.mapping.paths import PATHS, column_of
from pipeline.project import Project
from pipeline.sources import Source, landed_source
from pipeline.transform.batch import Batcher
from pipeline.transform.decide import Decided, Decider, Weighed, task
from pipeline.transform.identify import RAW
from pipeline.transform.ordered import ordered
from pipeline.transform.prepare import Prepared, Routing, RunFinding, prepare, unused_units
from pipeline.transform.reading import plain
from schemas.codes import code
from schemas.run import DECISIONS, FINDINGS, PLANNED
from schemas.sales import CONTACTS
from sql.session import Session, identifier, literal, query, session

_OF_THE_WORLD: Final = (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.InterruptException)
_OF_A_VALUE: Final = (duckdb.DataError, duckdb.InvalidInputException)
"""Their texts have the value in them, and are not told."""
_WIDTH: Final = 3
"""Morsels that are decided at once: with two, the cores of a small machine are idle now and then. Each takes 300 MB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What the user asked for beside the project."""

    limit: int | None = None
    only: Path | None = None
    full: bool = False
    take_over: bool = False
    changes: bool = False
    command: str = "plan"


@dataclass(kw_only=True, slots=True)
class Planning:
    """Everything that one plan needs while it is made."""

    project: Project
    request: Request
    folder: RunFolder
    listener: Listener
    mappings: Mapping[str, Compiled] = field(default_factory=dict)
    hashes: dict[Path, str] = field(default_factory=dict)
    """Of the tables written, taken while they were written."""
    destination: Destination = field(default_factory=Destination)
    source: Source = field(default_factory=lambda: Source(landed={}))


def make_plan(project: Project, request: Request, runs: Path, clock: Clock, listener: Listener) -> RunFolder:
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
        planning.mappings = mappings_of(project)
        planning.destination = look_at(project, planning.mappings, folder.path, listener)
        mend_memory(runs, project)
        planning.source = landed_source(project, folder, runs, listener, changes=request.changes)
        landed = planning.source.landed
        with ThreadPoolExecutor(1) as hashing:
            hashes = source_hashes(landed, hashing)
            with sessions(planning) as (main, hasher):
                prepared, decider = _decided(planning, main, hasher, landed)
            sources = {path: future.result() for path, future in hashes.items()}
        write_json(folder.run_json, run_facts(planning, str(run), started.isoformat(), landed, sources))
        write_table(folder.batches, summary.batches_preview(folder, project, decider.tally))
        counted = summary.Counted(tally=decider.tally, findings=prepared.findings, landed=landed)
        facts = summary.of_plan(planning.project, folder, str(run), counted, planning.mappings)
        facts["systems"] = [*planning.source.lines, *planning.destination.lines]
        hashed = {path: planning.hashes.get(path) or sha256_of(path) for path in folder.plan_files()}
        files = {str(path.relative_to(folder.path).as_posix()): sha256 for path, sha256 in hashed.items()}
        with Journal.open(folder.journal, clock) as journal:
            facts["journal"] = journal.append("planned", run=str(run), files=files, balanced=facts["balanced"])
        write_json(folder.summary, facts)
    return RunFolder(runs / run)


def source_hashes(landed: Mapping[str, Landed], pool: ThreadPoolExecutor) -> dict[Path, Future[str]]:
    """The SHA-256 of every source file, while other work goes on."""
    paths = [one.path for table in landed.values() for one in table.sources]
    return {path: pool.submit(sha256_of, path) for path in paths}


@contextlib.contextmanager
def sessions(planning: Planning) -> Iterator[tuple[Session, Session]]:
    """One session reads contacts, the other hashes rows while the first one streams."""
    scratch = planning.folder.path / "scratch"
    memory = planning.project.settings.run.memory
    try:
        with session(memory=memory, scratch=scratch, views=True) as main, session(memory="256MB", threads=1) as hasher:
            yield main, hasher
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        for table in planning.source.landed.values():
            refuse_damaged(table)
        if isinstance(error, _OF_THE_WORLD):
            first = str(error).splitlines()[0]
            raise Stopped(f"the query engine stopped: {first}. Raise [run] memory, or free disk space.") from error
        if isinstance(error, _OF_A_VALUE) and planning.project.settings.source.filter is not None:
            raise ConfigurationError(
                "fails on a value of contacts: where a value may be of another form, say TRY_CAST, which gives null for it.",
                where="source.filter",
            ) from error
        raise
    finally:
        if scratch.exists():
            for path in scratch.iterdir():
                path.unlink(missing_ok=True)
            scratch.rmdir()


def _decided(planning: Planning, main: Session, hasher: Session, landed: Mapping[str, Landed]) -> tuple[Prepared, Decider]:
    project, settings = planning.project, planning.project.settings
    for table in landed.values():
        main.view(f"{table.table}_landed", landed_view(table))
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
    texts = Texts(contacts, plain(CONTACTS, main.columns(f"FROM {CONTACTS.name}_landed"), routing.said))
    main.run("SET threads = 1")  # Polars has the other cores, and rows of one thread come nearly in order.
    reader = main.stream(query("route"), settings.run.morsel_rows, **prepared.parameters)
    with heap.settled(), contextlib.closing(ahead(ordered(frames(reader), settings.run.morsel_rows))) as morsels:
        decided = _side_by_side(decider, morsels, texts, prepared.marks)
        _write(planning, decided, prepared, landed, lambda: _told_at_the_end(planning, decider, main, routing, prepared))
    return prepared, decider


def _said(mappings: Mapping[str, Compiled]) -> tuple[str, ...]:
    """What mapping and decisions need of contacts as text."""
    sources = {name for one in mappings.values() for name in one.sources if name not in PATHS}
    return (*RAW, *(column_of(name) for name in sorted(sources)))


def landed_view(table: Landed) -> str:
    """The landed table under its canonical column names, with file and line of each row."""
    columns = [f"{identifier(physical)} AS {identifier(name)}" for name, physical in table.columns.items()]
    files = ", ".join(literal(str(path)) for path in table.files)
    if len(table.files) == 1:
        row, name = "file_row_number", literal(table.sources[0].name)
    else:
        which = f"list_position([{files}], filename)"
        row = f"[{', '.join(map(str, _starts(table)))}][{which}] + file_row_number"
        name = f"[{', '.join(literal(one.name) for one in table.sources)}][{which}]"
    place = f"{name} AS source_file, file_row_number + 1 AS source_line" if table.in_place else "source_file, source_line"
    return (
        f"SELECT {row} AS source_row, {place}, {', '.join(columns)} "
        f"FROM read_parquet([{files}], filename = true, file_row_number = true, hive_partitioning = false)"
    )


def _starts(table: Landed) -> list[int]:
    """How many rows come before each file of a table."""
    return list(itertools.accumulate((one.rows for one in table.sources[:-1]), initial=0))


def md5_of(hasher: Session) -> Callable[[pl.Series], pl.Series]:
    """A function that gives the MD5 of texts, whatever thread asks."""
    own = threading.local()

    def hashed(texts: pl.Series) -> pl.Series:
        if not hasattr(own, "session"):
            own.session = hasher.beside()
        own.session.register("texts", texts.to_frame("text"))
        frame: pl.DataFrame = own.session.frame("SELECT md5(text) AS h FROM texts")
        return frame["h"]

    return hashed


def _side_by_side(decider: Decider, morsels: Iterator[pl.DataFrame], texts: Texts, marks: pl.DataFrame) -> Generator[Decided]:
    """Morsels decided in source order, ``_WIDTH`` at once: what SQL says of each contact meets its landed text."""

    def weighed(routed: pl.DataFrame) -> Weighed:
        start = int(routed["source_row"][0]) if routed.height else 0
        names = {name: name.removeprefix("say:") for name in routed.columns if name.startswith("say:")}
        written = texts.rows(start, routed.height)
        told = [routed.rename(names), marks.slice(start, routed.height), written]
        return decider.weighed(pl.concat(told, how="horizontal"))

    with ThreadPoolExecutor(_WIDTH, thread_name_prefix="decider") as pool:
        for one in side_by_side(weighed, map(decider.selected, morsels), pool, _WIDTH):
            yield decider.settled(one)


def _told_at_the_end(
    planning: Planning, decider: Decider, main: Session, routing: Routing, prepared: Prepared
) -> list[RunFinding]:
    """Findings of the run, once every contact has gone by."""
    prepared.findings += [*planning.source.findings, *planning.destination.findings]
    prepared.findings += unused_units(main, routing, decider.tally.units)
    prepared.findings += summary.run_findings(decider.finished(), planning.project, prepared)
    return prepared.findings


def _write(
    planning: Planning,
    morsels: Generator[Decided],
    prepared: Prepared,
    landed: Mapping[str, Landed],
    last: Callable[[], list[RunFinding]],
) -> None:
    """Write what was decided, morsel after morsel, in a thread of its own; ``last`` tells the findings of the run."""
    folder, done = planning.folder, 0
    decisions, findings = TableWriter(folder.decisions, DECISIONS), TableWriter(folder.findings, FINDINGS)
    rows = {
        name: TableWriter(folder.rows(name) / "part-00001.parquet", _rows_schema(mapping))
        for name, mapping in planning.mappings.items()
    }
    writers = [decisions, findings, *rows.values()]
    with contextlib.ExitStack() as stack:
        for writer in writers:
            stack.enter_context(writer)
        pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="writer"))  # It rests before a writer closes.
        stack.enter_context(contextlib.closing(morsels))
        findings.write(unreadable_rows(landed))
        pending: Future[None] | None = None
        for decided in morsels:
            if pending is not None:
                pending.result()
            pending = pool.submit(_append, decided, decisions, findings, rows)
            done += decided.read
            planning.listener(Step(name="planning", done=done, total=prepared.rows))
        if pending is not None:
            pending.result()
        findings.write(findings_of_run(last()))
    planning.hashes.update((writer.path, writer.sha256) for writer in writers)


def _append(decided: Decided, decisions: TableWriter, findings: TableWriter, rows: Mapping[str, TableWriter]) -> None:
    decisions.write(decided.decisions)
    findings.write(decided.findings)
    for name, frame in decided.rows.items():
        rows[name].write(frame)


def _rows_schema(mapping: Compiled) -> pl.Schema:
    return pl.Schema({**{one.name: one.column.dtype for one in mapping.targets}, **PLANNED})


def unreadable_rows(landed: Mapping[str, Landed]) -> pl.DataFrame:
    """Findings of rows that could not be read."""
    found = [
        RunFinding(code="row_unreadable", detail=one.detail, source_file=one.source_file, source_line=one.source_line)
        for table in landed.values()
        for one in table.unreadable
    ]
    return findings_of_run(found)


def findings_of_run(findings: list[RunFinding]) -> pl.DataFrame:
    """Findings of the run as rows."""
    return pl.DataFrame(
        [
            {
                "contactid": None,
                "task": None,
                "severity": code(one.code).severity,
                "code": one.code,
                "column": one.column or None,
                "destination": None,
                "message": code(one.code).message(column=one.column, detail=one.detail),
                "value": one.value,
                "source_file": one.source_file,
                "source_line": one.source_line,
            }
            for one in findings
        ],
        schema=FINDINGS,
    )


def run_facts(
    planning: Planning, run: str, started: str, landed: Mapping[str, Landed], hashes: Mapping[Path, str]
) -> dict[str, object]:
    """``run.json``."""
    project, request = planning.project, planning.request
    return {
        "run": run,
        "kind": "main",
        "command": request.command,
        "started_at": started,
        "versions": versions(),
        "fingerprints": fingerprints(project.templates),
        "settings": project.effective(),
        "project": None if project.file is None else str(project.file.resolve()),
        "live_source": planning.source.is_live,
        "sales": planning.source.facts,
        "scm": planning.destination.facts,
        "destination": {
            "name": project.settings.destination.name,
            "load": project.settings.destination.load,
            "url": project.settings.destination.url,
            "legal_entities": list(project.legal_entities),
        },
        "request": {
            "limit": request.limit,
            "only": None if request.only is None else str(request.only),
            "full": request.full,
            "take_over": request.take_over,
            "changes": request.changes,
        },
        "sources": [
            {
                "table": table.table,
                "file": one.name,
                "path": str(one.path.resolve()),
                "in_place": table.in_place,
                "rows": one.rows,
                "bytes": one.bytes,
                "sha256": hashes[one.path],
            }
            for table in landed.values()
            for one in table.sources
        ],
        "columns": {table.table: dict(table.columns) for table in landed.values()},
        "landed": {table.table: [str(path) for path in table.files] if table.in_place else [f"source/{table.table}.parquet"]
                   for table in landed.values()},
        "host": socket.gethostname(),
        "user": getpass.getuser(),
    }  # fmt: skip
