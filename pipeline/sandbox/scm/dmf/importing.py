"""Imports: from the call to the last row.

A worker does the work, so that the call may answer before it is done.
"""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pipeline.sandbox.scm.dmf import staging, target
from pipeline.sandbox.scm.dmf.execution import ENDED, EntityRun, Execution, Phase
from pipeline.sandbox.scm.dmf.groups import Groups
from pipeline.sandbox.scm.dmf.package import EntityFile, GivenPackage, PackageError, read_package
from pipeline.sandbox.scm.entities import ScmEntity, find_by_label
from pipeline.sandbox.scm.writing import Desk

_ID_LENGTH: Final = 90

Work = Callable[[], None]
Worker = Callable[[Work], object]
"""What runs work: at once, or in a thread of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportOrder:
    """What a caller of ImportFromPackage wants."""

    group: str
    execution: str
    execute: bool
    overwrite: bool
    company: str
    waits: bool
    """Whether the call answers only after the package is unpacked into staging."""


@dataclass(kw_only=True, slots=True)
class PackageImporter:
    """All executions of one SCM, in the order of their start."""

    desk: Desk
    groups: Groups
    clock: Callable[[], float]
    worker: Worker
    executions: dict[str, Execution] = field(default_factory=dict)
    lying: list[tuple[float, Work]] = field(default_factory=list)
    """Work that no batch server has taken up yet, and when one will."""
    broken: int = 0
    """How many imports a fault of staging has ended."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def start(self, order: ImportOrder, content: bytes) -> str:
        """Start an import and answer its execution id.

        Raises ``PackageError`` when nothing was started.
        """
        self.take_up()
        with self.lock:
            self._refuse_parallel(order)
            identity = self._identity(order.execution)
            package = read_package(content)
            language = self.desk.switches.language
            runs = [self._run(one, language) for one in package.entities if not one.disabled]
            self.groups.prepare(order.group, package, overwrite=order.overwrite)
            execution = self._execution(identity, order, runs)
            self.executions[identity] = execution
        if order.waits:
            try:
                self._stage(execution, package)
            except PackageError:
                del self.executions[identity]
                raise
            self._lay_down(execution, lambda: self._finish(execution, order))
        else:
            self._lay_down(execution, lambda: self._run_whole(execution, order, package))
        return identity

    def find(self, identity: str) -> Execution | None:
        """The execution with this id, from when it can be seen until a clean-up deletes it."""
        self.take_up()
        execution = self.executions.get(identity)
        return execution if execution is not None and self._has_record(execution) else None

    def is_busy_with(self, group: str) -> bool:
        """Whether an execution of this group is under way."""
        now = self.clock()
        return any(
            one.group.lower() == group.lower() and not one.over(now)
            for one in list(self.executions.values())
        )

    def visible(self) -> list[Execution]:
        """All executions that have left records of any kind."""
        self.take_up()
        now, keeps_details = self.clock(), self.desk.switches.clean_up == "record"
        return [
            one
            for one in list(self.executions.values())
            if one.visible_at <= now and (keeps_details or self._has_record(one))
        ]

    def cleaned(self) -> list[Execution]:
        """Those whose records a clean-up has deleted."""
        now = self.clock()
        return [one for one in list(self.executions.values()) if one.cleaned_at <= now]

    def take_up(self) -> None:
        """Begin what a batch server has taken up by now."""
        now = self.clock()
        with self.lock:
            due = [work for at, work in self.lying if at <= now]
            self.lying = [(at, work) for at, work in self.lying if at > now]
        for work in due:
            self.worker(work)

    def _lay_down(self, execution: Execution, work: Work) -> None:
        at = execution.started + self.desk.switches.begin_after
        self.lying.append((at, lambda: self._guard(execution, work)))
        self.take_up()

    def _has_record(self, execution: Execution) -> bool:
        return execution.visible_at <= self.clock() < execution.cleaned_at

    # before

    def _refuse_parallel(self, order: ImportOrder) -> None:
        now = self.clock()
        running = [one for one in self.executions.values() if not one.over(now)]
        if running and not self.desk.switches.parallel_imports:
            raise PackageError(
                f"DMF2025: A column was not found in the input file. Execution '{running[0].id}' "
                "is under way; concurrent ImportFromPackage calls are not supported unless "
                "Enhanced parallel package import is selected."
            )
        if any(one.group.lower() == order.group.lower() for one in running):
            raise PackageError(
                f"Data project '{order.group}' has an execution that is still executing."
            )

    def _identity(self, wanted: str) -> str:
        if len(wanted) > _ID_LENGTH:
            raise PackageError(f"The execution id is longer than {_ID_LENGTH} characters.")
        if wanted in self.executions and self.desk.switches.unique_execution_id:
            raise PackageError(
                f"Execution id '{wanted}' already exists. The execution id must be unique."
            )
        return wanted or f"{{{str(uuid.uuid4()).upper()}}}"

    def _execution(self, identity: str, order: ImportOrder, runs: list[EntityRun]) -> Execution:
        now, switches = self.clock(), self.desk.switches
        return Execution(
            id=identity,
            group=order.group,
            company=order.company,
            started=now,
            visible_at=now + max(switches.record_after, switches.begin_after),
            ready_at=now + switches.begin_after + switches.import_seconds,
            cleaned_at=now + (switches.clean_up_after or math.inf),
            runs=runs,
        )

    def _run(self, definition: EntityFile, language: str) -> EntityRun:
        known = self.desk.store.catalogue.entities
        name = find_entity(definition, language).name
        return EntityRun(entity=known[name], definition=definition)

    # the work

    def _guard(self, execution: Execution, work: Work) -> None:
        """An execution ends whatever happens; an unforeseen error is DMF043."""
        try:
            work()
        except Exception as error:
            _fail(
                execution,
                f"DMF043: {error}" if isinstance(error, PackageError) else "DMF043: General error.",
            )
            if not isinstance(error, PackageError):
                raise
        finally:
            execution.done = True

    def _run_whole(self, execution: Execution, order: ImportOrder, package: GivenPackage) -> None:
        self._stage(execution, package)
        self._finish(execution, order)

    def _stage(self, execution: Execution, package: GivenPackage) -> None:
        for run in execution.runs:
            run.staging = Phase.EXECUTING
            run.times["StagingStart"] = self.clock()
            run.staged = self._stage_file(run, package)
            run.staging = Phase.ERROR if run.staged.failed or run.staged.errors else Phase.FINISHED
            run.times["StagingEnd"] = self.clock()
        speed = self.desk.switches.rows_per_second
        if speed:
            rows = sum(len(run.staged.rows) for run in execution.runs)
            execution.ready_at = max(execution.ready_at, self.clock() + rows / speed)

    def _stage_file(self, run: EntityRun, package: GivenPackage) -> staging.Staged:
        switches = self.desk.switches
        if switches.staging_fault and self.broken < switches.staging_faults:
            self.broken += 1
            return staging.Staged(failed=switches.staging_fault)
        return staging.stage(run.entity, run.definition, package.content(run.definition), switches)

    def _finish(self, execution: Execution, order: ImportOrder) -> None:
        for run in _in_order(execution.runs):
            self._write(execution, run, wanted=order.execute)

    def _write(self, execution: Execution, run: EntityRun, *, wanted: bool) -> None:
        if not wanted or run.staged.failed or _is_stopped(execution.runs, run):
            run.target = Phase.NOT_RUN
            return
        run.target = Phase.EXECUTING
        run.times["TargetStart"] = self.clock()
        if self.groups.truncates(execution.group):
            self.desk.store.clear(run.entity, execution.company)
        target.write_target(self.desk, run.entity, run.staged, execution.company, run.written)
        run.target = Phase.ERROR if run.written.errors else Phase.FINISHED
        run.times["TargetEnd"] = self.clock()


