"""One scenario on its bench: prepared once, tried many times, each time from the same state."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.journeys.apply.conftest import ACCOUNTS, project_text
from tests.scenes.small import contactid, number, rows, write_small
from tests.torture.effects import End
from tests.torture.sandboxes import Order, Sandboxes, State
from tests.torture.scenarios import CHANGE, RUN, Scenario, Words
from tests.torture.state import Left, count_outcomes, list_differences, read_runs
from tests.torture.zygote import Command, Ended, Zygote

SPEED: Final = 100.0
"""How much faster time passes for the commands."""
CALLS: Final = 6
STOPPED: Final = 3
BROKEN: Final = 4
REFUSED: Final = 2
_BESIDE: Final = ("was begun and has not ended", "Plan again")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was left: exit code, the systems' rows, the folder of runs, and what ``verify`` says."""

    code: int
    systems: State
    runs: Left
    verified: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How a trial went. ``problems`` is empty if it ended as if nothing had happened.

    ``effect``: before which it was stopped; blank if it was not.
    """

    name: str
    effect: str = ""
    kills: int = 0
    problems: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Bench:
    """A scenario, prepared. ``calm`` is what it leaves undisturbed, ``effects`` what it does."""

    scenario: Scenario
    home: Path
    zygote: Zygote
    systems: Sandboxes
    stack: ExitStack
    second: Zygote | None = None
    run: str = ""
    ahead: float = 0.0
    """Seconds that the commands' clock is ahead, because it is faster."""
    begins: float = 0.0
    """What ``ahead`` is when a trial begins."""
    effects: tuple[str, ...] = ()
    _calm: list[Outcome] = field(default_factory=list)

    @property
    def calm(self) -> Outcome:
        """What the undisturbed command leaves."""
        return self._calm[0]

    @property
    def saved(self) -> Path:
        """What each trial begins with."""
        return self.home.with_name("saved")

    def make_command(self, words: Words) -> Command:
        """A command of p2c in the home of the trials."""
        ready = self.systems.ready
        return Command(
            words=[one.replace(RUN, self.run) for one in words],
            home=str(self.home),
            out=f"{self.home}.out",
            ahead=self.ahead,
            environment={ready.secret_env: ready.secret},
        )

    def call(
        self,
        words: Words,
        *,
        stop: int | None = None,
        end: End = "kill",
        after: float | None = None,
        back: float = 0.0,
    ) -> Ended:
        """Run a command of p2c."""
        made = dataclasses.replace(self.make_command(words), stop=stop, end=end, after=after)
        ended = self.zygote.run(dataclasses.replace(made, ahead=self.ahead - back))
        self.ahead += ended.seconds
        return ended

    def prepare(self) -> None:
        """Go the way to the command, and see what it does undisturbed."""
        ready = self.systems.ready
        text = project_text(ready, self.scenario.load, source=self.scenario.source)
        (self.home / "p.toml").write_text(text + self.scenario.more, encoding="utf-8")
        _write_data(self.home / "src", self.scenario)
        with self.systems.serving():
            for words in self.scenario.before:
                self._go(words)
                self.run = max(
                    (one.name for one in (self.home / "runs").glob("2*")), default=self.run
                )
        shutil.copytree(self.home, self.saved)
        self.begins = self.ahead
        with self.trying():
            ended = self.call(self.scenario.command)
            self.effects = ended.effects
            self._calm = [self.look(ended)]
        if ended.code not in {0, 1}:
            raise RuntimeError(f"{self.scenario.name}: {ended.code} {ended.err}")

    def _go(self, words: Words) -> None:
        if words == CHANGE:
            path = self.home / "src" / "contacts.csv"
            path.write_text(path.read_text(encoding="utf-8").replace("contact2@", "other2@"))
            return
        ended = self.call(words)
        if ended.code not in {0, 1}:
            raise RuntimeError(f"{self.scenario.name}, {words[0]}: {ended.code} {ended.err}")

    @contextmanager
    def trying(self, order: Order | None = None) -> Iterator[None]:
        """A trial: systems and folder as they were once the way was gone."""
        self.ahead = self.begins
        shutil.rmtree(self.home)
        shutil.copytree(self.saved, self.home)
        with self.systems.trying(order):
            yield

    def look(self, ended: Ended) -> Outcome:
        """What a command left."""
        systems = self.systems.read_state()
        read = count_outcomes if self.scenario.repeats else read_runs
        runs = read(self.home / "runs")
        return Outcome(code=ended.code, systems=systems, runs=runs, verified=self.verify())

    def verify(self) -> int:
        """What ``verify`` says of the newest run; 0 without one."""
        newest = max((one.name for one in (self.home / "runs").glob("2*")), default="")
        return self.call(("verify", newest)).code if newest else 0

    def resume(self) -> tuple[Ended, list[str]]:
        """Call the same command until it does not ask for more; what is wrong with that."""
        ended = self.call(self.scenario.command)
        problems = [f"does not go on: {ended.err.strip()}"] if ended.code == STOPPED else []
        return ended, problems

    def compare(self, ended: Ended) -> list[str]:
        """What is otherwise than after the undisturbed command."""
        found, calm = self.look(ended), self.calm
        problems = []
        if found.code != calm.code:
            problems.append(f"exit code {found.code} instead of {calm.code}: {ended.err.strip()}")
        if found.verified != calm.verified:
            problems.append(f"verify says {found.verified} instead of {calm.verified}")
        problems += list_differences(found.systems, calm.systems)
        return problems + list_differences(found.runs, calm.runs)

    def stop_at(self, stop: int, end: End = "kill", *, back: float = 0.0) -> Verdict:
        """End the command before an effect, call it again, and compare."""
        name = f"{self.scenario.name}/{end}/{stop}"
        with self.trying():
            first = self.call(self.scenario.command, stop=stop, end=end)
            problems = self._judge_first(first, end)
            effect = first.effects[stop] if stop < len(first.effects) else ""
            ended, more = self.resume_back(back)
            problems += more or self.compare(ended)
        return Verdict(
            name=name, effect=effect, kills=int(first.was_killed), problems=tuple(problems)
        )

    def stop_twice(self, stop: int, again: int) -> Verdict:
        """Kill the command before an effect, and its repetition before another; compare."""
        name = f"{self.scenario.name}/again/{stop}+{again}"
        with self.trying():
            first = self.call(self.scenario.command, stop=stop)
            second = self.call(self.scenario.command, stop=again)
            problems = [*self._judge_first(first, "kill"), *self._judge_first(second, "kill")]
            ended, more = self.resume()
            problems += more or self.compare(ended)
        effects = [one.effects[-1] for one in (first, second) if one.was_killed and one.effects]
        kills = int(first.was_killed) + int(second.was_killed)
        return Verdict(
            name=name, effect=" then ".join(effects), kills=kills, problems=tuple(problems)
        )

    def resume_back(self, back: float) -> tuple[Ended, list[str]]:
        """Resume, with a clock that is behind by so many seconds if it is not 0."""
        if not back:
            return self.resume()
        ended = self.call(self.scenario.command, back=back)
        return ended, [f"does not go on: {ended.err}"] if ended.code == STOPPED else []

    def _judge_first(self, first: Ended, end: End) -> list[str]:
        if "Traceback" in first.err or first.code == BROKEN:
            return [f"stopped as {first.code}: {first.err.strip()}"]
        said = self.verify() if end != "disk" else 0
        return ["verify says that the stopped run was altered"] if said == BROKEN else []

    def run_together(self, seconds: float) -> Verdict:
        """Call the command twice, the second time so much later, then again; compare."""
        name = f"{self.scenario.name}/together/{seconds}"
        self.second = self.second or self.stack.enter_context(Zygote(SPEED))
        command = self.make_command(self.scenario.command)
        with self.trying():
            with ThreadPoolExecutor(1) as pool:
                first = pool.submit(self.zygote.run, command)
                time.sleep(seconds)
                other = self.second.run(dataclasses.replace(command, out=f"{self.home}.second"))
                problems = [*_judge_beside(first.result()), *_judge_beside(other)]
            ended, more = self.resume()
            problems += more or self.compare(ended)
        return Verdict(name=name, problems=tuple(problems))

    def disturb(self, order: Order) -> Verdict:
        """Call the command while its requests fail, then in peace if it has not ended; compare."""
        name = f"{self.scenario.name}/schedule/{order.seed}"
        with self.trying(order):
            problems: list[str] = []
            for _ in range(CALLS):
                ended = self.call(self.scenario.command)
                problems += _judge_disturbed(ended)
                if ended.code != STOPPED or problems:
                    break
            else:
                self.systems.calm()
                ended, problems = self.resume()
            problems = problems or self.compare(ended)
        return Verdict(name=name, problems=tuple(problems))

    def kill_after(self, seconds: float) -> Verdict:
        """Kill the command at a moment, call it again, and compare."""
        name = f"{self.scenario.name}/after/{seconds:.3f}"
        with self.trying():
            first = self.call(self.scenario.command, after=seconds)
            problems = self._judge_first(first, "kill") if first.was_killed else []
            ended, more = self.resume()
            problems += more or self.compare(ended)
            effect = first.effects[-1] if first.was_killed and first.effects else ""
        return Verdict(
            name=name, effect=effect, kills=int(first.was_killed), problems=tuple(problems)
        )


