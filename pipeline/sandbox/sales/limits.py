"""Service protection: 6,000 requests, 20 minutes of work in 300 seconds, 52 requests at once.

For each user; always counted, for the headers that say what is left; enforced on demand.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from pipeline.sandbox.sales.failures import SalesFailure

CODES: Final = {"requests": "0x80072322", "time": "0x80072321", "concurrency": "0x80072326"}


@dataclass(kw_only=True, slots=True)
class _Usage:
    """What one user did of late: when each request ended and how long it took, in seconds."""

    past: deque[tuple[float, float]] = field(default_factory=deque)
    spent: float = 0.0
    running: int = 0
    refused: int = 0


@dataclass(kw_only=True)
class Limits:
    """The limits of one server. Times in seconds."""

    now: Callable[[], float]
    enforced: bool = False
    requests: int = 6000
    window: float = 300.0
    work: float = 1200.0
    concurrency: int = 52
    _users: dict[str, _Usage] = field(default_factory=lambda: defaultdict(_Usage))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, user: str) -> None:
        """A request begins.

        Raises ``SalesFailure`` with the time to wait; it grows with every request refused.
        """
        with self._lock:
            usage = self._users[user]
            self._forget(usage)
            if self.enforced:
                self._check(usage)
            usage.running += 1
            usage.refused = 0

    def leave(self, user: str, seconds: float) -> None:
        """A request has ended."""
        with self._lock:
            usage = self._users[user]
            usage.running -= 1
            usage.past.append((self.now(), seconds))
            usage.spent += seconds

    def headers(self, user: str) -> dict[str, str]:
        """What is left, as response headers."""
        with self._lock:
            usage = self._users[user]
            left = max(0, self.requests - len(usage.past) - usage.running)
            seconds = max(0.0, self.work - usage.spent)
        return {
            "x-ms-ratelimit-burst-remaining-xrm-requests": str(left),
            "x-ms-ratelimit-time-remaining-xrm-requests": f"{seconds:,.2f}",
        }

    def _forget(self, usage: _Usage) -> None:
        begin = self.now() - self.window
        while usage.past and usage.past[0][0] <= begin:
            usage.spent -= usage.past.popleft()[1]

    def _check(self, usage: _Usage) -> None:
        if usage.running >= self.concurrency:
            self._refuse(
                usage,
                "concurrency",
                f"Number of concurrent requests exceeded the limit of {self.concurrency}.",
                1.0,
            )
        wait = usage.past[0][0] + self.window - self.now() if usage.past else 1.0
        if len(usage.past) + usage.running >= self.requests:
            text = (
                f"Number of requests exceeded the limit of {self.requests} over time window of "
                f"{self.window:.0f} seconds."
            )
            self._refuse(usage, "requests", text, wait)
        if usage.spent >= self.work:
            text = (
                "Combined execution time of incoming requests exceeded limit of "
                f"{self.work * 1000:,.0f} milliseconds over time window of "
                f"{self.window:.0f} seconds. Decrease number of concurrent requests or reduce the "
                "duration of requests "
                "and try again later."
            )
            self._refuse(usage, "time", text, wait)

    def _refuse(self, usage: _Usage, kind: str, text: str, wait: float) -> None:
        usage.refused += 1
        raise throttled(kind, text, math.ceil(max(wait, 1.0)) + usage.refused - 1)


def throttled(kind: str, text: str, seconds: int) -> SalesFailure:
    """The refusal of one limit."""
    headers = {"Retry-After": str(seconds)}
    return SalesFailure(
        status=HTTPStatus.TOO_MANY_REQUESTS, code=CODES[kind], message=text, headers=headers
    )
