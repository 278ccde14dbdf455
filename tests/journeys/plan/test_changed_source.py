"""A source that somebody writes to while it is planned: the plan stops and names the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.options import read_clock
from pipeline.errors import Stopped
from pipeline.events import Step
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from pipeline.run.folder import find_runs
from tests.scenes.small import write_small


@pytest.fixture(params=["csv", "parquet"])
def contacts(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The contacts of a small source, read from text, or where they lie."""
    path = write_small(tmp_path / "export").parent / "contacts.csv"
    if request.param == "csv":
        return path
    table = path.with_suffix(".parquet")
    pl.read_csv(path, infer_schema=False).write_parquet(table)
    path.unlink()
    return table


def plan(folder: Path, name: str, change: Callable[[], object]) -> None:
    """Plan; at the first step of that name something else happens."""
    left = [change]

    def listen(step: Step) -> None:
        if step.name == name and left:
            left.pop()()

    project = load_project(folder / "p2c.toml")
    request = PlanRequest(command="plan")
    make_plan(project, request, folder.parent / "runs", read_clock, listen)
    assert not left


@pytest.mark.parametrize("step", ["looking for repeats", "planning"])
def test_a_file_that_is_written_to_stops_the_plan(contacts: Path, step: str) -> None:
    with pytest.raises(Stopped, match=rf"^{contacts.name}: changed while p2c was reading it"):
        plan(contacts.parent, step, lambda: contacts.write_bytes(contacts.read_bytes() + b"\n"))
    assert find_runs(contacts.parent.parent / "runs") == []


def test_a_file_that_goes_stops_the_plan(contacts: Path) -> None:
    with pytest.raises(Stopped, match=contacts.name):
        plan(contacts.parent, "looking for repeats", contacts.unlink)
    assert find_runs(contacts.parent.parent / "runs") == []


def test_what_nobody_touches_is_planned(contacts: Path) -> None:
    plan(contacts.parent, "looking for repeats", lambda: None)
    assert len(find_runs(contacts.parent.parent / "runs")) == 1
