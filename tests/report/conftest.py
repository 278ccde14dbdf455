from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipeline.apply.execute import apply_plan
from pipeline.commands.apply import plan_and_apply
from pipeline.commands.confirm import confirm_import
from pipeline.commands.options import Flags
from pipeline.events import report_nothing
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from pipeline.run.files import write_json
from pipeline.run.folder import RunFolder, find_run, find_runs
from tests.scenes.command_line import p2c
from tests.scenes.json_files import read_json
from tests.scenes.places import ROOT
from tests.scenes.small import write_small

__all__ = ["p2c"]

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUN = "20260102T030405Z-0000"
SAMPLES = ROOT / "data" / "samples" / "p2c.toml"


def clock() -> datetime:
    return START


@pytest.fixture(scope="session")
def small_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of the small source: one applied, then one planned only."""
    home = tmp_path_factory.mktemp("report")
    project = load_project(write_small(home / "source"))
    made = make_plan(project, PlanRequest(command="run"), home / "runs", clock, report_nothing)
    apply_plan(made, lambda: project, clock, report_nothing)
    later = make_plan(
        project, PlanRequest(), home / "runs", lambda: START + timedelta(hours=1), report_nothing
    )
    assert made.run < later.run
    return home / "runs"


@pytest.fixture
def small(small_runs: Path, tmp_path: Path) -> Callable[[int], RunFolder]:
    """A copy of one of them, to be spoiled: 0 applied, 1 planned."""
    shutil.copytree(small_runs, tmp_path / "runs")
    return lambda place: find_runs(tmp_path / "runs")[place]


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The samples, planned and applied."""
    runs = tmp_path_factory.mktemp("samples")
    result = plan_and_apply(
        Flags(project=SAMPLES, runs=runs), PlanRequest(command="run"), report_nothing
    )
    return find_run(runs, result.summary.run)


@pytest.fixture
def fixed(small: Callable[[int], RunFolder], tmp_path: Path) -> RunFolder:
    """The applied run with everything fixed that differs between machines, days and versions.

    Its batches took time.
    """
    found = small(0)
    facts = json.loads(found.run_json.read_text(encoding="utf-8"))
    facts |= {"run": RUN, "host": "host", "user": "user", "project": "/project/p2c.toml"}
    facts["versions"] = {"p2c": "0.0.0", "polars": "0.0.0"}
    facts["fingerprints"] = {"sql": "0" * 64}
    facts["sources"] = [one | {"path": f"/project/{one['file']}"} for one in facts["sources"]]
    write_json(found.run_json, facts)
    frame = pl.read_parquet(found.batches).with_row_index("place")
    moment = pl.lit(START).cast(pl.Datetime("us", "UTC")) + pl.duration(seconds=10) * pl.col(
        "place"
    )
    timed = frame.with_columns(
        sent_at=moment, finished_at=moment + pl.duration(seconds=8), bytes=pl.lit(1000, pl.Int64)
    )
    timed.drop("place").write_parquet(found.batches)
    write_json(found.summary, read_json(found.summary) | {"run": RUN, "journal": "0" * 64})
    path = tmp_path / RUN
    found.path.rename(path)
    return RunFolder(path)


REFUSALS = (
    "The value 'XX' in field 'Country/region' is not found in the related table 'Country/region'.",
    "Field 'Customer group' must be filled in.",
    "The record already exists.",
    "Results. validateField failed on field 'AddressZipCode'",
    "Something that nobody has seen before",
)


@pytest.fixture
def refused(sample_run: RunFolder, tmp_path: Path) -> RunFolder:
    """The samples, of which SCM refused nearly a third of the planned rows, for five reasons."""
    shutil.copytree(sample_run.path.parent, tmp_path / "refused")
    found = find_run(tmp_path / "refused", str(sample_run.run))
    keys = (
        pl.read_parquet(found.outcomes)
        .filter(pl.col("outcome") == "written")
        .select("destination_key", "contactid")
    )
    few = keys.gather_every(10).vstack(keys.gather_every(10, 3)).vstack(keys.gather_every(10, 6))
    many = [REFUSALS[min(place % 7, 4)] for place in range(few.height)]
    few.select("contactid", message=pl.Series(many)).write_csv(tmp_path / "errors.csv")
    confirm_import(
        Flags(runs=tmp_path / "refused"),
        str(found.run),
        errors=[tmp_path / "errors.csv"],
        packages=(),
    )
    return found
