"""Which project says how SCM is reached: logins change, what was planned does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pipeline.errors import Refused
from pipeline.project.resolve import Project, project_of_run
from pipeline.run.facts import RunFacts

Today: TypeAlias = Callable[[], Project]
"""Gives the project as it is today."""


def reach_today(facts: RunFacts, today: Today, *, started: bool) -> Project:
    """Today's project, if its SCM is that of the plan.

    Once started, the plan's where today's is wrong.
    """
    try:
        found = today()
    except Refused:
        if not started:
            raise
        return project_of_run(facts)
    recorded = project_of_run(facts)
    same = found.settings.destination.url == recorded.settings.destination.url
    return (
        found
        if same and found.settings.destination.load == recorded.settings.destination.load
        else recorded
    )
