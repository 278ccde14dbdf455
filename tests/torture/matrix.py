"""``python -m tests.torture``: the whole matrix of crashes, then fault schedules, and a table.

Every command is stopped before each of its effects by a kill, a power cut and a full disk, killed
at moments, and killed again when it is repeated. Then schedules follow until the time is over:
those of loads by a virtual clock first. What fails is printed with the words that replay it:
``--replay apply-odata/kill/17``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, get_args

from tests.torture.effects import End
from tests.torture.expected import KNOWN, Known, find_expected
from tests.torture.scenarios import SCENARIOS
from tests.torture.schedules import choose_scenario, make_order
from tests.torture.trial import SPEED, Bench, Verdict, bench
from tests.torture.virtual import VirtualLoads, make_faults, plan_loads
from tests.torture.zygote import Zygote

ENDS: Final[tuple[End, ...]] = get_args(End)
_MOMENTS: Final = 20
"""Kills by the clock in each scenario, and kills of which the second hits the repetition."""
_LONGEST: Final = 4.0
"""Seconds within which they are."""
_TURN: Final = 50
"""Schedules of one scenario before the next has its turn."""
_WIDTH: Final = 22
_TRIALS: Final = ("kill", "power", "disk", "back", "again", "after", "together", "schedule")
VIRTUAL: Final = "virtual"
"""Loads by a virtual clock: schedules of faults without a network and without waiting."""
_VIRTUAL_TURN: Final = 500
_CUT: Final = 600
_SHOWN: Final = 4

Job = tuple[str, int, int, Sequence[int], float]
"""Scenario, share of points, seed, seeds of schedules, and until when."""


@dataclass(kw_only=True)
class Tally:
    """What was done with one scenario, and what came of it; ``known`` faults count apart."""

    known: Mapping[str, Known] = field(default_factory=lambda: KNOWN)
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[Verdict] = field(default_factory=list)
    expected: Counter[str] = field(default_factory=Counter)

    @property
    def trials(self) -> int:
        """How many there were."""
        return sum(self.counts[one] for one in _TRIALS)

    def add(self, verdict: Verdict) -> None:
        """Count a trial."""
        how = verdict.name.split("/")[1]
        self.counts[how] += 1
        self.counts["kills"] += verdict.kills
        if not verdict.problems:
            return
        fault = find_expected(verdict, self.known)
        if fault is not None:
            self.expected[fault] += 1
            return
        self.failed.append(verdict)
        for kind in classify(verdict.problems):
            self.counts[kind] += 1


def classify(problems: Sequence[str]) -> set[str]:
    """Kinds of harm: rows lost or twice in a system, records that disagree, no way on."""
    found = set()
    for one in problems:
        if one.startswith(("scm", "sales")):
            more, less = "+{" in one, "-{" in one
            found |= {"twice"} if more and not less else {"lost"}
        elif one.startswith(("does not go on", "ended as", "stopped as")):
            found.add("stuck")
        else:
            found.add("disagree")
    return found


def judge(made: Bench, name: str) -> Verdict:
    """The trial of a name such as ``apply-odata/kill/17``."""
    _, how, value = name.split("/")
    match how:
        case "kill" | "power" | "disk":
            return made.stop_at(int(value), next(one for one in ENDS if one == how))
        case "back":
            return made.stop_at(int(value), back=3600.0)
        case "again":
            return made.stop_twice(*map(int, value.split("+")))
        case "after":
            return made.kill_after(float(value))
        case "together":
            return made.run_together(float(value))
        case _:
            return made.disturb(make_order(int(value)))


def judge_virtual(loads: VirtualLoads, seed: int) -> Verdict:
    """The trial of a name such as ``virtual/schedule/17``."""
    problems = tuple(loads.try_seed(seed))
    return Verdict(name=f"{VIRTUAL}/schedule/{seed}", effect=make_faults(seed), problems=problems)


def list_points(made: Bench, share: int, seed: int) -> Iterator[str]:
    """Names of all trials that stop a scenario, or of a share, in an order by the seed."""
    name, points = made.scenario.name, len(made.effects)
    every = [f"{name}/{end}/{stop}" for end in ENDS for stop in range(points)]
    every += [f"{name}/back/{stop}" for stop in range(0, points, 8)]
    chance = random.Random(f"again {seed}")  # noqa: S311 - a seed, not a secret
    pairs = [chance.choices(range(points), k=2) for _ in range(_MOMENTS if points else 0)]
    every += [f"{name}/again/{first}+{again}" for first, again in pairs]
    every += [f"{name}/after/{_LONGEST * number / _MOMENTS:.3f}" for number in range(_MOMENTS)]
    every += [f"{name}/together/{number / 10}" for number in range(5)]
    random.Random(seed).shuffle(every)  # noqa: S311 - a seed, not a secret
    yield from every[::share]


def work(job: Job) -> tuple[str, Tally, float]:
    """One scenario: its points, then its schedules; what came of it, and seconds."""
    name, share, seed, seeds, until = job
    begun = time.monotonic()
    if begun > until:
        return name, Tally(), 0.0
    if name == VIRTUAL:
        return name, work_virtually(seeds, until), time.monotonic() - begun
    with Zygote(SPEED) as zygote, bench(SCENARIOS[name], zygote) as made:
        points = [] if not share else list(list_points(made, share, seed))
        names = [*points, *(f"{name}/schedule/{number}" for number in seeds)]
        tally = tally_until(until, (judge(made, one) for one in names))
    return name, tally, time.monotonic() - begun


def tally_until(until: float, verdicts: Iterable[Verdict]) -> Tally:
    """What came of trials, made one by one until the time is over."""
    tally = Tally()
    for verdict in verdicts:
        tally.add(verdict)
        if verdict.problems:
            show(verdict)
        if time.monotonic() > until:
            break
    return tally


def work_virtually(seeds: Sequence[int], until: float) -> Tally:
    """Loads by a virtual clock, and what came of them."""
    with tempfile.TemporaryDirectory() as home:
        loads = plan_loads(Path(home))
        return tally_until(until, (judge_virtual(loads, seed) for seed in seeds))


def try_work(job: Job) -> tuple[str, Tally, float]:
    """The same; a scenario that cannot be prepared is a trial that failed."""
    try:
        return work(job)
    except RuntimeError as error:
        verdict = Verdict(name=f"{job[0]}/prepare/0", problems=(f"stopped as it was: {error}",))
        show(verdict)
        tally = Tally()
        tally.add(verdict)
        return job[0], tally, 0.0


def show(verdict: Verdict) -> None:
    """Print a trial that failed, with what replays it."""
    known = find_expected(verdict)
    if known is not None:
        say(f"known ({known}): {verdict.name}")
        return
    lines = [f"FAILED {verdict.name}, before: {verdict.effect}"]
    lines += [one[:_CUT] for one in verdict.problems[:_SHOWN]]
    say("\n    ".join(lines) + f"\n    python -m tests.torture --replay {verdict.name}")


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def list_jobs(options: argparse.Namespace) -> Iterator[Job]:
    """Scenarios with their points, then turns of schedules, until all have been had."""
    until = time.monotonic() + options.minutes * 60
    wanted = [one for one in options.only or SCENARIOS if one != VIRTUAL]
    for name in wanted if options.share else ():
        yield name, options.share, options.seed, (), until
    seeds = range(options.seed, options.seed + options.schedules)
    for first in range(0, len(seeds), _VIRTUAL_TURN):
        if not options.only or VIRTUAL in options.only:
            yield VIRTUAL, 0, options.seed, seeds[first : first + _VIRTUAL_TURN], until
    for name in wanted:
        own = [one for one in seeds if choose_scenario(one) == name]
        for first in range(0, len(own), _TURN):
            yield name, 0, options.seed, own[first : first + _TURN], until


def render_table(tallies: dict[str, Tally], seconds: float) -> list[str]:
    """The table: one line a scenario, and their sum."""
    columns = (*_TRIALS, "kills", "lost", "twice", "disagree", "stuck")
    lines = [f"{'scenario':<{_WIDTH}}" + "".join(f"{name:>9}" for name in columns) + "  expected"]
    total: Counter[str] = Counter()
    for name, tally in tallies.items():
        total.update(tally.counts)
        expected = " ".join(f"{fault}:{times}" for fault, times in tally.expected.items())
        figures = "".join(f"{tally.counts[one]:>9,}" for one in columns)
        lines.append(f"{name:<{_WIDTH}}{figures}  {expected}")
    lines.append(f"{'all':<{_WIDTH}}" + "".join(f"{total[one]:>9,}" for one in columns))
    return [*lines, f"{seconds / 60:.1f} minutes"]


def run_all(options: argparse.Namespace) -> int:
    """All jobs, several at once; the exit code."""
    begun, tallies = time.monotonic(), dict[str, Tally]()
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.jobs, maxtasksperchild=1) as pool:
        for name, tally, seconds in pool.imap_unordered(try_work, list_jobs(options)):
            if seconds:
                say(f"{name}: {tally.trials:,} trials in {seconds:,.0f} s")
            known = tallies.setdefault(name, Tally())
            known.counts.update(tally.counts)
            known.expected.update(tally.expected)
            known.failed += tally.failed
    say(f"{options.schedules:,} seeds from {options.seed} on")
    say("\n".join(render_table(tallies, time.monotonic() - begun)))
    return int(any(one.failed for one in tallies.values()))


def replay(name: str) -> int:
    """One trial, with all that it found."""
    scenario, _, number = name.split("/")
    if scenario == VIRTUAL:
        with tempfile.TemporaryDirectory() as home:
            verdict = judge_virtual(plan_loads(Path(home)), int(number))
    else:
        with bench(SCENARIOS[scenario]) as made:
            verdict = judge(made, name)
    say("\n".join([f"{verdict.name}, before: {verdict.effect}", *verdict.problems]))
    return int(bool(verdict.problems))


def main() -> int:
    """Do what the words say; 1 if a trial failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=600.0, help="how long, at the most")
    parser.add_argument("--share", type=int, default=1, help="every n-th point; 0: none")
    parser.add_argument("--schedules", type=int, default=10_000, help="how many schedules")
    parser.add_argument("--seed", type=int, default=0, help="the first schedule's")
    parser.add_argument("--jobs", type=int, default=2, help="scenarios at once")
    parser.add_argument("--only", action="append", choices=[*SCENARIOS, VIRTUAL], help="scenarios")
    parser.add_argument("--replay", metavar="NAME", help="one trial, as in apply-odata/kill/17")
    options = parser.parse_args()
    return replay(options.replay) if options.replay else run_all(options)