def _judge_beside(ended: Ended) -> list[str]:
    """Of two at once one may be refused, because the other one has begun, or has ended since."""
    is_refused = ended.code == REFUSED and any(one in ended.err for one in _BESIDE)
    return [] if is_refused else _judge_disturbed(ended)


def _judge_disturbed(ended: Ended) -> list[str]:
    if "Traceback" in ended.err or ended.code not in {0, 1, STOPPED}:
        return [f"ended as {ended.code}: {ended.err.strip()}"]
    return []


def _write_data(folder: Path, scenario: Scenario) -> None:
    """The export that is the source, and what the systems are filled from."""
    contacts = rows()
    for place in scenario.without:
        contacts[place - 1]["msdynce_contactnumber"] = ""
    assert contacts[0]["contactid"] == contactid(1)
    assert contacts[0]["msdynce_contactnumber"] == number(1)
    write_small(folder, contacts=contacts)
    (folder / "p2c.toml").unlink()
    (folder / "known_customers.csv").write_text(ACCOUNTS, encoding="utf-8")


@contextmanager
def bench(scenario: Scenario, zygote: Zygote | None = None) -> Iterator[Bench]:
    """A prepared scenario, to the end of the block."""
    room = Path("/dev/shm")  # noqa: S108 - a disk in memory, where there is one
    where = str(room) if room.is_dir() else None
    with (
        ExitStack() as stack,
        tempfile.TemporaryDirectory(
            prefix="p2c-bench-", dir=where, ignore_cleanup_errors=True
        ) as base,
    ):
        folder = Path(base).resolve()
        data = folder / "data"
        _write_data(data, scenario)
        (folder / "home").mkdir()
        made = Bench(
            scenario=scenario,
            home=folder / "home",
            zygote=zygote or stack.enter_context(Zygote(SPEED)),
            systems=stack.enter_context(Sandboxes(data)),
            stack=stack,
        )
        made.prepare()
        yield made
