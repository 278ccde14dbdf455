"""What a running command reports while it works: steps and counts, on stderr.

Results go to stdout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """How far a run is: rows done in this step, and the total if it is known.

    ``note`` says for what the step is waiting, and is blank if nothing is to be said. A step
    without a name is nothing but a note, whatever is under way.
    """

    name: str
    done: int
    total: int | None = None
    note: str = ""


Listener = Callable[[Step], None]


def report_nothing(_step: Step) -> None:
    """Report nothing."""
