"""``python -m tests.benchmarks.packaging FOLDER RUNS``.

Building the packages of a plan, timed apart from the plan.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from zipfile import ZipFile

import polars as pl

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.events import Step
from pipeline.plan.request import PlanRequest


def main(folder: Path, runs: Path) -> None:
    """Time from the end of the first package to the end of the last."""
    marks: list[float] = []

    def listen(step: Step) -> None:
        if step.name == "writing packages":
            marks.append(time.perf_counter())

    assignments = ("destination.legal_entity=usmf", "destination.currency=EUR")
    common = Flags(source=folder, runs=runs, assignments=assignments)
    made = Path(str(plan_and_apply(common, PlanRequest(command="run"), listen).folder))
    seconds = marks[-1] - marks[0]
    built = pl.read_parquet(made / "batches.parquet").select("file", "rows").rows()[1:]
    rows = sum(count for _, count in built)
    data = sum(entry.file_size for file, _ in built for entry in ZipFile(made / file).infolist())
    reported = {
        "seconds": seconds,
        "rows_per_second": rows / seconds,
        "megabytes_per_second": data / seconds / 1e6,
    }
    sys.stdout.write(json.dumps(reported) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
