"""The common flags, as every command gets them, and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    from pipeline.project import resolve
    from pipeline.run.facts import RunFacts
else:
    resolve = import_lazily("pipeline.project.resolve")


@dataclass(frozen=True, kw_only=True, slots=True)
class Flags:
    """The common flags as they were given, and the environment that settings may come from."""

    project: Path | None = None
    runs: Path = Path("runs")
    source: str | Path | None = None
    """A folder, or an address in an object store."""
    assignments: tuple[str, ...] = ()
    as_object: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    values: bool = False
    """Whether the text of a run may show values of contacts."""
    log_file: Path | None = None
    """What the command does is written there, too, as JSON lines."""

    def load(self) -> resolve.Project:
        """The project with these flags applied."""
        return resolve.load_project(
            self.project,
            source=self.source,
            assignments=self.assignments,
            environment=dict(self.environment),
        )

    def today(self, facts: RunFacts) -> resolve.Project:
        """The project of a run as it is today."""
        return resolve.load_todays_project(
            facts.settings,
            Path(facts.project) if facts.project else None,
            file=self.project,
            assignments=self.assignments,
            environment=dict(self.environment),
        )


def read_clock() -> datetime:
    """The clock."""
    return datetime.now(UTC)
