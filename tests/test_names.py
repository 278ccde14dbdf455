"""One word, one meaning: no public name stands for two things.

Names of functions and classes at the top level of modules count, over all packages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.benchmarks.house import measure

ROOT: Final = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def doubled() -> dict[str, list[str]]:
    """Name → the modules that define it, where these are several."""
    return measure(ROOT).names_of_two_things()


def test_no_name_stands_for_two_things(doubled: dict[str, list[str]]) -> None:
    assert doubled == {}


def test_a_name_of_two_things_is_found(tmp_path: Path) -> None:
    for name, text in {
        "a": "def read(): ...\ndef _own(): ...\nclass Part: ...\n",
        "b": "def read(): ...\ndef _own(): ...\n",
        "c": "class Box:\n    def read(self): ...\nread = 1\n",
    }.items():
        path = tmp_path / "pipeline" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert measure(tmp_path).names_of_two_things() == {"read": ["pipeline.a", "pipeline.b"]}
