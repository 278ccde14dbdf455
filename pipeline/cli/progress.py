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
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from pipeline.cli.terminal import write_err
from pipeline.events import Listener, Step
from pipeline.show.visible import make_lines_visible, make_visible

_EVERY: Final = 10.0
"""Seconds between two plain lines of one step."""


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
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        known: dict[str, TaskID] = {}

        def listen(step: Step) -> None:
            if step.name and step.name not in known:
                known[step.name] = progress.add_task(make_visible(step.name), total=step.total)
            if step.name:
                progress.update(known[step.name], completed=step.done, total=step.total)
            if step.note:
                progress.console.print(make_lines_visible(step.note), markup=False, highlight=False)

        yield listen


class Lines:
    """Progress as plain lines.

    One when a step begins, one now and then while it runs, one with its last count.
    """

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._shown: Step | None = None
        self._last: Step | None = None
        self._since = clock()

    def __call__(self, step: Step) -> None:
        """Take note of a step."""
        if not step.name:
            self._write(f"{step.note}\n")
            return
        begins = self._last is None or step.name != self._last.name
        if begins:
            self.finish()
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
        of = "" if step.total is None else f" of {step.total:,}"
        self._write(f"{step.name}: {step.done:,}{of}" if step.done else step.name)
        self._shown, self._since = step, self._clock()
