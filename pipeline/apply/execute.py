"""Executing a plan: it works from the plan's own files, can be stopped anywhere and started again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import polars as pl

from pipeline.apply import orders
from pipeline.apply.consent import Ask, agreed_by_itself, question
from pipeline.apply.guards import _has, _refuse_altered, _refuse_changed, _refuse_old
from pipeline.apply.writeback import is_write_back, written_back
from pipeline.backfill.importfiles import write_imports
from pipeline.errors import InvariantBroken, PlanRefused, Refused
from pipeline.events import Listener
from pipeline.load.loader import load
from pipeline.load.packages import folder as to_folder
from pipeline.load.packages.package import Package, packages
from pipeline.load.packages.spec import package_spec
from pipeline.project.resolve import Project, project_of
from pipeline.project.systems import scm_of
from pipeline.run.facts import after_apply, facts_digest
from pipeline.run.files import TableWriter, locked, read_json, sha256_of, write_json, write_table
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.journal import Journal, read
from schemas.run import OUTCOMES

Reach = Callable[[], Project]
"""The project that says how SCM is reached today."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """What became of the planned rows.

    By outcome, findings added by code, hashes of tables written, what it cost.
    """

    outcomes: Mapping[str, int]
    files: Mapping[str, str]
    findings: Mapping[str, int] = field(default_factory=dict)
    throttling: Mapping[str, float] = field(default_factory=dict)


def apply_plan(
    folder: RunFolder,
    today: Callable[[], Project],
    clock: Clock,
    listener: Listener,
    ask: Ask = agreed_by_itself,
) -> dict[str, Any]:
    """Apply a plan. One that was applied to the end is only looked at again.

    Args:
        folder: the run.
        today: the project as it is now; asked only before the first start, for a started apply may
            always be finished.
        clock: the time.
        listener: told about progress.
        ask: asked before anything is sent to systems that are not on this machine; raises where
            nobody agrees.

    Returns:
        The facts after it.

    Raises:
        PlanRefused: the plan is too old, was altered, or what it was made of changed since; nothing
            was sent.
        InvariantBroken: the plan or its journal was altered after the apply had started, or an
            equation does not balance.
        Stopped: another process applies this run, a system or the disk failed; the same command
            goes on.
    """
    facts = folder.facts()
    with locked(folder.path, "another process is applying this run."):
        found = read(folder.journal)
        started = _has(found.entries, "apply_started")
        _refuse_altered(folder, found, started=started)
        before = read_json(folder.summary)
        if facts["kind"] == orders.UNDO and not before["outcomes"]["pending"] and not started:
            raise PlanRefused(
                "there is nothing that p2c can take back. `p2c report` says why.", where=folder.run
            )
        if before["applied"] and _has(found.entries, "applied"):
            return before
        if not started and facts["kind"] != orders.UNDO:
            _refuse_changed(folder, facts, today())
            _refuse_old(facts, clock)
        asked = question(facts, before)
        if asked is not None:
            ask(asked)
        return _applied(
            folder, facts, partial(_reached, facts, today, started=started), clock, listener
        )


def _reached(facts: dict[str, Any], today: Callable[[], Project], *, started: bool) -> Project:
    """Who says how SCM is reached: today's project, for logins change.

    Once started, the plan's where today's is wrong.
    """
    try:
        found = today()
    except Refused:
        if not started:
            raise
        return project_of(facts)
    recorded = project_of(facts)
    same = found.settings.destination.url == recorded.settings.destination.url
    return (
        found
        if same and found.settings.destination.load == recorded.settings.destination.load
        else recorded
    )


def _applied(
    folder: RunFolder, facts: dict[str, Any], reach: Reach, clock: Clock, listener: Listener
) -> dict[str, Any]:
    project = project_of(facts)
    with Journal.open(folder.journal, clock) as journal:
        journal.append(
            "apply_resumed" if _has(journal.entries, "apply_started") else "apply_started",
            run=str(folder.run),
        )
        if is_write_back(facts):
            return written_back(folder, project, journal, listener)
        if "backfill" in (facts["kind"], facts.get("undo_of_kind")):
            done = _imports(folder, facts, journal)
        elif project.settings.destination.load == "folder":
            done = _written(folder, project, journal, listener)
        else:
            done = _loaded(folder, project, reach(), journal, clock, listener)
        result = after_apply(read_json(folder.summary), done.outcomes, done.findings)
        if done.throttling:
            result["throttling"] = dict(done.throttling)
        result["journal"] = journal.append(
            "applied",
            outcomes=dict(done.outcomes),
            balanced=result["balanced"],
            files=dict(done.files),
            summary=facts_digest(result),
        )
    write_json(folder.summary, result)
    if not result["balanced"]:
        raise InvariantBroken("the equations do not balance after applying.", where=folder.run)
    return result


def _loaded(
    folder: RunFolder,
    project: Project,
    reach: Project,
    journal: Journal,
    clock: Clock,
    listener: Listener,
) -> Delivered:
    """Sent to SCM over the wire."""
    options = orders.options_of(
        project, reach.settings.run, undoes=folder.facts()["kind"] == orders.UNDO
    )
    with scm_of(reach) as scm:
        done = load(orders.order_of(folder, project, options, scm, journal, clock, listener))
        traffic = orders.traffic_of(scm)
    files = {**done.files, folder.findings.name: sha256_of(folder.findings)}
    return Delivered(
        outcomes=done.outcomes, findings=done.findings, files=files, throttling=traffic
    )


def _written(
    folder: RunFolder, project: Project, journal: Journal, listener: Listener
) -> Delivered:
    """Written into the run folder, for somebody to import."""
    planned = pl.read_parquet(folder.batches, glob=False)
    to_folder.write_packages(folder, _built(folder, project), journal, planned.height, listener)
    _write_batches(folder, planned)
    counts = _write_outcomes(folder, project)
    return Delivered(
        outcomes=counts,
        files={path.name: sha256_of(path) for path in (folder.batches, folder.outcomes)},
    )


def _imports(folder: RunFolder, facts: dict[str, Any], journal: Journal) -> Delivered:
    """A backfill from files, or its undo: files to import in Sales."""
    numbers = facts.get("backfill")
    if numbers is not None:
        journal.append(
            "numbers_planned",
            base=numbers["base"],
            count=numbers["count"],
            prefix=numbers["prefix"],
        )
    counts, files = write_imports(folder, numbers)
    return Delivered(outcomes=counts, files=files)


def _built(folder: RunFolder, project: Project) -> Iterator[tuple[str, Package]]:
    for task, mapping in project.mappings().items():
        spec = partial(package_spec, project, mapping)
        yield from ((task, package) for package in packages(folder.rows_files(task), spec))


def _write_batches(folder: RunFolder, planned: pl.DataFrame) -> None:
    batches = to_folder.batches(read(folder.journal).entries)
    if batches["rows"].sum() != planned["rows"].sum():
        raise InvariantBroken(
            f"packages hold {batches['rows'].sum()} rows, planned were {planned['rows'].sum()}.",
            where=folder.run,
        )
    write_table(folder.batches, batches)


def _write_outcomes(folder: RunFolder, project: Project) -> Counter[str]:
    counts: Counter[str] = Counter()
    with TableWriter(folder.outcomes, OUTCOMES) as writer:
        for task in project.templates:
            for part in to_folder.outcomes(folder.rows_files(task), task):
                counts.update(dict(part["outcome"].value_counts().iter_rows()))
                writer.write(part)
    return counts
