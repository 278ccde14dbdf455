"""``--against``: an earlier run that a plan is compared with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Self

from pipeline.commands.answers import append_text
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.events import Listener
from pipeline.plan import compare, make, since
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import Project
from pipeline.run.folder import RunFolder, find_run
from pipeline.run.opened import note_opened_run

PREVIOUS: Final = "previous"
NONE: Final = "none"
"""Words besides the id of a run: the last run of the project, or nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Against:
    """What a plan is compared with: all of a named run, or who was held in the last one."""

    named: RunFolder | None = None
    previous: bool = False

    @classmethod
    def read(cls, common: Flags, word: str | None) -> Self:
        """What the flag says. Raises ``UsageError`` if there is no such run."""
        if word is None or word == NONE:
            return cls()
        if word == PREVIOUS:
            return cls(previous=True)
        named = find_run(common.runs, word)
        note_opened_run(None)  # What comes is about the new run.
        return cls(named=named)

    def make_plan(
        self, common: Flags, project: Project, request: PlanRequest, listener: Listener
    ) -> RunFolder:
        """Make a plan that says what is new since the last run, if that is asked for."""
        if self.previous:
            last = since.find_previous(common.runs, project, limit=request.limit, only=request.only)
            request = replace(request, previous=last)
        made = make.make_plan(project, request, common.runs, read_clock, listener)
        note_opened_run(made.path)
        return made

    def add_changes(self, result: Result, made: RunFolder) -> Result:
        """A result that also says all that differs from the named run, or who is held since."""
        if self.named is not None:
            note_opened_run(self.named.path)
            items = compare.compare_runs(self.named, made)
            note_opened_run(made.path)
            text = compare.render_changes(items, self.named)
            return replace(
                result, items=[*result.items, *items], text=partial(append_text, result, text)
            )
        changes = result.summary.since.changes
        return replace(result, items=[*result.items, *(one.as_json() for one in changes)])
