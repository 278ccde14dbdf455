"""Packages that an engine builds are those of one stream, and come in the same order."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from pipeline.apply.building import write_all_packages, write_by_engine
from pipeline.apply.execute import apply_plan
from pipeline.commands.options import Flags
from pipeline.engine.here import Here
from pipeline.engine.protocol import Engine, Made, Work
from pipeline.errors import ConfigurationError, InvariantBroken, Stopped
from pipeline.events import Step, report_nothing
from pipeline.load.packages.parts import PackageKit, PackageWork
from pipeline.load.packages.spans import find_spans, place_files
from pipeline.plan.request import PlanRequest
from pipeline.project.open_run import open_run
from pipeline.project.settings import RunSettings
from pipeline.run.folder import RunFolder, find_runs
from pipeline.run.journal import read_journal
from pipeline.run.summary import Summary
from tests.scenes.doubled import write_doubled
from tests.scenes.planned import plan_again

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class TwiceHere(Here):
    """An engine that counts what it is asked for, and does the last part twice, as Spark may."""

    def __init__(self) -> None:
        self.parts: list[int] = []

    def map(self, work: Work[Made], parts: Sequence[int]) -> Iterator[Made]:
        self.parts += parts
        list(super().map(work, parts[-1:]))
        return super().map(work, parts)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan of two tasks, two legal entities, unchanged rows, and columns that are left out."""
    home = tmp_path_factory.mktemp("building")
    doubled = write_doubled(home / "source")
    doubled.remember(home / "runs")
    plan_again(doubled.project, home / "runs", PlanRequest(), "destination.batch_rows=3")
    return find_runs(home / "runs")[0].path


def copy(plan: Path, place: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(plan, place / plan.name)))


def build(folder: RunFolder, engine: Engine | None) -> list[Step]:
    steps: list[Step] = []
    with open_run(folder, lambda: NOW) as run:
        if engine is None:
            total = pl.read_parquet(folder.batches).height
            write_all_packages(run, RunSettings(part_rows=60), total, steps.append)
        else:
            write_by_engine(run, engine, steps.append)
    return steps


def take(folder: RunFolder) -> tuple[list[Mapping[str, object]], dict[str, bytes], list[str]]:
    """What the journal says of packages, in its order; their bytes; the names in the folder."""
    entries = read_journal(folder.journal).entries
    written = [one.payload for one in entries if one.event == "package_written"]
    paths = sorted(folder.packages.glob("*/*.zip"))
    content = {path.relative_to(folder.packages).as_posix(): path.read_bytes() for path in paths}
    return written, content, sorted(path.name for path in folder.path.iterdir())


def test_packages_are_the_same_and_are_recorded_in_the_same_order(
    plan: Path, tmp_path: Path
) -> None:
    streamed, built = copy(plan, tmp_path / "a"), copy(plan, tmp_path / "b")
    steps = build(streamed, None)
    assert build(built, TwiceHere()) == steps
    there = take(built)
    assert there == take(streamed)
    written, packages, _ = there
    assert len({(one["task"], one["legal_entity"]) for one in written}) == 4
    assert len(packages) == len(written) == len(steps) > 10


def test_what_is_there_is_not_built_again_and_what_was_altered_is(
    plan: Path, tmp_path: Path
) -> None:
    folder, engine = copy(plan, tmp_path), TwiceHere()
    build(folder, engine)
    _, before, _ = take(folder)
    altered, gone, *_ = sorted(folder.packages.glob("*/*.zip"))
    altered.write_bytes(b"half")
    gone.unlink()
    (folder.path / "parts").mkdir()
    (folder.path / "parts" / "package-000000-killed.zip").touch()
    total = len(engine.parts)
    engine.parts.clear()
    steps = build(folder, engine)
    written, after, names = take(folder)
    assert after == before
    assert len(engine.parts) == len(written) - total == 2
    assert (steps[0].done, steps[-1].done) == (total - 1, total)
    assert "parts" not in names


class LostHalfway(Here):
    """An engine that is lost after three parts."""

    def map(self, work: Work[Made], parts: Sequence[int]) -> Iterator[Made]:
        yield from super().map(work, parts[:3])
        raise Stopped("Spark did not finish its parts.")


def test_an_engine_that_is_lost_leaves_what_is_recorded_and_the_next_one_goes_on(
    plan: Path, tmp_path: Path
) -> None:
    streamed, folder, engine = copy(plan, tmp_path / "a"), copy(plan, tmp_path / "b"), TwiceHere()
    build(streamed, None)
    with pytest.raises(Stopped, match="did not finish"):
        build(folder, LostHalfway())
    assert not folder.parts.exists()
    written, packages, _ = take(folder)
    assert len(written) == len(packages) == 3
    build(folder, engine)
    assert take(folder) == take(streamed)
    assert len(engine.parts) == len(take(folder)[0]) - 3


def test_where_there_is_no_spark_the_packages_can_be_built_here_after_all(
    plan: Path, tmp_path: Path
) -> None:
    folder = RunFolder(Path(shutil.copytree(plan.parent, tmp_path / "runs")) / plan.name)

    def apply(*sets: str) -> Summary:
        today = Flags(assignments=sets).today(folder.facts())
        return apply_plan(folder, partial(replace, today), lambda: NOW, report_nothing)

    with pytest.raises((Stopped, ConfigurationError), match=r"nothing answers|Spark needs"):
        apply("run.engine=spark", "run.spark=sc://127.0.0.1:9")
    assert apply("run.engine=here").outcomes["written"] > 10


def test_rows_that_are_gone_since_they_were_counted_break_the_run(
    plan: Path, tmp_path: Path
) -> None:
    files = place_files(copy(plan, tmp_path).rows_files("Contacts"))
    (span, *_) = find_spans("Contacts", files)
    facts = RunFolder(plan).facts()
    kit = PackageKit(
        settings=dict(facts.settings),
        labels={},
        files={"Contacts": files},
        batches=(span.model_copy(update={"rows": span.rows + 1}),),
    )
    work = PackageWork(kit=kit.write(tmp_path / "kit.json"))
    with pytest.raises(InvariantBroken, match="instead of the"):
        list(Here().map(work, [0]))
    files[0].path.write_bytes(b"PAR1")
    with pytest.raises(InvariantBroken, match="not a whole Parquet file"):
        find_spans("Contacts", files)
