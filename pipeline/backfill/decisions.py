"""Landed contacts, documents and counters → a backfill's tables, and what was counted."""

from __future__ import annotations

from pipeline.backfill.evidence import write_contact_evidence
from pipeline.backfill.morsels import BackfillTally, Stream, plan_morsels
from pipeline.backfill.plan_tables import write_plan_tables
from pipeline.backfill.preparing import (
    choose_contacts,
    find_none_chosen,
    prepare_contacts,
)
from pipeline.backfill.ranking import rank_contacts
from pipeline.backfill.summary import CountedBackfill
from pipeline.errors import InvariantBroken
from pipeline.events import Step
from pipeline.plan.request import Planning
from pipeline.plan.sessions import make_hasher
from pipeline.run.findings import RunFinding
from sql.session import Session


def decide_backfill(planning: Planning, main: Session, hasher: Session) -> CountedBackfill:
    """Read, decide, write."""
    settings, contacts = planning.project.settings, planning.source.landed["contacts"]
    prepared = prepare_contacts(main, planning)
    rows = prepared.rows
    last_row = choose_contacts(main, planning, rows)
    evidence = planning.folder.path / "scratch" / "evidence.parquet"
    statuses = [int(one) for one in (settings.backfill.statuses or "").split(",") if one.strip()]
    strays = write_contact_evidence(main, statuses, evidence)
    ranked = rank_contacts(main, last_row, settings.backfill.seed)
    of_run = [
        *planning.list_source_findings(),
        *prepared.list_reading_findings(),
        *find_none_chosen(main, planning, rows),
        *(RunFinding(code=name, detail=f"{count:,}") for name, count in strays.items() if count),
        *ranked.findings,
    ]
    tally = BackfillTally()
    stream = Stream(
        main=main,
        md5=make_hasher(hasher),
        settings=settings,
        evidence=evidence,
        ranked=ranked,
        last_row=last_row,
        tally=tally,
    )

    def progress() -> None:
        planning.listener(Step(name="planning", done=sum(tally.states.values()), total=rows))

    with plan_morsels(stream) as morsels:
        write_plan_tables(planning, morsels, of_run, progress)
    if ranked.numbers.count != tally.actions["number"] + tally.actions["both"]:
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
        numbers=ranked.numbers,
        request_rows=settings.backfill.request_rows if planning.source.is_live else None,
    )
