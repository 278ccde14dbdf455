"""A run that is being worked on: its folder, what it is, its project, and its journal, open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.project.resolve import Project, project_of_run
from pipeline.run.facts import RunFacts
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.journal import Journal
from pipeline.run.summary import Summary


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenRun:
    """What commands hand on while they work on a run.

    ``summary`` is as it was when the run was opened; ``project`` is as the run recorded it.
    """

    folder: RunFolder
    facts: RunFacts
    summary: Summary
    project: Project
    journal: Journal


@contextmanager
def open_run(folder: RunFolder, clock: Clock) -> Iterator[OpenRun]:
    """Open a run; the caller holds its lock.

    Raises:
        UsageError: ``run.json`` or ``summary.json`` is not whole.
        ConfigurationError: this version cannot make the project of what was recorded.
        InvariantBroken: the journal was altered.
    """
    facts = folder.facts()
    project = project_of_run(facts)
    with Journal.open(folder.journal, clock) as journal:
        yield OpenRun(
            folder=folder,
            facts=facts,
            summary=folder.read_summary(),
            project=project,
            journal=journal,
        )
