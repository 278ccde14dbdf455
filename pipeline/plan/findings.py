"""Findings of a plan as a whole, after its last contact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from pipeline.mapping.compile import CompiledTemplate
from pipeline.plan.changes import compare_updates
from pipeline.plan.gaps import list_column_gaps
from pipeline.plan.gone import find_gone
from pipeline.plan.landed import frame_notes
from pipeline.plan.null_words import Cells, list_used, report_faults
from pipeline.plan.prepare import Prepared, Routing, find_unused_units
from pipeline.plan.request import Planning
from pipeline.plan.warnings import list_warnings
from pipeline.run.findings import RunFinding
from pipeline.transform.decide import Decider
from sql.session import Session


def add_run_findings(
    planning: Planning,
    decider: Decider,
    main: Session,
    routing: Routing,
    prepared: Prepared,
    words: Cells,
) -> list[RunFinding]:
    """Add to the findings of preparation what systems, business units and counts say.

    ``words``: see ``Way``.
    """
    prepared.findings += [*planning.list_source_findings(), *planning.destination.findings]
    if not planning.source.is_live:
        gaps = list_column_gaps(planning.project, planning.source.landed)
        prepared.findings += frame_notes(gaps)
    contacts = planning.source.landed["contacts"]
    prepared.findings += report_faults(main, contacts, words, list_used(routing.said))
    prepared.findings += find_unused_units(main, routing, decider.tally.units)
    decider.finish()
    prepared.findings += list_warnings(decider.tally, planning.project, routing, prepared)
    prepared.findings += _list_split(planning.mappings, decider)
    return prepared.findings


def add_comparisons(planning: Planning, decider: Decider, main: Session) -> list[RunFinding]:
    """What the written decisions and rows say, compared with earlier loads and with SCM."""
    contacts = planning.source.landed["contacts"]
    unreadable = len(contacts.unreadable) + decider.tally.states["unreadable"]
    return [
        *find_gone(planning, main, all_read=not unreadable),
        *compare_updates(planning, main),
    ]


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
            yield RunFinding(code="packages_split", detail=f"{len(batches):,}", column=task)