def _fail(execution: Execution, message: str) -> None:
    for run in execution.runs:
        if run.target not in ENDED:
            run.staged.failed, run.target = message, Phase.ERROR
            run.staging = run.staging if run.staging in ENDED else Phase.ERROR


def find_entity(definition: EntityFile, language: str) -> ScmEntity:
    """The entity that a manifest means by its label, and by its name in code if it says one.

    Labels are those of the language of the SCM.

    Raises ``PackageError``.
    """
    entity = find_by_label(definition.label, language)
    wrong = entity is None or (
        definition.target and entity.aot_known and definition.target != entity.aot
    )
    if entity is None or wrong:
        raise PackageError(f"Entity {definition.label} does not exist in the target environment")
    return entity


def _in_order(runs: list[EntityRun]) -> list[EntityRun]:
    return sorted(
        runs, key=lambda run: (run.definition.unit, run.definition.level, run.definition.sequence)
    )


def _is_stopped(runs: list[EntityRun], run: EntityRun) -> bool:
    """Whether an error in the same unit, or in the same level, stops the rest."""
    failed = [
        one
        for one in runs
        if one.definition.unit == run.definition.unit and Phase.ERROR in (one.staging, one.target)
    ]
    before = [one for one in failed if one is not run]
    return any(one.definition.fail_unit for one in before) or any(
        one.definition.fail_level and one.definition.level <= run.definition.level for one in before
    )
