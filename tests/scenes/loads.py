"""One plan of the small source, and scenes on copies of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.project.resolve import load_project
from pipeline.run.folder import RunFolder
from tests.scenes.loading import Scene, number, planned, rows

MakeScene = Callable[..., Scene]
FEW = [one for place, one in enumerate(rows(), start=1) if place in {1, 2, 4, 6}]
"""Three customers and one contact person."""


@pytest.fixture(scope="session")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """``whole``: five customers, three persons; ``few``: three and one.

    The second customer is known to be in SCM.
    """
    found = {}
    for name, contacts in (("whole", None), ("few", FEW)):
        found[name] = tmp_path_factory.mktemp(name)
        planned(found[name], known=[number(2)], contacts=contacts)
    return found


@pytest.fixture
def scenes(plans: dict[str, Path], tmp_path: Path) -> Iterator[MakeScene]:
    """Makes scenes; each has a run folder, a folder of runs and an SCM of its own."""
    opened: list[Scene] = []

    def make(plan: str = "whole", **more: Any) -> Scene:
        runs = tmp_path / f"runs{len(opened)}"
        shutil.copytree(plans[plan] / "runs", runs)
        run = RunFolder(next(path for path in runs.iterdir() if path.is_dir()))
        scene = Scene(run=run, project=load_project(plans[plan] / "source" / "p2c.toml"), **more)
        opened.append(scene)
        return scene

    yield make
    for one in opened:
        one.close()
