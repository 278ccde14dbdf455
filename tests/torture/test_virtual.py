"""Loads under seeded schedules of faults end as if nothing had happened.

A failing seed is in the message; ``python -m tests.torture --replay virtual/schedule/SEED`` replays
it.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.torture.matrix import judge_virtual
from tests.torture.virtual import VirtualLoads, make_faults, plan_loads

SEEDS = 190
AT_ONCE = 19


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> VirtualLoads:
    return plan_loads(tmp_path_factory.mktemp("virtual"))


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_a_load_under_faults_ends_as_a_calm_one(loads: VirtualLoads, first: int) -> None:
    tried = {seed: loads.try_seed(seed) for seed in range(first, first + AT_ONCE)}
    failed = {f"seed {seed}, {make_faults(seed)}": found for seed, found in tried.items() if found}
    assert failed == {}


def test_a_load_that_ends_otherwise_or_dies_is_told_with_its_seed(loads: VirtualLoads) -> None:
    other = {how: {**state, "customers": []} for how, state in loads.calm.items()}
    verdict = judge_virtual(dataclasses.replace(loads, calm=other), 0)
    assert verdict.name == "virtual/schedule/0"
    assert any("customers" in one for one in verdict.problems)
    nowhere = dataclasses.replace(loads, project=Path("nowhere.toml"))
    assert judge_virtual(nowhere, 1).problems[0].startswith("ended as ")
