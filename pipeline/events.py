"""What a running command tells while it works: steps and counts, on stderr. Results go to stdout."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Where a run is: rows done of this step, and of how many if that is known."""

    name: str
    done: int
    total: int | None = None


Listener = Callable[[Step], None]

_EVERY: Final = 10.0
"""Seconds between plain lines."""


def silent(_step: Step) -> None:
    """Tell nothing."""


@contextmanager
def on_stderr() -> Iterator[Listener]:
    """A live bar on a terminal, plain lines elsewhere."""
    if sys.stderr.isatty():
        with _bars() as listener:
            yield listener
    else:
        yield _lines()


@contextmanager
def _bars() -> Iterator[Listener]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        known: dict[str, int] = {}

        def listen(step: Step) -> None:
            if step.name not in known:
                known[step.name] = int(progress.add_task(step.name, total=step.total))
            progress.update(known[step.name], completed=step.done, total=step.total)  # type: ignore[arg-type]

        yield listen


def _lines() -> Listener:
    last: tuple[str, float] = ("", time.monotonic())

    def listen(step: Step) -> None:
        nonlocal last
        now = time.monotonic()
        if step.name == last[0] and now - last[1] < _EVERY:
            return
        if step.name != last[0] or step.done:
            of = "" if step.total is None else f" of {step.total:,}"
            sys.stderr.write(f"{step.name}: {step.done:,}{of}\n" if step.done else f"{step.name}\n")
        last = (step.name, now)

    return listen
