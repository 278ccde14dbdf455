"""``python -m tests.mutation``: small changes of the code, and which of them no test notices.

A seeded sample of all changes is tried, each in a process of its own with the tests of its room. It
ends with the places of those that survived: somebody should look at each.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType
from typing import Final, Literal

import pytest

from tests.mutation.mutants import ROOMS, Mutant, list_mutants
from tests.scenes.places import ROOT

Fate = Literal["killed", "survived", "stillborn", "hung"]
"""Stillborn: the module cannot be imported. Hung: its tests did not end, so they notice."""

_FATES: Final[dict[int, Fate]] = {0: "survived", 1: "killed", 3: "stillborn"}
_LOADED: Final = (
    "polars",
    "duckdb",
    "pyarrow",
    "pandera.polars",
    "httpx",
    "pydantic",
    "hypothesis",
)
"""What every process needs, loaded once."""
_STEP: Final = 0.05


class _Swapped(SourceFileLoader):
    """Loads a module from another source than its file's."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        """The other source, compiled."""
        return compile(self._source, self.get_filename(fullname), "exec")


class _Finder:
    """Finds one module, before all others that could."""

    def __init__(self, mutant: Mutant) -> None:
        path = ROOT / mutant.path
        self._name = mutant.module
        source = mutant.render(path.read_text(encoding="utf-8"))
        self._loader = _Swapped(self._name, str(path), source)

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """The module, if it is the one."""
        if name != self._name:
            return None
        return spec_from_file_location(name, self._loader.path, loader=self._loader)


def run_tests(tests: Sequence[str]) -> int:
    """Run tests until one fails; 0 if none does.

    Modules that are loaded already are no reason to fail.
    """
    loaded = "ignore::pytest.PytestAssertRewriteWarning"
    return int(pytest.main(["-x", "-q", "-W", loaded, "-p", "no:xdist", *tests]))


def try_mutant(mutant: Mutant, patience: float) -> Fate:
    """What becomes of a mutant."""

    def live() -> int:
        sys.meta_path.insert(0, _Finder(mutant))
        try:
            importlib.import_module(mutant.module)
        except Exception:  # noqa: BLE001 - whatever it raises, it is no module
            return 3
        return min(1, run_tests(mutant.list_tests()))

    code = _run_apart(live, patience)
    return "hung" if code is None else _FATES.get(code, "killed")


def _run_apart(work: Callable[[], int], patience: float) -> int | None:
    """The exit code of some work in a copy of this process; null if it does not end."""
    pid = os.fork()
    if not pid:
        os.setsid()
        silence = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(silence, number)
        code = 1
        try:
            code = work()
        finally:
            os._exit(code)
    until = time.monotonic() + patience
    while time.monotonic() < until:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_STEP)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def require_passing(rooms: Sequence[str], patience: float) -> None:
    """End the program unless the tests pass as the code is: else they would notice everything."""
    for room in rooms:
        if _run_apart(partial(run_tests, [f"tests/{room}"]), patience) != 0:
            sys.exit(f"The tests in tests/{room} fail, or take more than {patience:g} s.")


def choose_mutants(rooms: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """A sample of all mutants of some rooms, in an order by the seed."""
    every = [mutant for room in rooms for mutant in list_mutants(room)]
    random.Random(seed).shuffle(every)  # noqa: S311 - a seed, not a secret
    return every[:count]


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Try mutants; 1 if one survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--count", type=int, default=80, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    parser.add_argument("--room", action="append", choices=ROOMS, help="only these rooms")
    parser.add_argument("--patience", type=float, default=300.0, help="seconds for its tests")
    parser.add_argument("--minutes", type=float, default=600.0, help="how long, at the most")
    options = parser.parse_args()
    os.chdir(ROOT)
    until = time.monotonic() + options.minutes * 60
    for name in _LOADED:
        importlib.import_module(name)
    rooms = options.room or ROOMS
    require_passing(rooms, options.patience)
    fates: Counter[str] = Counter()
    for mutant in choose_mutants(rooms, options.count, options.seed):
        if time.monotonic() > until:
            break
        fate = try_mutant(mutant, options.patience)
        fates[fate] += 1
        say(f"{fate:<9} {mutant.place}")
    say(", ".join(f"{number:,} {fate}" for fate, number in fates.most_common()))
    return int(fates["survived"] > 0)


if __name__ == "__main__":
    sys.exit(main())
