"""The tasks of a plan, made from the settings that a run records: once in each process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.plan.parts.kit import Kit, read_kit
from pipeline.project.resolve import restore_project
from pipeline.project.settings import DestinationSettings
from pipeline.transform.decide import PlanTask, make_task
from pipeline.transform.screen import Guard


@dataclass(frozen=True, kw_only=True, slots=True)
class PartTools:
    """What all parts of a plan share in one process."""

    kit: Kit
    destination: DestinationSettings
    made: dict[str, PlanTask]

    def open_tasks(self) -> dict[str, PlanTask]:
        """The tasks, for one part: no planned row of another waits to be looked at."""
        return {
            name: PlanTask(
                mapping=one.mapping, contract=one.contract, guard=Guard(one.contract.keep)
            )
            for name, one in self.made.items()
        }

    def list_kept(self, task: str) -> tuple[str, ...]:
        """Columns that tell the shapes of rows apart, where rows go in packages."""
        return self.made[task].mapping.kept if self.destination.load != "odata" else ()


@lru_cache(maxsize=2)
def load_tools(path: Path) -> PartTools:
    """The tools of a plan, from the file of its kit."""
    kit = read_kit(path)
    project = restore_project(kit.settings, None)
    made = {name: make_task(mapping) for name, mapping in project.mappings().items()}
    return PartTools(kit=kit, destination=project.settings.destination, made=made)
