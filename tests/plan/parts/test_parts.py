"""A plan in parts says what the plan in one stream says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.plan.request import PlanRequest
from pipeline.samples.generate import write_samples
from tests.scenes.doubled import Doubled, write_doubled
from tests.scenes.planned import plan_again
from tests.scenes.small import write_small


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> Doubled:
    return write_doubled(tmp_path_factory.mktemp("doubled") / "source")


def plan(doubled: Doubled, runs: Path, request: PlanRequest, *sets: str) -> dict[str, object]:
    doubled.remember(runs)
    return plan_again(doubled.project, runs, request, *sets)


@pytest.fixture(scope="module")
def streamed(doubled: Doubled, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return plan(doubled, tmp_path_factory.mktemp("streamed"), PlanRequest())


@pytest.mark.parametrize("rows", [37, 122_880])
def test_doubles_far_apart_are_found_whatever_the_parts_are(
    doubled: Doubled, streamed: dict[str, object], tmp_path: Path, rows: int
) -> None:
    assert plan(doubled, tmp_path, PlanRequest(), f"run.part_rows={rows}") == streamed


def test_limit_and_only_count_over_all_parts(doubled: Doubled, tmp_path: Path) -> None:
    only = tmp_path / "only.txt"
    only.write_text("\n".join(one for one in doubled.ids[::2] if one != "?"))
    request = PlanRequest(limit=40, only=only, full=True, take_over=True)
    sets = ("destination.batch_rows=3", "source.flag_blank=hold")
    parts = plan(doubled, tmp_path / "a", request, "run.part_rows=60", *sets)
    assert parts == plan(doubled, tmp_path / "b", request, *sets)


def test_text_sources_and_all_cases_of_the_samples_are_the_same_in_parts(tmp_path: Path) -> None:
    write_samples(tmp_path / "source", rows=500)
    made = [
        plan_again(tmp_path / "source" / "p2c.toml", tmp_path / name, PlanRequest(), *sets)
        for name, sets in (("a", ["run.part_rows=200", "run.morsel_rows=61"]), ("b", []))
    ]
    assert made[0] == made[1]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    home = tmp_path_factory.mktemp("small")
    project = write_small(home / "source")
    return project, plan_again(project, home / "runs", PlanRequest())


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.integers(3, 13))
def test_no_size_of_a_part_changes_anything(
    small: tuple[Path, dict[str, object]], tmp_path_factory: pytest.TempPathFactory, rows: int
) -> None:
    project, streamed = small
    runs = tmp_path_factory.mktemp("runs")
    assert plan_again(project, runs, PlanRequest(), f"run.part_rows={rows}") == streamed
