from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.run.folder import RunFolder, find_runs
from tests.scenes.small import write_small


@pytest.fixture(scope="session")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``source`` and ``runs``: the small source was planned and applied once."""
    home = tmp_path_factory.mktemp("proof")
    plan_and_apply(
        Flags(project=write_small(home / "source"), runs=home / "runs"),
        PlanRequest(command="run"),
        report_nothing,
    )
    return home


@pytest.fixture
def home(applied: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoiled."""
    shutil.copytree(applied, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def run(home: Path) -> RunFolder:
    """The run of the copy."""
    return find_runs(home / "runs")[0]


@pytest.fixture
def common(home: Path) -> Flags:
    """The flags that mean the copy."""
    return Flags(project=home / "source" / "p2c.toml", runs=home / "runs")


@pytest.fixture
def source(tmp_path: Path) -> Callable[[list[dict[str, str]]], Path]:
    """Write contacts with any columns, next to the small source's accounts; the project file."""

    def write(contacts: list[dict[str, str]]) -> Path:
        project = write_small(tmp_path / "hazards")
        names = list(dict.fromkeys(name for row in contacts for name in row))
        lines = [names, *([row.get(name, "") for name in names] for row in contacts)]
        text = "".join(
            ",".join('"' + cell.replace('"', '""') + '"' for cell in line) + "\r\n"
            for line in lines
        )
        (tmp_path / "hazards" / "contacts.csv").write_text(text, encoding="utf-8", newline="")
        return project

    return write
