"""Landed tables → decisions, findings and planned rows in the run folder."""

from __future__ import annotations

from pipeline.events import Step
from pipeline.plan import known
from pipeline.plan.deciding import make_decider
from pipeline.plan.findings import add_run_findings
from pipeline.plan.null_words import refuse_seen, view_tables
from pipeline.plan.prepare import Prepared, prepare
from pipeline.plan.request import Planning
from pipeline.plan.routing import make_routing
from pipeline.plan.ways import open_way
from pipeline.plan.writing import write_decided
from pipeline.transform.decide import Decider
from sql.session import Session


def decide_contacts(planning: Planning, main: Session, hasher: Session) -> tuple[Prepared, Decider]:
    """Decide about every contact and write it down; what was counted is in both answers."""
    landed = planning.source.landed
    routing = make_routing(planning)
    blank = view_tables(
        main,
        landed,
        planning.project.settings.source.null_words,
        used=[name.partition(":")[2] for name in routing.said],
        is_live=planning.source.is_live,
    )
    planning.listener(Step(name="looking for repeats", done=0))
    with open_way(planning, main, blank.words) as way:
        prepared = prepare(main, set(landed), routing, way.hash_elsewhere)
        prepared.findings += blank.findings
        decider = make_decider(planning, hasher)
        write_decided(
            planning,
            lambda findings: way.write(routing, prepared, decider, findings),
            lambda: add_run_findings(planning, decider, main, routing, prepared),
        )
    if blank.asked:
        refuse_seen(landed, way.words)
    planning.pinned[known.LOADED_MEMORY] = known.digest_memory(main, planning.folder)
    return prepared, decider
