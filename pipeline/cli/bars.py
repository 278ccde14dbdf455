"""Progress as a live display on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from pipeline.cli.pace import describe_pace
from pipeline.events import Listener, Step
from pipeline.show.visible import make_lines_visible, make_visible

_QUIET: Final = 2.0
"""Seconds without a word after which a step counts as ended while another one of its kind is
under way."""


@contextmanager
def show_bars() -> Iterator[Listener]:
    """A display that is gone afterwards."""
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        _PaceColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bars(progress, time.monotonic)


class _PaceColumn(ProgressColumn):
    """How much is done, how fast, and how long the rest takes."""

    def render(self, task: Task) -> Text:
        """The text of one step."""
        if task.finished and not task.fields.get("counted", True):
            return Text("")
        total = None if task.total is None else int(task.total)
        return Text(
            describe_pace(int(task.completed), total, task.elapsed or 0.0, finished=task.finished)
        )


class Bars:
    """Steps as bars of one live display.

    A step ends when another one begins. Tables are read side by side: a step of the same kind, by
    its first word, ends once nothing was heard of it for some seconds; it may go on later.
    """

    def __init__(self, progress: Progress, clock: Callable[[], float]) -> None:
        self._progress = progress
        self._clock = clock
        self._known: dict[str, TaskID] = {}
        self._heard: dict[str, float] = {}

    def __call__(self, step: Step) -> None:
        """Take note of a step."""
        if step.name:
            self._begin(step)
            task = self._find(step.name)
            if task.finished:  # It went on after all.
                task.total, task.finished_time = step.total, None
            self._progress.update(task.id, completed=step.done, total=step.total)
        if step.note:
            note = make_lines_visible(step.note)
            self._progress.console.print(note, markup=False, highlight=False)

    def _begin(self, step: Step) -> None:
        now = self._clock()
        if step.name not in self._known:
            name = make_visible(step.name)
            self._known[step.name] = self._progress.add_task(name, total=step.total)
        self._heard[step.name] = now
        for other, heard in self._heard.items():
            alike = other.partition(" ")[0] == step.name.partition(" ")[0]
            if other != step.name and (not alike or now - heard >= _QUIET):
                self._end(other)

    def _find(self, name: str) -> Task:
        return next(one for one in self._progress.tasks if one.id == self._known[name])

    def _end(self, name: str) -> None:
        task = self._find(name)
        if not task.finished:
            done = max(task.completed, 1)
            counted = task.completed > 0
            self._progress.update(task.id, total=done, completed=done, counted=counted)
