"""Findings of a plan as a whole, after its last contact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from pipeline.mapping.compile import CompiledTemplate
from pipeline.plan.changes import compare_updates
from pipeline.plan.gaps import list_column_gaps
from pipeline.plan.gone import find_gone
from pipeline.plan.prepare import Prepared, Routing, find_unused_units
from pipeline.plan.request import Planning
from pipeline.plan.source import frame_notes
from pipeline.project.resolve import Project
from pipeline.run.findings import RunFinding
from pipeline.transform.decide import CUSTOMERS, Decider
from pipeline.transform.tally import Tally
from sql.session import Session

_FLAG: Final = "msdynce_isactivecustomer"
_MISSING: Final = {
    "SiteId": "site_missing",
    "WarehouseId": "warehouse_missing",
    "LanguageId": "language_missing",
}
"""Column of customers that may be blank, but should not → code."""


def add_run_findings(
    planning: Planning, decider: Decider, main: Session, routing: Routing, prepared: Prepared
) -> list[RunFinding]:
    """Add to the findings of preparation what systems, business units and counts say."""
    prepared.findings += [*planning.list_source_findings(), *planning.destination.findings]
    if not planning.source.is_live:
        gaps = list_column_gaps(planning.project, planning.source.landed)
        prepared.findings += frame_notes(gaps)
    prepared.findings += find_unused_units(main, routing, decider.tally.units)
    prepared.findings += _list_warnings(decider.finish(), planning.project, prepared)
    prepared.findings += _list_split(planning.mappings, decider)
    unreadable = (
        len(planning.source.landed["contacts"].unreadable) + decider.tally.states["unreadable"]
    )
    prepared.findings += find_gone(planning, main, all_read=not unreadable)
    prepared.findings += compare_updates(planning, main)
    return prepared.findings


def find_nothing(contacts: int, selected: int) -> Iterator[RunFinding]:
    """What is wrong where nothing is left to work on.

    Args:
        contacts: of the source.
        selected: those that filter, ``--limit`` and ``--only`` leave.
    """
    if not contacts:
        yield RunFinding(code="no_contacts")
    elif not selected:
        yield RunFinding(code="nothing_selected", detail=f"{contacts:,}")


def _list_split(mappings: Mapping[str, CompiledTemplate], decider: Decider) -> Iterator[RunFinding]:
    """Tasks whose rows need more packages, because some columns are left out of some."""
    batcher = decider.batcher
    for task, mapping in mappings.items():
        if not (decider.packages and mapping.kept):
            continue
        sent: Counter[str] = Counter()
        batches = [place for place in batcher.sizes if place[0] == task]
        for place in batches:
            sent[place[1]] += batcher.sizes[place]
        if len(batches) > sum(-(-rows // batcher.rows) for rows in sent.values()):
            yield RunFinding(code="packages_split", detail=str(len(batches)), column=task)


def _list_warnings(tally: Tally, project: Project, prepared: Prepared) -> Iterator[RunFinding]:
    """Warnings of the run as a whole, each counted once."""
    yield from _list_flag_warnings(tally, project)
    persons = tally.decisions["contact"]
    if persons and not prepared.parameters["scm_read"]:
        yield RunFinding(code="accounts_assumed", detail=str(persons))
    for (task, column), count in tally.defaulted.items():
        if count:
            yield RunFinding(code="default_used", detail=str(count), column=f"{task}.{column}")
    for column, code in _MISSING.items():
        if tally.blanks[CUSTOMERS, column]:
            yield RunFinding(code=code, detail=str(tally.blanks[CUSTOMERS, column]), column=column)


def _list_flag_warnings(tally: Tally, project: Project) -> Iterator[RunFinding]:
    contacts = sum(tally.decisions.values())
    left_out = sum(tally.reasons["skipped", name] for name in ("filtered_out", "not_selected"))
    yield from find_nothing(contacts, contacts - left_out)
    if contacts and not tally.flags["yes"]:
        yield RunFinding(code="flag_never_set", column=_FLAG)
    if tally.flags["blank"] and project.settings.source.flag_blank == "no":
        yield RunFinding(code="flag_null", detail=f"{tally.flags['blank']}", column=_FLAG)
