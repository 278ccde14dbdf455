"""What passed over the wire: requests, bytes, rows, waits.

For reports, and for people who pay by the request.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """Counts of one subject, usually a table.

    ``bytes`` counts bodies as they came over the wire.
    """

    requests: int = 0
    bytes: int = 0
    rows: int = 0
    retries: int = 0
    throttled: int = 0
    waited: float = 0.0
    """Seconds."""

    @property
    def requests_per_1000(self) -> float | None:
        """Requests for 1,000 rows; null without rows."""
        return self.requests * 1000 / self.rows if self.rows else None

    @property
    def bytes_per_1000(self) -> float | None:
        """Bytes for 1,000 rows; null without rows."""
        return self.bytes * 1000 / self.rows if self.rows else None

    def __add__(self, other: Traffic) -> Traffic:
        """Both together."""
        return Traffic(
            requests=self.requests + other.requests,
            bytes=self.bytes + other.bytes,
            rows=self.rows + other.rows,
            retries=self.retries + other.retries,
            throttled=self.throttled + other.throttled,
            waited=self.waited + other.waited,
        )


@dataclass(kw_only=True, slots=True)
class Meter:
    """Counts by subject, from many threads at once."""

    _counts: dict[str, Traffic] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, subject: str, traffic: Traffic) -> None:
        """Count something."""
        with self._lock:
            self._counts[subject] = self._counts.get(subject, Traffic()) + traffic

    def by_subject(self) -> dict[str, Traffic]:
        """All counts."""
        with self._lock:
            return {subject: replace(traffic) for subject, traffic in self._counts.items()}

    def total(self) -> Traffic:
        """All subjects together."""
        return sum(self.by_subject().values(), start=Traffic())
