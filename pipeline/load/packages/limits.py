"""How long an import is waited for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportLimits:
    """How long an import is waited for, in seconds.

    ``poll``: between two looks, at the most. ``record``: until SCM must know an import that was
    sent to it. ``queue``: until SCM must take an import, if others are under way or it throttles.
    ``whole``: until an import must have ended; then the command stops, and the same command
    continues. ``keys``: until the file of refused keys must be there.
    """

    poll: float = 10.0
    record: float = 1_800.0
    queue: float = 3_600.0
    whole: float = 43_200.0
    keys: float = 300.0
