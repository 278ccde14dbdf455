"""What a running command tells while it works: steps and counts, on stderr.

Results go to stdout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Where a run is: rows done of this step, and of how many if that is known."""

    name: str
    done: int
    total: int | None = None


Listener = Callable[[Step], None]


def silent(_step: Step) -> None:
    """Tell nothing."""
