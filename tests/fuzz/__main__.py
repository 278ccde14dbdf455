"""Look for what a reader dies of: ``python -m tests.fuzz --seconds 3600``.

Each reader of answers and files gets the same share of the time; the reader ``folder`` is all
commands, on altered run folders. A failing one is printed with its seed, and ``--reader NAME
--seed N`` shows it again, with its traceback.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.fuzz.answers import SEEDS, spoil
from tests.fuzz.folders import make_home, try_altered
from tests.fuzz.readers import READERS, Answer, run_reader

FOLDER: Final = "folder"
NAMES: Final = (*READERS, FOLDER)


def make_answer(name: str, seed: int) -> Answer:
    """The spoilt answer that a seed stands for."""
    chance = random.Random(f"{name}/{seed}")  # noqa: S311 - no secret depends on it
    return spoil(chance.choice(SEEDS[name]), chance)


def try_seed(name: str, seed: int) -> Exception | None:
    """What a reader dies of; null if it gives a value or a sentence."""
    with tempfile.TemporaryDirectory(prefix="p2c-fuzz-") as folder:
        try:
            if name == FOLDER:
                try_folder(Path(folder), seed)
            else:
                run_reader(name, make_answer(name, seed), Path(folder))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            return error
    return None


def try_folder(work: Path, seed: int) -> None:
    """Alter a run and ask about it. Raises ``AssertionError`` if what is said of it is wrong."""
    chance = random.Random(seed)  # noqa: S311 - no secret depends on it
    run = make_home(work / "home", applied=chance.random() < 0.5)
    wrong = try_altered(work / "home", run, work / "altered", chance)
    if wrong is not None:
        raise AssertionError(wrong)


def name_place(error: Exception) -> str:
    """The error and the line of ours that raised it."""
    own = [one for one in traceback.extract_tb(error.__traceback__) if "/pipeline/" in one.filename]
    where = f"{own[-1].filename.rpartition('/pipeline/')[2]}:{own[-1].lineno}" if own else "?"
    return f"{type(error).__name__} at {where}"


def fuzz_reader(name: str, seconds: float, first: int) -> tuple[int, Counter[str]]:
    """How many answers were tried in so many seconds, and what the reader died of."""
    found: Counter[str] = Counter()
    begun, seed = time.monotonic(), first
    while time.monotonic() - begun < seconds:
        error = try_seed(name, seed)
        if error is not None:
            place = name_place(error)
            if place not in found:
                sys.stdout.write(f"{name} --seed {seed}: {place}\n")
            found[place] += 1
        seed += 1
    return seed - first, found


def main(words: Sequence[str]) -> int:
    """Fuzz, or show one seed again; 1 if a reader died."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0 * len(NAMES), help="in all")
    parser.add_argument("--reader", choices=NAMES, help="this one only")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="show this one, of --reader")
    flags = parser.parse_args(words)
    names = [flags.reader] if flags.reader else list(NAMES)
    if flags.seed is not None:
        error = try_seed(names[0], flags.seed)
        if names[0] != FOLDER:
            sys.stdout.write(f"{make_answer(names[0], flags.seed)}\n")
        if error is not None:
            traceback.print_exception(error)
        return int(error is not None)
    died = 0
    for name in names:
        tried, found = fuzz_reader(name, flags.seconds / len(names), flags.first)
        sys.stdout.write(f"{name:<12} {tried:>8,} answers {found.total():>6,} deaths\n")
        died += found.total()
    return int(died > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
