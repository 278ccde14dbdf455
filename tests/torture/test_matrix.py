"""What the long command counts, and how it names a trial again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from tests.torture.expected import Known, find_expected
from tests.torture.matrix import ENDS, Tally, classify, judge, list_points, render_table
from tests.torture.proxy import HIDDEN, HONEST
from tests.torture.scenarios import SCENARIOS, Scenario
from tests.torture.schedules import DISTURBED, choose_scenario, make_order
from tests.torture.trial import Bench, Verdict

FAULTS = {"F0": Known(trials=("confirm/",), words=("was altered",))}


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        ("scm CustomersV2 differs: 5 rows for 6: -{'a': 1}", "lost"),
        ("scm CustomersV2 differs: 7 rows for 6: +{'a': 1}", "twice"),
        ("sales contact is missing", "lost"),
        ("run 1: outcomes.parquet differs: 6 rows for 6: +{} -{}", "disagree"),
        ("verify says 4 instead of 0", "disagree"),
        ("does not go on: p2c: stopped", "stuck"),
        ("ended as -1: ", "stuck"),
    ],
)
def test_harm_has_a_kind(problem: str, kind: str) -> None:
    assert classify([problem]) == {kind}


def test_the_table_counts_trials_kills_and_harm_and_known_faults_apart() -> None:
    tally = Tally(known=FAULTS)
    tally.add(Verdict(name="plan/kill/3", kills=1))
    tally.add(Verdict(name="plan/power/3", kills=1, problems=("does not go on: x",)))
    known = ("verify says that the stopped run was altered",)
    tally.add(Verdict(name="confirm/kill/1", kills=1, problems=known))
    assert (tally.trials, tally.counts["kills"], tally.counts["stuck"]) == (3, 3, 1)
    assert [one.name for one in tally.failed] == ["plan/power/3"]
    assert dict(tally.expected) == {"F0": 1}
    lines = render_table({"plan": tally}, 90.0)
    assert lines[1].split()[:4] == ["plan", "2", "1", "0"]
    assert lines[1].endswith("F0:1")
    assert lines[-1] == "1.5 minutes"


@dataclass
class Few:
    """A bench of few effects that only says what was asked of it."""

    scenario: Scenario
    effects: tuple[str, ...]
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def stop_twice(self, *stops: int) -> None:
        self.asked.append(stops)


def test_every_effect_is_an_end_in_every_way_and_repetitions_are_killed_too() -> None:
    few = Few(scenario=SCENARIOS["report"], effects=("a", "b", "c"))
    names = list(list_points(cast("Bench", few), 1, 0))
    assert {f"report/{end}/{stop}" for end in ENDS for stop in range(3)} <= set(names)
    twice = [one for one in names if "/again/" in one]
    assert len(twice) == 20
    judge(cast("Bench", few), twice[0])
    assert few.asked == [tuple(map(int, twice[0].split("/")[2].split("+")))]
    none = Few(scenario=SCENARIOS["replay"], effects=())
    assert {one.split("/")[1] for one in list_points(cast("Bench", none), 1, 0)} == {
        "after",
        "together",
    }


def test_a_trial_with_one_unknown_problem_is_not_excused() -> None:
    known = "verify says that the stopped run was altered"
    assert (
        find_expected(Verdict(name="confirm/kill/1", problems=(known, "exit code 4")), FAULTS)
        is None
    )


def test_seeds_reach_every_scenario_and_every_way_and_replay_themselves() -> None:
    orders = {seed: make_order(seed) for seed in range(200)}
    assert {choose_scenario(seed) for seed in orders} == set(DISTURBED)
    assert {way for one in orders.values() for way in one.ways} == {*HONEST, *HIDDEN}
    assert orders == {seed: make_order(seed) for seed in orders}
    assert all(one.faults or one.ways for one in orders.values())
