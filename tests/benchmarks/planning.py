"""``python -m tests.benchmarks.planning FOLDER RUNS``.

One plan, timed from settings to the finished run folder.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from pipeline.events import report_nothing
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project


def main(folder: Path, runs: Path) -> None:
    """Time a plan of the shipped templates."""
    assignments = ("destination.legal_entity=usmf", "destination.currency=EUR")
    started = time.perf_counter()
    project = load_project(None, source=folder, assignments=assignments)
    made = make_plan(project, PlanRequest(), runs, lambda: datetime.now(UTC), report_nothing)
    seconds = time.perf_counter() - started
    sys.stdout.write(json.dumps({"seconds": seconds, "run": str(made.path)}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
