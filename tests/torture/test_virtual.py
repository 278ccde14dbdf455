"""Loads under seeded schedules of faults end as if nothing had happened.

A failing seed is in the message; ``make_faults`` of it replays it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.scenes.loading import number, planned
from tests.torture.virtual import WAYS, find_problems, loading, make_faults, read_state

SEEDS = 190
AT_ONCE = 19

Plan = tuple[Path, Path]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    home = tmp_path_factory.mktemp("virtual")
    return planned(home, known=[number(2)]), home / "source" / "p2c.toml"


@pytest.fixture(scope="module")
def calm(plan: Plan) -> dict[str, dict[str, Any]]:
    found = {}
    for how in WAYS:
        with loading(*plan) as scene:
            scene.load(how)
            found[how] = read_state(scene)
    return found


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_a_load_under_faults_ends_as_a_calm_one(
    plan: Plan, calm: dict[str, dict[str, Any]], first: int
) -> None:
    failed = {}
    for seed in range(first, first + AT_ONCE):
        how = WAYS[seed % len(WAYS)]
        problems = find_problems(*plan, how, make_faults(seed), calm[how])
        if problems:
            failed[f"seed {seed}, {how}, {make_faults(seed)}"] = problems
    assert failed == {}
