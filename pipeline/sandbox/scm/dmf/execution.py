"""Executions: what Data management knows of each import and export, and of their state."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pipeline.sandbox.scm.dmf.package import EntityFile
from pipeline.sandbox.scm.dmf.staging import Staged
from pipeline.sandbox.scm.dmf.target import Written
from pipeline.sandbox.scm.entities import ScmEntity


class Status(StrEnum):
    """DMFExecutionSummaryStatus."""

    UNKNOWN = "Unknown"
    NOT_RUN = "NotRun"
    EXECUTING = "Executing"
    SUCCEEDED = "Succeeded"
    PARTIALLY = "PartiallySucceeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


class Phase(StrEnum):
    """DMFBatchJobStatus, as far as an import gets to them."""

    NOT_STARTED = "NotStarted"
    EXECUTING = "Executing"
    ERROR = "Error"
    FINISHED = "Finished"
    NOT_RUN = "NotRun"


ENDED: Final = (Phase.ERROR, Phase.FINISHED, Phase.NOT_RUN)


@dataclass(kw_only=True, slots=True)
class EntityRun:
    """One entity of an execution. Times are seconds since 1970, 0 until they come."""

    entity: ScmEntity
    definition: EntityFile
    staging: Phase = Phase.NOT_STARTED
    target: Phase = Phase.NOT_STARTED
    staged: Staged = field(default_factory=Staged)
    written: Written = field(default_factory=Written)
    times: dict[str, float] = field(default_factory=dict)
    keys_file_polls: int = -1
    """How often the URL of the error keys file is still empty; below 0 when the file was not asked
    for."""

    @property
    def status(self) -> Status:
        """What became of this entity, once both phases ended."""
        good = self.written.created + self.written.updated
        bad = len(self.staged.errors) + len(self.written.errors) + (1 if self.staged.failed else 0)
        if self.staging is Phase.NOT_RUN or (not bad and self.target is Phase.NOT_RUN):
            return Status.NOT_RUN
        if not bad:
            return Status.SUCCEEDED
        return Status.PARTIALLY if good else Status.FAILED

    def errors(self) -> Iterator[tuple[str, str, str]]:
        """Record, field and message of everything that went wrong."""
        if self.staged.failed:
            yield "", "", self.staged.failed
        yield from ((one.record, one.field, one.message) for one in self.staged.errors)
        yield from ((one.record, one.field, one.message) for one in self.written.errors)


@dataclass(kw_only=True, slots=True)
class Execution:
    """One import or export.

    It is found from ``visible_at`` on until ``cleaned_at``, and over when it is ``done`` and
    ``ready_at`` has come.
    """

    id: str
    group: str
    company: str
    started: float
    visible_at: float
    ready_at: float
    cleaned_at: float = math.inf
    operation: str = "Import"
    runs: list[EntityRun] = field(default_factory=list)
    done: bool = False
    package: str = ""
    """The blob that an export made."""

    def over(self, now: float) -> bool:
        """Whether nothing is under way any more, as far as the caller can see."""
        return self.done and now >= self.ready_at

    def status(self, now: float) -> Status:
        """The summary status."""
        return sum_up(run.status for run in self.runs) if self.over(now) else Status.EXECUTING


def sum_up(statuses: Iterable[Status]) -> Status:
    """One status out of those of all entities; none at all is a success with 0 rows."""
    found = set(statuses)
    if not found or found == {Status.SUCCEEDED}:
        return Status.SUCCEEDED
    if found == {Status.NOT_RUN}:
        return Status.NOT_RUN
    if Status.SUCCEEDED not in found and Status.PARTIALLY not in found:
        return Status.FAILED
    return Status.PARTIALLY
