"""What run.json records of a plan: facts, source hashes, rows that could not be read."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import polars as pl

from pipeline.extract.landing import Landed
from pipeline.plan.fingerprint import fingerprints, versions
from pipeline.plan.request import Planning
from pipeline.run.files import sha256_of
from pipeline.run.findings import RunFinding, findings_of_run


def source_hashes(
    landed: Mapping[str, Landed], pool: ThreadPoolExecutor
) -> dict[Path, Future[str]]:
    """The SHA-256 of every source file, while other work goes on."""
    paths = [one.path for table in landed.values() for one in table.sources]
    return {path: pool.submit(sha256_of, path) for path in paths}


def unreadable_rows(landed: Mapping[str, Landed]) -> pl.DataFrame:
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
    return findings_of_run(found)


def run_facts(
    planning: Planning,
    run: str,
    started: str,
    landed: Mapping[str, Landed],
    hashes: Mapping[Path, str],
    *,
    kind: str = "main",
) -> dict[str, object]:
    """``run.json``."""
    project, request = planning.project, planning.request
    return {
        "run": run,
        "kind": kind,
        "command": request.command,
        "started_at": started,
        "versions": versions(),
        "fingerprints": fingerprints(project, kind) | planning.pinned,
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
