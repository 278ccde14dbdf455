"""Decided contacts: written into the run folder, or counted only."""

from __future__ import annotations

from pipeline.events import Step
from pipeline.plan import known
from pipeline.plan.decisions import Deciding, decide_contacts
from pipeline.plan.findings import add_comparisons, add_run_findings
from pipeline.plan.keeping import keep_memory, keep_request
from pipeline.plan.prepare import Prepared
from pipeline.plan.request import Planning
from pipeline.plan.ways import StreamedContacts, Way, open_stream, open_way
from pipeline.plan.writing import write_decided
from pipeline.run.findings import RunFinding
from pipeline.transform.decide import Decider
from sql.session import Session


def record_decisions(
    planning: Planning, main: Session, hasher: Session
) -> tuple[Prepared, Decider]:
    """Decide about every contact and write it down; what was counted is in both answers."""
    return decide_contacts(planning, main, hasher, open_way, _record)


def record_again(planning: Planning, main: Session, hasher: Session) -> Decider:
    """Decide about every contact and write it down, without comparing it with earlier loads."""
    return decide_contacts(planning, main, hasher, open_way, _record_alone)[1]


def count_decisions(planning: Planning, main: Session, hasher: Session) -> tuple[Prepared, Decider]:
    """Decide about every contact, and write nothing."""
    return decide_contacts(planning, main, hasher, open_stream, _count)


def _record(deciding: Deciding, way: Way) -> None:
    """Write decisions, planned rows and findings into the run folder."""
    planning, main = deciding.planning, deciding.main

    def finish() -> list[RunFinding]:
        found = _add_findings(deciding, way)
        found += add_comparisons(planning, deciding.decider, main)
        return found

    write_decided(
        planning,
        lambda findings: way.write(deciding.routing, deciding.prepared, deciding.decider, findings),
        finish,
    )
    planning.pinned[known.LOADED_MEMORY] = known.digest_memory(main, planning.folder)
    keep_request(deciding.routing.only, planning.folder)
    planning.memory = keep_memory(main, planning.folder)


def _record_alone(deciding: Deciding, way: Way) -> None:
    """Write decisions, planned rows and findings."""
    write_decided(
        deciding.planning,
        lambda findings: way.write(deciding.routing, deciding.prepared, deciding.decider, findings),
        lambda: _add_findings(deciding, way),
    )


def _count(deciding: Deciding, way: StreamedContacts) -> None:
    """Count what is decided, and write nothing."""
    done, total = 0, deciding.prepared.rows
    with way.decide(deciding.routing, deciding.prepared, deciding.decider) as decided:
        for one in decided:
            done += one.read
            deciding.planning.listener(Step(name="checking", done=done, total=total))
    _add_findings(deciding, way)


def _add_findings(deciding: Deciding, way: Way) -> list[RunFinding]:
    return add_run_findings(
        deciding.planning,
        deciding.decider,
        deciding.main,
        deciding.routing,
        deciding.prepared,
        way.words,
    )
