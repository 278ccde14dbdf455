"""Landed tables → decided contacts, morsel by morsel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

from pipeline.events import Step
from pipeline.plan.deciding import make_decider
from pipeline.plan.null_words import list_used, refuse_seen, view_tables
from pipeline.plan.only import find_missing_only
from pipeline.plan.prepare import Prepared, Routing, prepare
from pipeline.plan.request import Planning
from pipeline.plan.routing import list_small, make_routing
from pipeline.plan.ways import Way
from pipeline.transform.decide import Decider
from sql.session import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class Deciding:
    """What contacts are decided with."""

    planning: Planning
    main: Session
    routing: Routing
    prepared: Prepared
    decider: Decider


W = TypeVar("W", bound=Way)
OpenWay = Callable[[Planning, Session, Mapping[str, Sequence[str]]], AbstractContextManager[W]]
"""Opens the way in which contacts are decided about (``open_way``)."""


def decide_contacts(
    planning: Planning,
    main: Session,
    hasher: Session,
    open_way: OpenWay[W],
    record: Callable[[Deciding, W], None],
) -> tuple[Prepared, Decider]:
    """Decide about every contact, and record it; what was counted is in both answers."""
    landed = planning.source.landed
    routing = make_routing(planning)
    rows = planning.project.settings.run.morsel_rows
    blank = view_tables(
        main,
        landed,
        planning.project.settings.source.null_words,
        used=list_used(routing.said),
        is_live=planning.source.is_live,
    )
    planning.listener(Step(name="looking for repeats", done=0))
    with open_way(planning, main, blank.words) as way:
        small = list_small(landed, rows) if way.hash_elsewhere is None else ()
        prepared = prepare(main, set(landed), routing, small, way.hash_elsewhere)
        prepared.findings += blank.findings
        prepared.findings += [] if routing.only is None else find_missing_only(main)
        decider = make_decider(planning, hasher)
        deciding = Deciding(
            planning=planning, main=main, routing=routing, prepared=prepared, decider=decider
        )
        record(deciding, way)
    if blank.asked:
        refuse_seen(landed, way.words)
    return prepared, decider
