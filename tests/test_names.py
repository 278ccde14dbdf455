"""One word, one meaning: no public name stands for two things.

Names of functions and classes at the top level of modules count, over all packages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.benchmarks.house import measure

ROOT: Final = Path(__file__).parents[1]

_WORDS: Final = """
Answer Call Column Entity FailedError Importer Job Kind Link Loaded Login Operation Options Order
Package PackageApi Page Part Placed Reader Reference RefusedError Request Result Row Service Share
Source State Store Table Token Told Twin Type Wanted Writer address answer as_json bad_payload
bad_request batches bound changes check compared condition contract counted csdl described drawn
duration exists explained export find found gather guid held items json_object json_value key_of
known listed load loaded main missing not_found order_of outcomes parse plain problems query read
read_delimited recorded remember routes service_document templates timestamp told too_long typed
verdict wanted whole
"""
KNOWN: Final = frozenset(_WORDS.split())
"""Names that still stand for two things. The list only gets shorter."""


@pytest.fixture(scope="module")
def doubled() -> dict[str, list[str]]:
    """Name → the modules that define it, where these are several."""
    return measure(ROOT).names_of_two_things()


def test_no_new_name_stands_for_two_things(doubled: dict[str, list[str]]) -> None:
    assert {name: places for name, places in doubled.items() if name not in KNOWN} == {}


def test_a_name_that_stands_for_one_thing_is_no_longer_excused(
    doubled: dict[str, list[str]],
) -> None:
    assert KNOWN - set(doubled) == set()


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
