"""Landed contacts, documents and counters → a backfill's tables, and what was counted."""

from __future__ import annotations

from pipeline.backfill.morsels import BackfillTally
from pipeline.backfill.opening import open_backfill
from pipeline.backfill.plan_tables import write_plan_tables
from pipeline.backfill.preparing import find_none_chosen, prepare_contacts
from pipeline.backfill.summary import CountedBackfill
from pipeline.backfill.ways import BackfillWay, Survey
from pipeline.errors import InvariantBroken
from pipeline.events import Step
from pipeline.plan.request import Planning
from pipeline.run.findings import RunFinding
from sql.session import Session


def decide_backfill(planning: Planning, main: Session, hasher: Session) -> CountedBackfill:
    """Read, decide, write."""
    with open_backfill(planning, main, hasher) as way:
        return _decide(planning, main, way)


def _decide(planning: Planning, main: Session, way: BackfillWay) -> CountedBackfill:
    settings, contacts = planning.project.settings, planning.source.landed["contacts"]
    prepared = prepare_contacts(main, planning, way.hash_parts)
    rows = prepared.rows
    found = way.survey(rows)
    numbers, tally = found.ranked.numbers, BackfillTally()
    of_run = [
        *planning.list_source_findings(),
        *prepared.list_reading_findings(),
        *_list_survey_findings(planning, found, rows),
    ]

    def progress() -> None:
        planning.listener(Step(name="planning", done=sum(tally.states.values()), total=rows))

    with way.decide(found, tally) as morsels:
        write_plan_tables(planning, morsels, of_run, progress)
    if numbers.count != tally.actions["number"] + tally.actions["both"]:
        raise InvariantBroken("contacts that get a number are not as many as ranks.")
    for one in of_run:
        tally.findings[one.code] += one.concerned
    return CountedBackfill(
        rows=contacts.rows,
        unreadable=len(contacts.unreadable),
        without_id=tally.states["unreadable"],
        left_out={name: tally.states[name] for name in ("superseded", "deleted")},
        actions=tally.actions,
        findings=tally.findings,
        of_run=of_run,
        numbers=numbers,
        request_rows=settings.backfill.request_rows if planning.source.is_live else None,
    )


def _list_survey_findings(planning: Planning, found: Survey, rows: int) -> list[RunFinding]:
    none = find_none_chosen(
        planning, rows, are_there=found.are_there, are_selected=found.are_selected
    )
    strays = [
        RunFinding(code=name, detail=f"{count:,}") for name, count in found.strays.items() if count
    ]
    return [*none, *strays, *found.ranked.findings]
