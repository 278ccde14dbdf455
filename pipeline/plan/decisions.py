"""Landed tables → decided contacts, morsel by morsel."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from pipeline.events import Step
from pipeline.plan.deciding import make_decider
from pipeline.plan.morsels import decide_morsels
from pipeline.plan.null_words import refuse_seen, view_tables
from pipeline.plan.only import find_missing_only
from pipeline.plan.prepare import Prepared, Routing, prepare
from pipeline.plan.request import Planning
from pipeline.plan.routing import list_small, make_routing
from pipeline.plan.stretches import take_contacts
from pipeline.transform.decide import DecidedMorsel, Decider
from sql.session import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class Deciding:
    """What contacts are decided with."""

    planning: Planning
    main: Session
    routing: Routing
    prepared: Prepared
    decider: Decider


Record = Callable[[Deciding, Generator[DecidedMorsel]], None]
"""What is done with decided contacts: they must all be taken."""


def decide_contacts(
    planning: Planning, main: Session, hasher: Session, record: Record
) -> tuple[Prepared, Decider]:
    """Decide about every contact, and record it; what was counted is in both answers."""
    landed = planning.source.landed
    routing = make_routing(planning)
    rows = planning.project.settings.run.morsel_rows
    blank = view_tables(
        main,
        landed,
        planning.project.settings.source.null_words,
        used=[name.partition(":")[2] for name in routing.said],
        is_live=planning.source.is_live,
    )
    planning.listener(Step(name="looking for repeats", done=0))
    prepared = prepare(main, set(landed), routing, list_small(landed, rows))
    prepared.findings += blank.findings
    prepared.findings += [] if routing.only is None else find_missing_only(main)
    decider = make_decider(planning, hasher)
    contacts = take_contacts(main, landed, routing, blank.words)
    deciding = Deciding(
        planning=planning, main=main, routing=routing, prepared=prepared, decider=decider
    )
    with decide_morsels(main, contacts, prepared, decider, rows) as decided:
        record(deciding, decided)
    if blank.asked:
        refuse_seen(landed, contacts.texts.words)
    return prepared, decider
