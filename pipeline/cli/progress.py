"""Progress on stderr: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pipeline.cli.pace import describe_pace
from pipeline.cli.terminal import write_err
from pipeline.events import Listener, Step
from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.cli import bars
else:
    bars = import_lazily("pipeline.cli.bars")

_EVERY: Final = 10.0
"""Seconds between two plain lines of one step."""


@contextmanager
def show_progress() -> Iterator[Listener]:
    """A live bar on a terminal, plain lines elsewhere."""
    if sys.stderr.isatty():
        with bars.show_bars() as listener:
            yield listener
    else:
        lines = Lines(write_err, time.monotonic)
        try:
            yield lines
        finally:
            lines.finish()


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
