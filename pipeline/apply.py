"""Executing a plan: it works from the plan's own files, can be stopped anywhere and started again."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import filelock
import polars as pl

from pipeline import summary
from pipeline.errors import InvariantBroken, PlanRefused, Stopped, listed
from pipeline.events import Listener, Step
from pipeline.fingerprint import fingerprints
from pipeline.folder import Clock, RunFolder, TableWriter, read_json, replace, sha256_of, write_json, write_table
from pipeline.journal import Journal, read
from pipeline.load.folder import Written, outcomes
from pipeline.load.package import packages
from pipeline.mapping.compile import compiled
from pipeline.project import Project, recorded_project
from schemas.run import BATCHES, OUTCOMES


def apply_plan(folder: RunFolder, clock: Clock, listener: Listener) -> dict[str, Any]:
    """Apply a plan; a plan that was applied to the end is only looked at again.

    Returns:
        The facts after it.

    Raises:
        PlanRefused: the plan is too old, or what it was made of changed since.
        Stopped: another process applies this run, or the disk failed; the same command goes on.
    """
    facts = folder.facts()
    project = project_of(facts)
    lock = filelock.FileLock(folder.path / ".lock", timeout=0)
    try:
        with lock:
            return _applied(folder, facts, project, clock, listener)
    except filelock.Timeout as error:
        raise Stopped("another process is applying this run.", where=folder.run) from error


def project_of(facts: dict[str, Any]) -> Project:
    """The project as it was when the plan was made: settings come from ``run.json``, not from today's file."""
    return recorded_project(facts["settings"], Path(facts["project"]) if facts["project"] else None)


def _applied(folder: RunFolder, facts: dict[str, Any], project: Project, clock: Clock, listener: Listener) -> dict[str, Any]:
    entries = read(folder.journal).entries
    _refuse_altered(folder, entries[0].payload["files"] if entries else {})
    _refuse_changed(facts, project)
    if not any(entry.event == "apply_started" for entry in entries):
        _refuse_old(folder, facts, project, clock)
    with Journal.open(folder.journal, clock) as journal:
        journal.append("apply_started", run=str(folder.run))
        ready = {
            (entry.payload["task"], entry.payload["legal_entity"], entry.payload["batch"]): entry.payload["sha256"]
            for entry in entries
            if entry.event == "package_written"
        }
        batches = _write_packages(folder, project, journal, ready, clock, listener)
        write_table(folder.batches, batches)
        counts = _write_outcomes(folder, project)
        result = summary.after_apply(read_json(folder.summary), counts)
        result["journal"] = journal.append("applied", outcomes=dict(counts), balanced=result["balanced"])
    write_json(folder.summary, result)
    if not result["balanced"]:
        raise InvariantBroken(f"{folder.run}: the equations do not balance after applying.")
    return result


def _refuse_altered(folder: RunFolder, files: dict[str, str]) -> None:
    if not files:
        raise PlanRefused("the journal does not say what the plan was; plan again.", where=folder.run)
    wrong = []
    for name, sha256 in files.items():
        path = folder.path / name
        if not path.is_file():
            wrong.append(f"{name} is missing.")
        elif sha256_of(path) != sha256:
            wrong.append(f"{name} was altered after the plan was made.")
    if wrong:
        raise PlanRefused(f"{listed(wrong)} Plan again.", where=folder.run)


def _refuse_changed(facts: dict[str, Any], project: Project) -> None:
    now = fingerprints(project.templates)
    changed = [name for name, value in facts["fingerprints"].items() if now.get(name) != value]
    if changed:
        raise PlanRefused(f"changed since the plan was made: {', '.join(changed)}. Plan again.", where=facts["run"])


def _refuse_old(folder: RunFolder, facts: dict[str, Any], project: Project, clock: Clock) -> None:
    """Age counts for live sources only: files do not change unseen."""
    if not facts["live_source"]:
        return
    limit = timedelta(hours=project.settings.run.max_plan_age_hours)
    if clock() - datetime.fromisoformat(facts["started_at"]) > limit:
        raise PlanRefused(f"the plan is older than {limit}. Plan again.", where=folder.run)


def _write_packages(
    folder: RunFolder,
    project: Project,
    journal: Journal,
    ready: dict[tuple[str, str, int], str],
    clock: Clock,
    listener: Listener,
) -> pl.DataFrame:
    """Write all packages that are not there yet; a package on disk counts only if the journal knows its hash."""
    rows: list[dict[str, Any]] = []
    planned = pl.read_parquet(folder.batches)
    total = planned.height
    mappings = {
        name: compiled(template, project.defaults, countries=project.countries) for name, template in project.templates.items()
    }
    for task, mapping in mappings.items():
        target = folder.packages / task
        built = packages(folder.rows_files(task), partial(summary.package_spec, project, mapping))
        target.mkdir(parents=True, exist_ok=True)
        for package in built:
            entity, _, number = package.name.removesuffix(".zip").rpartition("-")
            done = Written(task=task, legal_entity=entity, batch=int(number), package=package)
            path = target / package.name
            known = ready.get((task, entity, int(number)))
            if known is not None and path.is_file() and sha256_of(path) == known:
                rows.append(_batch_row(folder, done, path, clock))
                continue
            replace(path, package.content)
            journal.append(
                "package_written", task=task, legal_entity=entity, batch=int(number), rows=package.rows,
                file=path.relative_to(folder.path).as_posix(), sha256=package.sha256,
            )  # fmt: skip
            rows.append(_batch_row(folder, done, path, clock))
            listener(Step(name="writing packages", done=len(rows), total=total))
    batches = pl.DataFrame([{**dict.fromkeys(BATCHES.names()), **row} for row in rows], schema=BATCHES)
    if batches["rows"].sum() != planned["rows"].sum():
        raise InvariantBroken(f"{folder.run}: packages hold {batches['rows'].sum()} rows, planned {planned['rows'].sum()}.")
    return batches.sort("task", "legal_entity", "batch")


def _batch_row(folder: RunFolder, written: Written, path: Path, clock: Clock) -> dict[str, Any]:
    return {
        "task": written.task,
        "legal_entity": written.legal_entity,
        "batch": written.batch,
        "rows": written.package.rows,
        "file": path.relative_to(folder.path).as_posix(),
        "bytes": len(written.package.content),
        "sha256": written.package.sha256,
        "definition_group": written.package.definition_group,
        "attempt": 1,
        "finished_at": clock(),
        "status": "written",
    }


def _write_outcomes(folder: RunFolder, project: Project) -> Counter[str]:
    counts: Counter[str] = Counter()
    with TableWriter(folder.outcomes, OUTCOMES) as writer:
        for task in project.templates:
            for part in outcomes(folder.rows_files(task), task):
                counts.update(dict(part["outcome"].value_counts().iter_rows()))
                writer.write(part)
    return counts
