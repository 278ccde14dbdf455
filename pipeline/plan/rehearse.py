"""A plan that is made and not kept: what ``check`` knows of a folder of exports.

It runs the same code as a plan up to the last contact. What a plan would refuse, it refuses; what a
plan would hold, it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.events import Listener
from pipeline.plan.destination import Destination, look_at
from pipeline.plan.recording import count_decisions
from pipeline.plan.request import Planning, PlanRequest
from pipeline.plan.room import Room, measure_room
from pipeline.plan.sessions import open_sessions
from pipeline.plan.source import land_source
from pipeline.plan.summary import PlanCounts
from pipeline.project.resolve import Project
from pipeline.run.folder import RunFolder
from pipeline.run.room import open_room
from pipeline.transform.named import name_units


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsal:
    """What a plan of all contacts would say."""

    counted: PlanCounts
    destination: Destination
    room: Room | None
    """What a plan needs of disk and memory; null where any machine has it."""
    units: Mapping[str, int]
    """Contacts by the name of their business unit, most first; a blank name for those without."""


def rehearse_plan(project: Project, runs: Path, listener: Listener) -> Rehearsal:
    """Make the plan of a folder of exports in a place that is removed.

    Args:
        project: its source are files.
        runs: the folder of runs, of which only the memory of loads is read.
        listener: hears of progress.

    Raises:
        Refused, Stopped: as ``make_plan``.
    """
    with open_room("check") as place:
        folder = RunFolder(place / "check")
        folder.path.mkdir()
        request = PlanRequest(command="check")
        planning = Planning(
            project=project, request=request, folder=folder, listener=listener, home=runs
        )
        planning.destination = look_at(project, folder.path, runs, listener)
        if planning.destination.live is not None:
            planning.project = project = planning.destination.live.project
        planning.mappings = project.mappings()
        planning.source = land_source(project, folder, runs, listener, changes=False)
        with open_sessions(planning) as (main, hasher):
            prepared, decider = count_decisions(planning, main, hasher)
        counted = PlanCounts(
            tally=decider.tally,
            findings=prepared.findings,
            landed=planning.source.landed,
            units=prepared.units,
        )
        return Rehearsal(
            counted=counted,
            destination=planning.destination,
            room=measure_room(planning.source.landed, project.settings.run, runs),
            units=dict(name_units(decider.tally.units, prepared.units).most_common()),
        )
