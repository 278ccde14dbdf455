"""Making a backfill's plan: landed contacts, documents and counters → actions, ranks, evidence.

It writes its run folder only.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import polars as pl

from pipeline.backfill.deciding import decided, findings_of, planned
from pipeline.backfill.evidence import Beside, gather
from pipeline.backfill.numbering import Origin, base_of, origin
from pipeline.backfill.results import PLAN, RESULT
from pipeline.backfill.summary import Told, backfill_summary
from pipeline.backfill.undoing import undo_plan
from pipeline.errors import InvariantBroken, during
from pipeline.events import Listener, Step
from pipeline.extract.view import view_landed
from pipeline.flow import heap
from pipeline.flow.frames import ahead, frames
from pipeline.flow.ordered import ordered
from pipeline.plan import known
from pipeline.plan.fingerprint import versions
from pipeline.plan.prepare import Prepared, Routing, prepare
from pipeline.plan.record import run_facts, source_hashes, unreadable_rows
from pipeline.plan.request import Planning, Request
from pipeline.plan.sessions import md5_of, sessions
from pipeline.plan.source import landed_source
from pipeline.project.resolve import Project
from pipeline.run.files import TableWriter, sha256_of, write_json, write_table
from pipeline.run.findings import RunFinding, findings_of_run
from pipeline.run.folder import Clock, RunFolder, building, new_run
from pipeline.run.journal import Journal
from schemas.run import BACKFILL, BATCHES, FINDINGS, OUTCOMES
from sql.query import query
from sql.session import Session

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
    with building(runs, run) as folder:
        planning = Planning(project=project, request=request, folder=folder, listener=listener)
        started = clock()
        planning.source = landed_source(
            project, folder, runs, listener, changes=False, tables=TABLES, wished=_WISHED
        )
        landed = planning.source.landed
        with ThreadPoolExecutor(1) as hashing:
            hashes = source_hashes(landed, hashing)
            with sessions(planning) as (main, hasher):
                made = _Backfill(planning, main, hasher)
                made.run()
            sources = {path: future.result() for path, future in hashes.items()}
        facts = run_facts(planning, str(run), started.isoformat(), landed, sources, kind="backfill")
        write_json(folder.run_json, {**facts, "backfill": made.numbers})
        told = backfill_summary(made.told(str(run)))
        files = {
            path.name: sha256_of(path)
            for path in (folder.run_json, folder.findings, folder.path / PLAN)
        }
        files |= {
            f"source/{path.name}": sha256_of(path)
            for path in sorted(folder.source.glob("*.parquet"))
        }
        with Journal.open(folder.journal, clock) as journal:
            told["journal"] = journal.append(
                "planned", run=str(run), files=files, balanced=told["balanced"]
            )
        write_json(folder.summary, told)
    return RunFolder(runs / run)


def undo_on_files(of: RunFolder, project: Project, clock: Clock, listener: Listener) -> RunFolder:
    """Make the plan that undoes a backfill whose files were imported, by an export that was made since.

    Args:
        of: the backfill's run.
        project: its ``[source]`` is the export.
        clock: the time.
        listener: told about progress.

    Raises:
        Refused: the run was not applied, or the export cannot be read.
        Stopped: the disk or another part of the world failed; nothing is left behind.
    """
    runs = of.path.parent
    with tempfile.TemporaryDirectory(dir=runs, prefix=".undoing-") as scratch:
        planning = Planning(
            project=project,
            request=Request(command="undo"),
            folder=RunFolder(Path(scratch)),
            listener=listener,
        )
        planning.source = landed_source(
            project, planning.folder, runs, listener, changes=False, tables=TABLES[:1]
        )
        with sessions(planning) as (main, _):
            _prepared(main, planning)
            main.view("contacts_selected", query("backfill/selected_all"))
            main.view("candidates", query("backfill/candidates"))
            main.parquet("backfilled", of.path / RESULT)
            main.store("contacts_there", query("backfill/there"))
            return undo_plan(of, _Export(main), versions(), clock, live=False)


class _Export:
    """Contacts as an export has them."""

    def __init__(self, main: Session) -> None:
        self._main = main

    def found(
        self, entity_set: str, key: str, columns: Sequence[str], ids: Iterable[str]
    ) -> dict[str, dict[str, Any]]:
        """Id → row, of those contacts that are there."""
        there = query("backfill/there_of", there=f"{entity_set}_there", key=key)
        rows = self._main.frame(there, ids=list(ids))
        return {
            row[key]: {name: row[name] for name in columns} for row in rows.iter_rows(named=True)
        }


def _prepared(main: Session, planning: Planning) -> Prepared:
    """The tables that were landed, and what every query over contacts reads."""
    request, landed, settings = planning.request, planning.source.landed, planning.project.settings
    for table in landed.values():
        view_landed(main, table)
    if "accounts" not in landed:
        main.view("accounts_landed", query("plan/no_rows"))
    planning.listener(Step(name="looking for repeats", done=0))
    routing = Routing(
        legal_entity=None,
        organizations={},
        filter=settings.source.filter,
        hold_blank_flags=False,
        number_pattern=settings.source.contact_number_pattern,
        only=None if request.only is None else known.only_ids(request.only),
        is_routed=False,
    )
    return prepare(main, {*landed, "accounts"}, routing)


class _Backfill:
    """One backfill while it is planned."""

    def __init__(self, planning: Planning, main: Session, hasher: Session) -> None:
        self._planning = planning
        self._main = main
        self._md5 = md5_of(hasher)
        self._settings = planning.project.settings
        self._origin = Origin(prefix="", next=0, suffix_length=0)
        self._run_findings: list[RunFinding] = []
        self._rows = 0
        self._last_row = 0
        self._ranks = pl.DataFrame(schema={"source_row": pl.Int64, "rank": pl.Int64})
        self._evidence = planning.folder.path / "scratch" / "evidence.parquet"
        self._states: Counter[str] = Counter()
        self._actions: Counter[str] = Counter()
        self._findings: Counter[str] = Counter()
        self.numbers: dict[str, Any] = {}

    def run(self) -> None:
        """Read, decide, write."""
        self._prepare()
        count = self._number()
        self._write()
        if count != self._actions["number"] + self._actions["both"]:
            raise InvariantBroken("contacts that get a number are not as many as ranks.")

    def _prepare(self) -> None:
        """Everything that ``sql/backfill/contacts.sql`` reads."""
        main, request = self._main, self._planning.request
        prepared = _prepared(main, self._planning)
        self._run_findings += self._planning.source.findings
        self._rows = prepared.rows
        selected = "selected" if request.only is None else "selected_only"
        main.view("contacts_selected", query(f"backfill/{selected}"))
        main.view("candidates", query("backfill/candidates"))
        self._last_row = self._limited()
        statuses = [
            int(one) for one in (self._settings.backfill.statuses or "").split(",") if one.strip()
        ]
        strays = gather(main, statuses, self._evidence)
        self._run_findings += [
            RunFinding(code=name, detail=f"{count:,}") for name, count in strays.items() if count
        ]

    def _number(self) -> int:
        """Settle the counter; how many numbers are planned."""
        self._origin = source = origin(self._main.frame(query("backfill/counters")).to_dicts())
        self._run_findings += [
            RunFinding(code=name, detail=detail) for name, detail in source.findings
        ]
        highest = int(self._main.frame(query("backfill/highest"), pattern=source.pattern).item())
        if source.is_usable:
            self._ranks = self._main.frame(query("backfill/ranks"), last_row=self._last_row)
        count = self._ranks.height
        base = base_of(source, highest, count)
        if source.id is not None and highest >= source.next:
            self._run_findings.append(
                RunFinding(code="counter_behind", detail=f"{source.prefix}-{base:05d}")
            )
        self.numbers = {
            "count": count,
            "highest": highest,
            "prefix": source.prefix,
            "suffix_length": source.suffix_length,
            "base": base,
            "next": source.next,
            "counter": source.id,
            "counter_etag": source.etag,
            "seed": self._settings.backfill.seed,
        }
        return count

    def _limited(self) -> int:
        """The last row that ``--limit`` lets through."""
        limit = self._planning.request.limit
        if limit is None:
            return self._rows
        return int(self._main.frame(query("backfill/last_row"), limit=limit).item())

    def _write(self) -> None:
        """Decide morsel after morsel; one thread beside this one writes what was decided."""
        folder, size = self._planning.folder, self._settings.run.morsel_rows
        beside = Beside(self._evidence, self._ranks)
        reader = self._main.stream(
            query("backfill/contacts"),
            size,
            last_row=self._last_row,
            number_pattern=self._settings.source.contact_number_pattern,
        )
        with (
            heap.settled(),
            TableWriter(folder.path / PLAN, BACKFILL) as plan,
            TableWriter(folder.findings, FINDINGS) as findings,
            ThreadPoolExecutor(1) as writing,  # It rests before a writer closes.
            contextlib.closing(ahead(ordered(frames(reader), size))) as morsels,
        ):
            findings.write(unreadable_rows(self._planning.source.landed))
            pending: list[Future[None]] = []
            for morsel in morsels:
                frame, found = self._decided(beside.of(morsel))
                for one in pending:
                    one.result()
                pending = [writing.submit(plan.write, frame), writing.submit(findings.write, found)]
                self._planning.listener(
                    Step(name="planning", done=sum(self._states.values()), total=self._rows)
                )
            for one in pending:
                one.result()
            beside.close()
            findings.write(findings_of_run(self._run_findings))
        self._findings.update(one.code for one in self._run_findings)
        with during(f"writing {RESULT}"):
            shutil.copyfile(folder.path / PLAN, folder.path / RESULT)
        write_table(folder.outcomes, OUTCOMES.to_frame())
        write_table(folder.batches, BATCHES.to_frame())

    def _decided(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        self._states.update(dict(rows["state"].value_counts().iter_rows()))
        contacts = decided(
            rows.filter(~pl.col("state").is_in(["superseded", "deleted"])), self._settings.backfill
        )
        frame = planned(
            contacts, self._origin, self.numbers["base"], self.numbers["seed"], self._md5
        )
        found = findings_of(contacts)
        self._findings.update(dict(found["code"].value_counts().iter_rows()))
        self._actions.update(dict(frame["action"].value_counts().iter_rows()))
        return frame, found

    def told(self, run: str) -> Told:
        """What its summary is made of."""
        settings = self._settings.backfill
        return Told(
            run=run,
            rows=self._planning.source.landed["contacts"].rows,
            unreadable=len(self._planning.source.landed["contacts"].unreadable),
            left_out={name: self._states[name] for name in ("superseded", "deleted")},
            actions=self._actions,
            findings=self._findings,
            of_run=self._run_findings,
            numbers=self.numbers,
            request_rows=settings.request_rows if self._planning.source.is_live else None,
        )
