"""Faults that are known and being mended: what fails because of them is counted apart.

An entry is removed with the repair: then the test of the same name must no longer be expected to
fail, and the long command counts what is left of it as a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.torture.schedules import make_order
from tests.torture.trial import Verdict


@dataclass(frozen=True, kw_only=True)
class Known:
    """A fault and where it shows.

    ``trials`` are beginnings of names, ``words`` stand in its problems; ``ways`` are those in which
    a proxy fails, or items of a specification, without which it does not show.
    """

    trials: tuple[str, ...]
    words: tuple[str, ...]
    ways: frozenset[str] = frozenset()

    def explains(self, verdict: Verdict, problem: str) -> bool:
        """Whether a problem is this fault."""
        found = verdict.name.startswith(self.trials) and any(one in problem for one in self.words)
        return found and (not self.ways or bool(self.ways & list_ways(verdict.name)))


KNOWN: Final[dict[str, Known]] = {}
"""By name."""


def list_ways(name: str) -> frozenset[str]:
    """What befalls the requests of a schedule; nothing in other trials."""
    _, how, value = name.split("/")
    if how != "schedule":
        return frozenset()
    order = make_order(int(value))
    items = (one.partition("=")[0].partition("@")[0] for one in order.faults.split(","))
    return frozenset({*order.ways, *items})


def find_expected(verdict: Verdict, known: Mapping[str, Known] = KNOWN) -> str | None:
    """The known faults that explain all problems of a trial; null if they do not."""
    found = [
        next((name for name, one in known.items() if one.explains(verdict, problem)), None)
        for problem in verdict.problems
    ]
    if None in found or not found:
        return None
    return "+".join(sorted({one for one in found if one is not None}))
