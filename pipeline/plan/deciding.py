"""The rules that the decisions of a plan follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.mapping.references import References
from pipeline.plan.request import Planning
from pipeline.plan.sessions import make_hasher
from pipeline.project.settings import DestinationSettings
from pipeline.transform.batch import Batcher
from pipeline.transform.decide import Decider, PlanTask, make_task
from sql.session import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class GateRules:
    """What is asked and known besides the settings: see ``Decider``."""

    scm_read: bool
    persons_read: bool
    references: References | None
    full: bool
    limit: int | None


def take_rules(planning: Planning) -> GateRules:
    """The rules of a plan."""
    return GateRules(
        scm_read=planning.destination.customers is not None,
        persons_read=planning.destination.persons is not None,
        references=planning.destination.references,
        full=planning.request.full,
        limit=planning.request.limit,
    )


def make_decider(planning: Planning, hasher: Session) -> Decider:
    """The gates that every contact passes; ``hasher`` hashes planned rows."""
    tasks = {name: make_task(mapping) for name, mapping in planning.mappings.items()}
    return build_decider(tasks, hasher, planning.project.settings.destination, take_rules(planning))


def build_decider(
    tasks: Mapping[str, PlanTask],
    hasher: Session,
    destination: DestinationSettings,
    rules: GateRules,
) -> Decider:
    """The gates, made of what decides them."""
    return Decider(
        tasks=tasks,
        hasher=make_hasher(hasher),
        batcher=Batcher(rows=destination.batch_rows),
        scm_read=rules.scm_read,
        persons_read=rules.persons_read,
        references=rules.references,
        full=rules.full,
        limit=rules.limit,
        packages=destination.load != "odata",
    )
