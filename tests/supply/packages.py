"""The packages that p2c runs with, as they are installed here: found by following requirements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from typing import Final

from packaging.requirements import Requirement

EXTRAS: Final = (
    *("lake", "sandbox", "stores", "telemetry"),
    *(("spark",) if find_spec("pyspark") else ()),
)
"""Extras of p2c for people who run it; Spark where it is installed, as it needs Java."""


def normalize_name(name: str) -> str:
    """A package's name as the index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, kw_only=True)
class Packages:
    """``installed``: name → package, without p2c itself; ``needs``: name → names it requires.

    ``missing`` are required and not installed.
    """

    installed: dict[str, Distribution] = field(default_factory=dict)
    needs: dict[str, set[str]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)


def find_packages(root: str = "p2c", extras: tuple[str, ...] = EXTRAS) -> Packages:
    """All packages that one requires with these extras, and those that they require in turn."""
    found = Packages()
    waiting = [(root, frozenset(extras))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        try:
            one = distribution(name)
        except PackageNotFoundError:
            found.missing.add(name)
            continue
        if name != root:
            found.installed[name] = one
        needs = {(normalize_name(need.name), frozenset(need.extras)) for need in _list(one, wanted)}
        found.needs.setdefault(name, set()).update(need for need, _ in needs)
        waiting += sorted(needs, key=str)
    return found


def _list(one: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    """The requirements that count on this machine, with these extras."""
    for text in one.requires or ():
        need = Requirement(text)
        marker = need.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield need
