"""Scenes of a Sales that a backfill is written into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenes.writing import Scene

MakeScene = Callable[..., Scene]


@pytest.fixture
def scenes(tmp_path: Path) -> Iterator[MakeScene]:
    """Makes scenes, each with a Sales and a plan of its own."""
    opened: list[Scene] = []

    def make(rows: int = 7) -> Scene:
        opened.append(Scene(tmp_path / str(len(opened)), rows))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def scene(scenes: MakeScene) -> Scene:
    """One of seven contacts without numbers."""
    return scenes()
