"""Progress on stderr: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
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

from pipeline.cli.terminal import write_err
from pipeline.events import Listener, Step
from pipeline.show.visible import make_lines_visible, make_visible

_EVERY: Final = 10.0
"""Seconds between two plain lines of one step."""
_SOON: Final = 1.0
"""Seconds before which a rate says nothing."""
_QUIET: Final = 2.0
"""Seconds without a word after which a step counts as ended while another one of its kind is
under way."""
_MINUTE: Final = 60


@contextmanager
def show_progress() -> Iterator[Listener]:
    """A live bar on a terminal, plain lines elsewhere."""
    if sys.stderr.isatty():
        with _show_bars() as listener:
            yield listener
    else:
        lines = Lines(write_err, time.monotonic)
        try:
            yield lines
        finally:
            lines.finish()


@contextmanager
def _show_bars() -> Iterator[Listener]:
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


def describe_pace(done: int, total: int | None, seconds: float, *, finished: bool) -> str:
    """Counts, rate and time left of a step, as far as they are known.

    ``seconds`` is how long ``done`` took.
    """
    if not done:
        return "" if total is None else f"0 of {total:,}"
    if finished or done == total:
        return f"{done:,}"
    rate = done / seconds if seconds >= _SOON else 0.0
    parts = [f"{done:,}" if total is None else f"{done:,} of {total:,}"]
    parts += [f"{rate:,.0f}/s"] if rate >= 1 else []
    if rate and total is not None and total > done:
        parts.append(f"{_describe_wait((total - done) / rate)} left")
    return ", ".join(parts)


def _describe_wait(seconds: float) -> str:
    whole = max(1, round(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _MINUTE * _MINUTE:
        return f"{round(whole / _MINUTE)} min"
    return f"{whole // _MINUTE**2} h {whole % _MINUTE**2 // _MINUTE} min"


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


class Lines:
    """Progress as plain lines.

    One when a step begins, one now and then while it runs, one with its last count.
    """

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._shown: Step | None = None
        self._last: Step | None = None
        self._since = self._began = clock()

    def __call__(self, step: Step) -> None:
        """Take note of a step."""
        if not step.name:
            self._write(f"{step.note}\n")
            return
        begins = self._last is None or step.name != self._last.name
        if begins:
            self.finish()
            self._began = self._clock()
        self._last = step
        if step.note:
            self._write(step.note)
        if (begins and not step.done) or self._clock() - self._since >= _EVERY:
            self._show(step)

    def finish(self) -> None:
        """End the step that was running."""
        if self._last is not None and self._last != self._shown:
            self._show(self._last)
        self._since = self._clock()

    def _show(self, step: Step) -> None:
        now = self._clock()
        pace = describe_pace(step.done, step.total, now - self._began, finished=False)
        if step.done and step.done == step.total:
            pace = f"{step.done:,} of {step.total:,}"
        self._write(f"{step.name}: {pace}" if step.done else step.name)
        self._shown, self._since = step, now
