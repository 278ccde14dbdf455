"""What was landed for a plan, and what is wanted of a live Sales."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.extract.landing import LandedTable, Note
from pipeline.run.facts import SalesRead
from pipeline.run.findings import RunFinding


@dataclass(frozen=True, kw_only=True, slots=True)
class LandedSource:
    """What was landed.

    ``facts`` are for ``run.json``, ``lines`` for people; both are empty for files.
    """

    landed: Mapping[str, LandedTable]
    is_live: bool = False
    findings: list[RunFinding] = field(default_factory=list)
    facts: SalesRead = field(default_factory=SalesRead)
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class SalesWish:
    """What of a live Sales is wanted.

    ``mapped`` are columns of contacts that must be there, ``wished`` ones are taken if they are.
    ``changes``: the tables of the newest run that has them are refreshed, instead of reading all.
    """

    tables: Collection[str]
    mapped: Collection[str]
    wished: Collection[str]
    changes: bool


def frame_notes(notes: Iterable[Note]) -> list[RunFinding]:
    """What is to be said of exports, as findings of the run."""
    return [
        RunFinding(code=one.code, detail=one.detail, column=one.column, source_file=one.source_file)
        for one in notes
    ]
