"""The pace of a run with one system: how many requests at once, and when all of them wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pipeline.errors import Stopped

_FIRST: Final = 4
"""Requests at once until the system says how many it prefers (``x-ms-dop-hint``)."""
_TOLD_FROM: Final = 20.0
"""Seconds of a wait from which on it is told."""
_TOLD_EVERY: Final = 60.0
"""Seconds between two words about one wait."""
_RECOVERY: Final = 20
"""Answers in a row after which one more request at once is allowed again."""
_TICK: Final = 0.25
"""Seconds of one wait: a signal is heard after it at the latest, whatever restarts system calls."""


class Halted(Stopped):
    """Another part of the run failed, so this one ends as well."""


class Pace:
    """Shared by everything that talks to one system.

    A 429 makes everybody wait and halves how many requests may be under way at once. Answers bring
    the number back, one by one, to what the system hinted at.
    """

    def __init__(
        self,
        *,
        ceiling: int = 50,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[float], None] | None = None,
    ) -> None:
        """``tell`` hears once a minute how many seconds the system still wants us to wait."""
        self._ceiling = max(1, ceiling)
        self._target = self._limit = min(_FIRST, self._ceiling)
        self._running = 0
        self._answers = 0
        self._not_before = 0.0
        self._changed = threading.Condition()
        self._halt = threading.Event()
        self._sleep = sleep
        self._clock = clock
        self._tell = tell
        self._told = -_TOLD_EVERY

    @property
    def limit(self) -> int:
        """How many requests may be under way at once, as of now."""
        return self._limit

    def hint(self, degree: int) -> None:
        """Take the system's own word on parallelism."""
        with self._changed:
            wanted = max(1, min(degree, self._ceiling))
            if self._limit == self._target or wanted < self._limit:
                self._limit = wanted
            self._target = wanted
            self._changed.notify_all()

    def slow_down(self, seconds: float) -> None:
        """Let nobody send anything for so many seconds; then half as many at once."""
        with self._changed:
            self._not_before = max(self._not_before, self._clock() + seconds)
            self._limit = max(1, self._limit // 2)
            self._answers = 0

    def answered(self) -> None:
        """Note that a request went well."""
        with self._changed:
            self._answers += 1
            if self._limit < self._target and self._answers >= _RECOVERY:
                self._answers = 0
                self._limit += 1
                self._changed.notify_all()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """The right to have one request under way. Raises ``Halted``."""
        self._enter()
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _enter(self) -> None:
        while True:
            with self._changed:
                wait = self._not_before - self._clock()
                if self._halt.is_set():
                    raise Halted("the run is being stopped.")
                if wait <= 0:
                    if self._running < self._limit:
                        self._running += 1
                        return
                    self._changed.wait(_TICK)
                    continue
            self.wait(wait)

    def wait(self, seconds: float) -> None:
        """Wait as the system asked, and say so while it lasts. Raises ``Halted``."""
        left = seconds
        while self._tell is not None and left >= _TOLD_FROM:
            self._say(self._tell, left)
            piece = min(left, _TOLD_EVERY)
            self.sleep(piece)
            left -= piece
        if left > 0:
            self.sleep(left)

    def _say(self, tell: Callable[[float], None], left: float) -> None:
        """Say how long it lasts; many threads wait, and one of them says so."""
        with self._changed:
            now = self._clock()
            is_due = now - self._told >= _TOLD_EVERY
            self._told = now if is_due else self._told
        if is_due:
            tell(left)

    def sleep(self, seconds: float) -> None:
        """Wait, unless the run is being stopped. Raises ``Halted``."""
        if self._sleep is not None:
            self._sleep(seconds)
            return
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 or self._halt.is_set():
            if self._halt.wait(min(left, _TICK)):
                raise Halted("the run is being stopped.")

    def halt(self) -> None:
        """Stop everybody who waits now or wants a slot later."""
        with self._changed:
            self._halt.set()
            self._changed.notify_all()

    def resume(self) -> None:
        """Allow requests again after a halt."""
        self._halt.clear()
