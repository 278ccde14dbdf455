"""Sales, live → landed tables: the same form as files get, read page by page over the wire."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from pipeline.errors import RequestRefused, count_of, during
from pipeline.extract.dataverse.assembly import Assembly
from pipeline.extract.dataverse.changes import (
    DeltaLink,
    Refresh,
    RefreshResult,
    read_links,
    write_links,
)
from pipeline.extract.dataverse.checkpoint import (
    TableWork,
    WriteCheckpoint,
    discard,
    hold,
    write_checkpoint,
)
from pipeline.extract.dataverse.columns import Columns, choose_columns
from pipeline.extract.dataverse.parallel import TableJob, WorkerPool
from pipeline.extract.landing import LandedTable
from pipeline.flow import heap
from pipeline.wire.dataverse import PAGE_ROWS, Sales
from pipeline.wire.meter import Traffic
from schemas.catalogue import Table
from schemas.sales import CONTACTS, TABLES

Progress = Callable[[str, int, int | None], None]
Tracking = Literal["auto", "always", "never"]

CHANGES: Final = "changes.json"
"""Next to landed tables: where the next refresh begins."""

_SMALL: Final = 100_000
"""Rows up to which a table is read in one stream that ends in a delta link; more go faster in
several, without one."""
_FRESH: Final = timedelta(hours=4)
"""How long ago the reading of a table may have begun for a later start to go on with it."""
_NOT_FOUND: Final = 404


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtractionScope:
    """What of Sales is wanted.

    ``mapped`` are columns of contacts beyond routing's that must be there; ``wished`` ones are
    taken if they are there. ``tracking`` says which tables end in a delta link: small ones
    (``auto``), all, or none.
    """

    tables: Collection[str]
    mapped: Collection[str] = ()
    wished: Collection[str] = ()
    tracking: Tracking = "auto"
    page_rows: int = PAGE_ROWS


@dataclass(frozen=True, kw_only=True, slots=True)
class RowTotal:
    """Rows of a table as they were read, and as the server counted at some time of the last day."""

    table: str
    read: int
    counted: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RunNote:
    """Something of the run that people should know: a code of the catalogue and its detail."""

    code: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtractionResult:
    """What came of it.

    ``traffic`` counts by table, and for what was asked besides rows (``metadata``, ``totals``).
    """

    landed: dict[str, LandedTable]
    totals: tuple[RowTotal, ...] = ()
    traffic: Mapping[str, Traffic] = field(default_factory=dict)
    refreshed: Mapping[str, RefreshResult] = field(default_factory=dict)
    notes: tuple[RunNote, ...] = ()
    read_since: datetime | None = None
    """When the first rows of all tables were read; null if none was read in full."""


def land_dataverse(
    sales: Sales,
    into: Path,
    wish: ExtractionScope,
    *,
    work: Path,
    since: Path | None = None,
    progress: Progress,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    write: WriteCheckpoint = write_checkpoint,
) -> ExtractionResult:
    """Land tables of a live Sales as ``<table>.parquet``.

    What a later refresh needs is written as ``changes.json``.

    Args:
        sales: whom to ask.
        into: the run's ``source`` folder.
        wish: which tables and columns.
        work: a folder that outlives a run which stops. Called again with it, the extraction
            resumes. It is empty once everything is landed.
        since: the ``source`` folder of an earlier run, to be refreshed by change tracking instead
            of a full read.
        progress: is given table, rows and, where Sales counted them, all rows, while reading.
        now: the time.
        write: puts a checkpoint on disk, whole or not at all.

    Raises:
        SystemStopped: Sales failed; the same command resumes.
        Stopped: the disk failed, or another process extracts into ``work``.
    """
    with hold(work), heap.freeze_heap():
        return _Extraction(
            sales=sales,
            into=into,
            wish=wish,
            work=work,
            progress=progress,
            now=now,
            write=write,
        ).run(since)


@dataclass(kw_only=True, slots=True)
class _Extraction:
    sales: Sales
    into: Path
    wish: ExtractionScope
    work: Path
    progress: Progress
    now: Callable[[], datetime]
    write: WriteCheckpoint
    notes: list[RunNote] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)
    begun: dict[str, datetime] = field(default_factory=dict)
    """When the reading of each table began."""

    def run(self, since: Path | None) -> ExtractionResult:
        tables = [TABLES[name] for name in self.wish.tables]
        columns = {table.name: self._choose_columns(table) for table in tables}
        kept = {} if since is None else read_links(since / CHANGES, self._home)
        refreshed, landed = self._refresh(columns, kept, since)
        rest = {name: one for name, one in columns.items() if name not in landed}
        links: dict[str, DeltaLink] = {name: one.kept for name, one in refreshed.items()}
        if rest:
            landed |= self._read(rest, links, always=since is not None)
        self._write_links(links)
        return ExtractionResult(
            landed={name: landed[name] for name in columns if name in landed},
            totals=tuple(self._compare_totals(landed)),
            traffic=self.sales.system.meter.by_subject(),
            refreshed=refreshed,
            notes=tuple(self.notes),
            read_since=min(self.begun.values(), default=None),
        )

    @property
    def _home(self) -> str:
        return str(self.sales.system.client.base_url)

    def _choose_columns(self, table: Table) -> Columns:
        if table is not CONTACTS:
            return choose_columns(table)
        known = {one.name for one in table.fields}
        beyond = {
            name
            for name in {*self.wish.mapped, *self.wish.wished}
            if name not in known and "." not in name
        }
        spelled = self.sales.columns(table.singular, quiet=True) if beyond else {}
        wished = {name for name in self.wish.wished if name in known or name in spelled}
        return choose_columns(table, [*self.wish.mapped, *sorted(wished)], spelled=spelled)

    def _refresh(
        self, columns: Mapping[str, Columns], kept: Mapping[str, DeltaLink], since: Path | None
    ) -> tuple[dict[str, RefreshResult], dict[str, LandedTable]]:
        """Tables whose changes could be had."""
        done: dict[str, RefreshResult] = {}
        landed: dict[str, LandedTable] = {}
        if since is None:
            return done, landed
        for name, one in columns.items():
            refresh = Refresh(
                sales=self.sales,
                assembly=Assembly(columns=one, into=self.into, system=self.sales.system.label),
                work=self.work / name,
                page_rows=self.wish.page_rows,
            )
            found = refresh.run(
                kept.get(name),
                since / f"{name}.parquet",
                self._make_progress(name),
                self.now().isoformat(),
            )
            if isinstance(found, str):
                self.notes.append(RunNote(code="changes_read_in_full", detail=f"{name}: {found}"))
            else:
                done[name], landed[name] = found, refresh.assembly.describe()
        return done, landed

    def _make_progress(self, name: str) -> Callable[[int], None]:
        return lambda rows: self.progress(name, rows, None)

    def _report(self, name: str, rows: int) -> None:
        """How far a table is. Sales counted its rows some time ago, so there may be more."""
        table = TABLES.get(name)
        total = None if table is None else self.counted.get(table.singular)
        self.progress(name, rows, total if total is None else max(total, rows))

    def _read(
        self, columns: Mapping[str, Columns], links: dict[str, DeltaLink], *, always: bool
    ) -> dict[str, LandedTable]:
        """Read tables in full."""
        self.counted = self.sales.totals([one.table.singular for one in columns.values()])
        tracked = self._choose_tracked(columns, always=always)
        jobs = {
            name: TableJob(columns=one, work=self._open_work(one, tracked=name in tracked))
            for name, one in columns.items()
        }
        self._leave_out_missing(jobs)
        WorkerPool(self.sales, self.wish.page_rows, self._report).read(jobs)
        landed = {}
        for name, job in jobs.items():
            assembly = Assembly(columns=job.columns, into=self.into, system=self.sales.system.label)
            landed[name] = assembly.land(job.work)
            delta = job.work.parts[0].delta
            if delta is not None and not landed[name].unreadable:
                links[name] = DeltaLink(link=delta, names=job.columns.names, begun=job.work.begun)
        for job in jobs.values():
            job.work.drop()
        return landed

    def _choose_tracked(self, columns: Mapping[str, Columns], *, always: bool) -> set[str]:
        if self.wish.tracking == "never":
            return set()
        always = always or self.wish.tracking == "always"
        small = {
            name
            for name, one in columns.items()
            if self.counted.get(one.table.singular, _SMALL + 1) <= _SMALL
        }
        wanted = set(columns) if always else small
        on = self.sales.tracked() if wanted else frozenset()
        for name in sorted(wanted) if always else []:
            if columns[name].table.singular not in on:
                self.notes.append(RunNote(code="not_tracked", detail=name))
        return {name for name in wanted if columns[name].table.singular in on}

    def _open_work(self, columns: Columns, *, tracked: bool) -> TableWork:
        asked = {"home": self._home, "names": columns.names, "tracked": tracked}
        begun = self.now().isoformat()
        oldest = (self.now() - _FRESH).isoformat()
        work = TableWork(
            folder=self.work / columns.table.name,
            asked=asked,
            begun=oldest,
            tracked=tracked,
            write=self.write,
        )
        if work.resume() and work.begun <= begun:
            self._note_age(work, columns.table.name)
        else:
            work.begun = begun
            work.begin()
        self.begun[columns.table.name] = datetime.fromisoformat(work.begun)
        return work

    def _note_age(self, work: TableWork, name: str) -> None:
        if work.slots:
            since = f"{datetime.fromisoformat(work.begun):%Y-%m-%d %H:%M} UTC"
            detail = f"{name}, {count_of(work.slots, 'row')} from {since} on"
            self.notes.append(RunNote(code="rows_read_earlier", detail=detail))

    def _leave_out_missing(self, jobs: dict[str, TableJob]) -> None:
        """Leave out side tables that this Sales does not have, as with a folder of files."""
        for name, job in list(jobs.items()):
            if (
                job.work.slots
                or name == CONTACTS.name
                or job.columns.table.singular in self.counted
            ):
                continue
            try:
                url = f"{name}?$select={job.columns.key}&$top=1"
                self.sales.get(url, lambda response: response.content, subject=name)
            except RequestRefused as refused:
                if refused.status != _NOT_FOUND:
                    raise
                self.notes.append(RunNote(code="table_not_there", detail=name))
                job.work.drop()
                del jobs[name]

    def _compare_totals(self, landed: Mapping[str, LandedTable]) -> list[RowTotal]:
        found = []
        for name, one in landed.items():
            counted = self.counted.get(TABLES[name].singular)
            if counted is None:
                continue
            read = one.rows + len(one.unreadable)
            found.append(RowTotal(table=name, read=read, counted=counted))
            if read != counted:
                detail = f"{name}: {read:,} rows were read, Sales counted {counted:,}"
                self.notes.append(RunNote(code="source_total_differs", detail=detail))
        return found

    def _write_links(self, links: Mapping[str, DeltaLink]) -> None:
        write_links(self.into / CHANGES, self._home, links)
        with during("landing"):
            for path in self.work.iterdir():
                if path.is_dir():
                    discard(path)
