"""Spoilt answers and files: no reader dies of one, hangs or takes all memory.

A failing one is printed; `python -m tests.fuzz` looks for more of them, for as long as it is told.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.answers import SEEDS, spoil
from tests.fuzz.readers import READERS, run_reader


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_good_answer_is_read(name: str, place: int, tmp_path: Path) -> None:
    """The seeds are what they seem: what is refused says so in words of the system's own."""
    seeds = SEEDS[name]
    if place < len(seeds):
        run_reader(name, seeds[place], tmp_path)
    assert name in SEEDS


@pytest.mark.parametrize("name", READERS)
def test_a_spoilt_answer_ends_in_a_value_or_in_a_sentence(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    @given(chance=st.randoms(use_true_random=False))
    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    def check(chance: random.Random) -> None:
        answer = spoil(chance.choice(SEEDS[name]), chance)
        run_reader(name, answer, tmp_path_factory.mktemp("fuzz"))

    check()
