"""The rules that the decisions of a plan follow."""

from __future__ import annotations

from pipeline.plan.request import Planning
from pipeline.plan.sessions import make_hasher
from pipeline.transform.batch import Batcher
from pipeline.transform.decide import Decider, make_task
from sql.session import Session


def make_decider(planning: Planning, hasher: Session) -> Decider:
    """The gates that every contact passes; ``hasher`` hashes planned rows."""
    request = planning.request
    return Decider(
        tasks={name: make_task(mapping) for name, mapping in planning.mappings.items()},
        hasher=make_hasher(hasher),
        batcher=Batcher(rows=planning.project.settings.destination.batch_rows),
        scm_read=planning.destination.customers is not None,
        persons_read=planning.destination.persons is not None,
        references=planning.destination.references,
        full=request.full,
        limit=request.limit,
        packages=planning.project.settings.destination.load != "odata",
    )
