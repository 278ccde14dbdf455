"""How many rows have their outcome, reported to whoever watches."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from pipeline.events import Listener, Step
from pipeline.run.journal import Entry
from pipeline.run.ledger import list_ended_units


class LoadTally:
    """Counts rows as units end, from any thread; those that ended before count as well."""

    def __init__(self, step: str, entries: Iterable[Entry], total: int, listener: Listener) -> None:
        self._step = step
        self._total = total
        self._listener = listener
        self._lock = threading.Lock()
        self._done = sum(int(one.facts["rows"]) for one in list_ended_units(entries))

    def add(self, rows: int) -> None:
        """So many more rows have their outcome."""
        with self._lock:
            self._done += rows
            self._listener(Step(name=self._step, done=self._done, total=self._total))

    def note(self, text: str) -> None:
        """Say for what the step is waiting."""
        with self._lock:
            step = Step(name=self._step, done=self._done, total=self._total, note=text)
            self._listener(step)
