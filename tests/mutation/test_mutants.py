"""The harness itself: what is changed, and that a test that notices is heard."""

from __future__ import annotations

import pytest

from tests.mutation.mutants import ROOMS, list_mutants, mutate

SOURCE = '''
@keep(True, 7)
def choose(rows: list[int], most: int = 3) -> bool | None:
    """Text."""
    if not rows or len(rows) > most:
        return None
    return rows[0] == most - 1 and True
'''


def test_each_mutant_has_one_change_and_annotations_and_texts_have_none() -> None:
    mutants = list(mutate("pipeline/run/chain.py", SOURCE))
    assert sorted(one.change for one in mutants) == sorted(
        [
            "3  →  4",
            "not rows or len(rows) > most  →  not rows and len(rows) > most",
            "not rows  →  not not rows",
            "len(rows) > most  →  len(rows) >= most",
            "rows[0] == most - 1 and True  →  rows[0] == most - 1 or True",
            "rows[0] == most - 1  →  rows[0] != most - 1",
            "most - 1  →  most + 1",
            "True  →  False",
            "0  →  1",
            "1  →  2",
        ]
    )
    assert len({one.render(SOURCE) for one in mutants}) == len(mutants)
    assert all("bool | None" in one.render(SOURCE) for one in mutants)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_mutants_with_tests(room: str) -> None:
    first = next(list_mutants(room))
    assert first.module.startswith(f"pipeline.{room}.")
    assert f"tests/{room}" in first.list_tests()
