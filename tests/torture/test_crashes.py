"""Commands that were stopped at an effect or disturbed at the socket end as if nothing had been.

A seeded share of what ``make torture`` does whole. A name replays itself:
``python -m tests.torture --replay apply-odata/kill/17``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Final

import pytest

from tests.torture.expected import KNOWN
from tests.torture.matrix import ENDS, judge
from tests.torture.scenarios import SCENARIOS
from tests.torture.schedules import DISTURBED
from tests.torture.trial import SPEED, Bench, bench
from tests.torture.zygote import Zygote

Open = Callable[[str], Bench]

SEED: Final = 17
POINTS: Final = {"apply-odata": 6, "apply-backfill": 6}
TWICE: Final = {"apply-odata": 3, "accept": 3}
SCHEDULES: Final = 10

KNOWN_POINTS: Final = {
    "F1": ("run-odata", "answer 200 /data/$batch", 1),
    "F2": ("extraction", "os.remove progress.json", 0),
    "F3": ("purge", "/outcomes.parquet", 0),
    "F18": ("purge", "/rows/Contacts/", 0),
    "F23": ("purge", "/summary.json", -1),
    "rows of a comparison left": ("reconcile", "/.summary.json.partial", 0),
}
"""Where a fault was found: the scenario, a part of the effect's name, and which of those effects;
-1 is the last. Kept when the fault is mended."""


@pytest.fixture(scope="module")
def opened() -> Iterator[Open]:
    """Benches, made when they are first asked for."""
    with ExitStack() as stack:
        zygote = stack.enter_context(Zygote(SPEED))
        made: dict[str, Bench] = {}

        def find(name: str) -> Bench:
            if name not in made:
                made[name] = stack.enter_context(bench(SCENARIOS[name], zygote))
            return made[name]

        yield find


@pytest.mark.parametrize("name", POINTS)
def test_a_command_that_was_stopped_anywhere_goes_on(opened: Open, name: str) -> None:
    made, chance = opened(name), random.Random(SEED)  # noqa: S311 - a seed, not a secret
    stops = sorted(chance.sample(range(len(made.effects)), POINTS[name]))
    trials = [f"{name}/{ENDS[place % len(ENDS)]}/{stop}" for place, stop in enumerate(stops)]
    found = {trial: judge(made, trial) for trial in trials}
    assert {trial: one.problems for trial, one in found.items() if one.problems} == {}
    assert sum(one.kills for one in found.values()) == POINTS[name] * 2 // len(ENDS)


@pytest.mark.parametrize("name", TWICE)
def test_a_command_that_was_killed_twice_goes_on(opened: Open, name: str) -> None:
    made, chance = opened(name), random.Random(SEED)  # noqa: S311 - a seed, not a secret
    pairs = [chance.choices(range(len(made.effects)), k=2) for _ in range(TWICE[name])]
    found = [made.stop_twice(*pair) for pair in pairs]
    assert {one.name: one.problems for one in found if one.problems} == {}
    assert sum(one.kills for one in found) > len(pairs)


def test_a_command_whose_requests_fail_at_the_socket_ends_as_planned(opened: Open) -> None:
    name = "apply-odata"
    seeds = range(DISTURBED.index(name), SCHEDULES * len(DISTURBED), len(DISTURBED))
    found = {
        f"{name}/schedule/{seed}": judge(opened(name), f"{name}/schedule/{seed}") for seed in seeds
    }
    assert len(found) == SCHEDULES
    assert {trial: one.problems for trial, one in found.items() if one.problems} == {}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            one, marks=[pytest.mark.xfail(reason=one, strict=True)] if one in KNOWN else []
        )
        for one in KNOWN_POINTS
    ],
)
def test_where_a_fault_was_the_command_goes_on(opened: Open, fault: str) -> None:
    name, part, which = KNOWN_POINTS[fault]
    made = opened(name)
    stops = [stop for stop, effect in enumerate(made.effects) if part in effect]
    assert judge(made, f"{name}/kill/{stops[which]}").problems == ()
