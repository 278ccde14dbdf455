"""What run.json records of a plan: facts, source hashes, rows that could not be read."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import polars as pl

from pipeline.extract.landing import LandedTable
from pipeline.extract.unchanged import refuse_changed
from pipeline.flow.threads import WorkerThreads, get_result
from pipeline.plan.fingerprint import list_versions, take_fingerprints
from pipeline.plan.request import Planning, PlanRequest
from pipeline.project.resolve import Project
from pipeline.run.facts import (
    DeltaRead,
    DestinationFacts,
    KeptFacts,
    Kind,
    Numbers,
    Requested,
    RunFacts,
    SourceRead,
)
from pipeline.run.files import hash_file
from pipeline.run.findings import RunFinding, frame_run_findings
from pipeline.run.folder import RunId
from pipeline.wire.store.remote import RemoteFile


@contextmanager
def hash_sources(landed: Mapping[str, LandedTable]) -> Iterator[dict[Path, Future[str]]]:
    """The SHA-256 of every source file, taken while the block does other work."""
    paths = [one.path for table in landed.values() for one in table.sources]
    with WorkerThreads(1) as pool:
        yield {path: pool.submit(_hash_source, path) for path in paths}


def _hash_source(path: Path) -> str:
    """The SHA-256 of a file.

    A file of a store was hashed while it was read; blank if only pieces of it were read.
    """
    return path.sha256 if isinstance(path, RemoteFile) else hash_file(path)


def collect_hashes(
    hashes: Mapping[Path, Future[str]], landed: Mapping[str, LandedTable]
) -> dict[Path, str]:
    """The hashes, once all that reads the source has read it.

    Raises:
        Stopped: a file is no longer what it was when it was found.
    """
    found = {path: get_result(future) for path, future in hashes.items()}
    refuse_changed(landed.values())
    return found


def tabulate_unreadable(landed: Mapping[str, LandedTable]) -> pl.DataFrame:
    """Findings of rows that could not be read."""
    found = [
        RunFinding(
            code="row_unreadable",
            detail=one.detail,
            source_file=one.source_file,
            source_line=one.source_line,
        )
        for table in landed.values()
        for one in table.unreadable
    ]
    return frame_run_findings(found)


def make_first_facts(
    project: Project, request: PlanRequest, kind: Kind, run: RunId, began: datetime
) -> RunFacts:
    """``run.json`` as it is written before anything is read."""
    destination = project.settings.destination
    return RunFacts(
        run=run,
        kind=kind,
        command=request.command,
        retry_of=request.retry_of,
        started_at=began,
        versions=list_versions(),
        fingerprints=take_fingerprints(project, kind),
        settings=project.effective(),
        project=None if project.file is None else str(project.file.resolve()),
        destination=DestinationFacts(
            name=destination.name,
            load=destination.load,
            url=destination.url,
            legal_entities=project.legal_entities,
        ),
        request=Requested(
            limit=request.limit,
            only=None if request.only is None else str(request.only),
            full=request.full,
            take_over=request.take_over,
            changes=request.changes,
        ),
        host=socket.gethostname(),
        user=getpass.getuser(),
    )


def complete_facts(
    first: RunFacts,
    planning: Planning,
    hashes: Mapping[Path, str],
    numbers: Numbers | None = None,
) -> RunFacts:
    """``run.json`` with what was read: files, tables, and the live systems that were asked.

    ``numbers`` are those that a backfill wants.
    """
    landed = planning.source.landed
    return first.replace(
        settings=planning.project.effective(),
        fingerprints={
            **first.fingerprints,
            **planning.destination.pinned,
            **planning.pinned,
        },
        live_source=planning.source.is_live,
        sales=planning.source.facts,
        scm=planning.destination.facts,
        sources=tuple(one for table in landed.values() for one in _list_sources(table, hashes)),
        delta=tuple(_list_versions(landed)),
        columns={table.table: dict(table.columns) for table in landed.values()},
        landed={table.table: _list_files(table) for table in landed.values()},
        kept=KeptFacts(
            memory=planning.memory,
            named_lookups=tuple(one.table for one in landed.values() if one.lookups_are_names),
            month_first=tuple(one.table for one in landed.values() if one.month_first),
        ),
        backfill=numbers,
    )


def _list_sources(table: LandedTable, hashes: Mapping[Path, str]) -> list[SourceRead]:
    return [
        SourceRead(
            table=table.table,
            file=one.name,
            path=str(one.path.resolve()),
            in_place=table.in_place,
            rows=one.rows,
            bytes=one.bytes,
            sha256=hashes[one.path],
            etag=one.stamp.etag if one.stamp is not None else "",
            version=one.stamp.version if one.stamp is not None else "",
        )
        for one in table.sources
    ]


def _list_versions(landed: Mapping[str, LandedTable]) -> Iterator[DeltaRead]:
    for name, table in landed.items():
        if table.version is not None:
            yield DeltaRead(
                table=name,
                version=table.version.number,
                committed_at=table.version.committed_at,
            )


def _list_files(table: LandedTable) -> tuple[str, ...]:
    """Where a table's rows are: the user's own files, or one of the run folder."""
    if table.in_place:
        return tuple(str(path.resolve()) for path in table.files)
    return (f"source/{table.table}.parquet",)
