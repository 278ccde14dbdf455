"""Plans on Spark itself, of two workers on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from pipeline.apply.execute import apply_plan
from pipeline.backfill.planning import make_backfill
from pipeline.engine.protocol import Engine
from pipeline.engine.spark import Spark
from pipeline.errors import ConfigurationError, Stopped
from pipeline.events import report_nothing
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from pipeline.run.folder import RunFolder
from pipeline.samples.generate import write_samples
from tests.scenes.doubled import Doubled, write_doubled
from tests.scenes.engines import Awkward, DyingWorker, LostEngine
from tests.scenes.planned import plan_again, take_plan
from tests.scenes.unnumbered import take_backfill, write_unnumbered

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NOW = datetime(2026, 1, 2, tzinfo=UTC)

pyspark = pytest.importorskip("pyspark.sql", reason="PySpark is not installed: p2c[spark]")
if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
    pytest.skip("Spark needs Java 17", allow_module_level=True)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def session() -> Iterator[SparkSession]:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = pyspark.SparkSession.builder.master("local[2,4]").config("spark.ui.enabled", "false")
    started = builder.config("spark.log.level", "OFF").getOrCreate()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> Doubled:
    return write_doubled(tmp_path_factory.mktemp("doubled") / "source")


def plan(doubled: Doubled, runs: Path, engine: Engine | None) -> RunFolder:
    doubled.remember(runs)
    project = load_project(doubled.project, assignments=["run.part_rows=80"])
    return make_plan(
        project,
        PlanRequest(limit=90),
        runs,
        lambda: datetime.now(UTC),
        report_nothing,
        engine=None if engine is None else nullcontext(engine),
    )


def test_a_plan_on_spark_says_what_a_plan_here_says_though_a_worker_was_killed(
    session: SparkSession, doubled: Doubled, tmp_path: Path
) -> None:
    engine = DyingWorker(Spark(session), tmp_path / "grave")
    there = take_plan(plan(doubled, tmp_path / "there", engine))
    assert (tmp_path / "grave").exists()
    assert there == take_plan(plan(doubled, tmp_path / "here", None))


def test_parts_of_any_size_say_the_same_of_the_samples(
    session: SparkSession, tmp_path: Path
) -> None:
    write_samples(tmp_path / "source", rows=300)
    project = tmp_path / "source" / "p2c.toml"
    streamed = plan_again(project, tmp_path / "here", PlanRequest())
    for rows in (37, 200, 122_880):
        sets = ("run.engine=spark", f"run.part_rows={rows}")
        assert plan_again(project, tmp_path / str(rows), PlanRequest(), *sets) == streamed
    assert session.range(1).count() == 1  # It was that of the test, and goes on.


def test_a_backfill_on_spark_says_what_a_backfill_here_says(
    session: SparkSession, tmp_path: Path
) -> None:
    source = write_unnumbered(tmp_path / "source")

    def backfill(name: str, *sets: str) -> dict[str, object]:
        project = load_project(source, assignments=sets)
        request = PlanRequest(limit=90)
        made = make_backfill(project, request, tmp_path / name, lambda: NOW, report_nothing)
        return take_backfill(made)

    on_spark = backfill("there", "run.engine=spark", "run.part_rows=37")
    assert on_spark == backfill("here")
    assert session.range(1).count() == 1


def test_packages_that_spark_builds_are_those_that_are_built_here(
    session: SparkSession, doubled: Doubled, tmp_path: Path
) -> None:
    assert session.range(1).count() == 1  # p2c takes the session that is there.
    there = plan(doubled, tmp_path / "there", None)
    here = RunFolder(Path(shutil.copytree(tmp_path / "there", tmp_path / "here")) / there.run)
    for run, engine in ((there, "spark"), (here, "here")):
        today = load_project(doubled.project, assignments=[f"run.engine={engine}"])
        apply_plan(run, partial(replace, today), lambda: NOW, report_nothing)
    assert take_packages(there) == take_packages(here)
    assert len(take_packages(there)[1]) > 3


def take_packages(run: RunFolder) -> tuple[list[tuple[object, ...]], dict[str, bytes]]:
    paths = sorted(run.packages.glob("*/*.zip"))
    return pl.read_parquet(run.batches).rows(), {path.name: path.read_bytes() for path in paths}


def test_an_error_of_a_worker_comes_back_as_it_was_raised(session: SparkSession) -> None:
    spark = Spark(session)
    assert [one.value for one in spark.map(Awkward(), [4, 1])] == [8, 2]
    with pytest.raises(ConfigurationError, match=r"^a\.csv: it is so\.$"):
        list(spark.map(Awkward(bad=1, error="ConfigurationError"), [0, 1]))
    with pytest.raises(Stopped, match=r"with ValueError in engines\.py") as caught:
        list(spark.map(Awkward(bad=1, error="?"), [0, 1]))
    assert "Lovelace" not in str(caught.value)


def test_a_spark_that_is_lost_stops_the_plan_and_leaves_nothing(
    session: SparkSession, doubled: Doubled, tmp_path: Path
) -> None:
    """The last test of the session."""
    runs = tmp_path / "runs"
    with pytest.raises(Stopped, match="a plan starts from the beginning"):
        plan(doubled, runs, LostEngine(Spark(session), session.stop))
    assert [path.name for path in runs.iterdir()] == ["loaded"]
