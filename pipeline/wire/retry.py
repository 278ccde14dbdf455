"""The one retry policy: what is asked again, after how long, and when it is enough.

stamina retries well, but its sleep cannot be passed in, and one worker's wait would not make the
others wait.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.errors import SystemStopped, Throttled


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """Caps on attempts, on seconds overall, and on one wait.

    ``first_attempts`` counts until a system has answered once. A system that never answered is more
    likely misspelt than overloaded, so people should hear of it soon.
    """

    attempts: int = 8
    first_attempts: int = 3
    seconds: float = 900.0
    longest: float = 60.0
    base: float = 1.0
    busy: float = 30.0
    """Seconds to wait when a system is throttling and does not say how long (reference B.4)."""

    def wait(
        self,
        error: SystemStopped,
        failed: int,
        spent: float,
        *,
        was_there: bool,
        chance: Callable[[], float],
    ) -> float | None:
        """Seconds until the next attempt; null when there is none.

        Args:
            error: the last failure.
            failed: attempts so far.
            spent: seconds since the first one.
            was_there: whether this system has ever answered.
            chance: a random number from 0 to 1: jitter, so that workers do not return in step.
        """
        if not error.again or failed >= (
            self.attempts if was_there or error.status else self.first_attempts
        ):
            return None
        asked = (
            error.wait
            if error.wait is not None
            else (self.busy if isinstance(error, Throttled) else None)
        )
        if asked is None:
            seconds = min(self.longest, self.base * 2 ** (failed - 1)) * (0.5 + chance() / 2)
        else:
            seconds = asked + chance() * min(1.0, asked)
        return seconds if spent + seconds <= self.seconds else None


def draw_jitter() -> float:
    """A random number from 0 to 1; no secret depends on it."""
    return random.SystemRandom().random()
