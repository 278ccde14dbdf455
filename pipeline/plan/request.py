"""What the user asked for, and what one plan needs while it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.engine.protocol import Engine
from pipeline.events import Listener
from pipeline.extract.unchanged import find_moved
from pipeline.mapping.compile import CompiledTemplate
from pipeline.plan.destination import Destination
from pipeline.plan.landed import LandedSource, frame_notes
from pipeline.project.resolve import Project
from pipeline.run.facts import Kind
from pipeline.run.findings import RunFinding
from pipeline.run.folder import RunFolder
from pipeline.run.summary import TaskChanges


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRequest:
    """What the user asked for besides the project."""

    limit: int | None = None
    only: Path | None = None
    full: bool = False
    take_over: bool = False
    changes: bool = False
    command: str = "plan"
    retry_of: str | None = None
    """The run whose contacts are planned again."""
    previous: RunFolder | None = None
    """The run whose held and rejected contacts are compared with those of the plan."""

    @property
    def is_partial(self) -> bool:
        """Whether it leaves out contacts that the project would take."""
        return self.limit is not None or self.only is not None or self.retry_of is not None

    @property
    def kind(self) -> Kind:
        """What the plan is going to be, if it is one of contacts into SCM."""
        return Kind.MAIN if self.retry_of is None else Kind.RETRY


@dataclass(kw_only=True, slots=True)
class Planning:
    """Everything that one plan needs while it is made."""

    project: Project
    request: PlanRequest
    folder: RunFolder
    listener: Listener
    home: Path | None = None
    """The folder of runs; null where that is the parent of ``folder``."""
    mappings: Mapping[str, CompiledTemplate] = field(default_factory=dict)
    hashes: dict[Path, str] = field(default_factory=dict)
    """Of the tables written, taken while they were written."""
    pinned: dict[str, str] = field(default_factory=dict)
    """Fingerprints of what is known of the destination, taken when it was looked at."""
    engine: Engine | None = None
    """Where parts of contacts are decided; null where all of them stream by in this process."""
    destination: Destination = field(default_factory=Destination)
    source: LandedSource = field(default_factory=lambda: LandedSource(landed={}))

    memory: Literal["none", "kept", "large"] = "none"
    """What became of the memory of loads: see ``KeptFacts``."""

    changes: list[TaskChanges] = field(default_factory=list)
    """What its updates change."""

    @property
    def runs(self) -> Path:
        """The folder of runs: earlier ones, and what they left, are there."""
        return self.folder.path.parent if self.home is None else self.home

    def list_source_findings(self) -> list[RunFinding]:
        """What is to be said of the source, also that it has changed since it was read."""
        return [*self.source.findings, *frame_notes(find_moved(self.source.landed.values()))]
