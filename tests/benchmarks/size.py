"""``python -m tests.benchmarks.size``: the memory of each command does not grow with the contacts.

A plan, its packages, and what follows, as commands in processes of their own, over generated
contacts (150,000 accounts and half a million documents to each million). A process that takes more
than the limit is stopped, and the benchmark ends with 1. ``--rows`` may be said several times: the
first size is what the others are compared with.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.measuring import samples

_FINE: Final = (0, 1)
"""Exit codes of a command that did its work; 1 says that contacts need a person."""
_LOOK: Final = 0.05
_COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "plan": ("plan",),
    "apply to packages": ("apply", "latest"),
    "verify": ("verify", "latest"),
    "report": ("report", "latest"),
    "findings as CSV": ("findings", "latest", "--to", "OUT.csv"),
    "findings --worklist": ("findings", "latest", "--worklist", "OUT.work.csv"),
    "findings --repair": ("findings", "latest", "--repair", "OUT.repair.csv"),
    "confirm": ("confirm", "latest"),
    "reconcile with exports": ("reconcile", "latest", "--scm", "PACKAGES"),
    "plan after a load": ("plan",),
    "backfill": ("backfill",),
}
_OF_A_PROJECT: Final = ("plan", "backfill")


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a command took: seconds, processor seconds, peak memory in MiB; whether it ended."""

    seconds: float
    processor: float
    peak_mib: float
    is_whole: bool


def main() -> int:
    """Measure and print; 1 when a command went beyond the limit."""
    options = _read_options()
    options.folder.mkdir(parents=True, exist_ok=True)
    first: dict[str, tuple[int, Taken]] = {}
    is_fine = True
    for rows in options.rows or [5_000_000, 50_000_000]:
        source = samples(options.folder, rows)
        home = Path(tempfile.mkdtemp(prefix="p2c-size-", dir=options.folder))
        try:
            _tell(f"{os.cpu_count()} processors; {rows:,} contacts; at most {options.limit} MiB")
            for name, taken in _run_all(source, home, options):
                before, one = first.setdefault(name, (rows, taken))
                _tell_taken(name, rows, taken, before, one)
                is_fine = is_fine and taken.is_whole
        finally:
            shutil.rmtree(home)
    return 0 if is_fine else 1


def _run_all(source: Path, home: Path, options: argparse.Namespace) -> Iterator[tuple[str, Taken]]:
    for name, words in _COMMANDS.items():
        if options.only and name not in options.only:
            continue
        given = [word.replace("OUT", str(home / "out")) for word in words]
        given = [_find_packages(home) if word == "PACKAGES" else word for word in given]
        if words[0] in _OF_A_PROJECT:
            given += ["--project", str(source / "p2c.toml")]
            given += [word for one in options.set for word in ("--set", one)]
        yield name, _run([*given, "--runs", str(home / "runs")], options.limit)
        if name == "plan" and options.plan_alone:
            return


def _find_packages(home: Path) -> str:
    """The packages of the run, which stand for an export of SCM that has all of their rows."""
    return str(next((home / "runs").glob("*/packages")))


def _run(words: list[str], limit: int) -> Taken:
    command = [str(Path(sys.executable).with_name("p2c")), *words]
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if _measure_resident(process.pid) > limit:
                process.kill()
            time.sleep(_LOOK)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        error = said.read().decode()
    seconds = time.perf_counter() - started
    peak = usage.ru_maxrss / 1024
    if process.returncode not in _FINE and peak <= limit:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {error}")
    return Taken(
        seconds=seconds,
        processor=usage.ru_utime + usage.ru_stime,
        peak_mib=peak,
        is_whole=process.returncode in _FINE and peak <= limit,
    )


def _measure_resident(process: int) -> float:
    """MiB that a process has in memory now; 0 when that cannot be told."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _tell_taken(name: str, rows: int, taken: Taken, before: int, one: Taken) -> None:
    text = (
        f"{name:<20} {taken.seconds:8.1f} s {taken.processor:8.1f} s of processor  peak "
        f"{taken.peak_mib:6,.0f} MiB"
    )
    if before != rows:
        longer = (taken.processor / rows) / (one.processor / before)
        text += f"  a contact {longer:4.2f} times, peak {taken.peak_mib / one.peak_mib:4.2f} times"
    _tell(text if taken.is_whole else f"{text}  STOPPED: more than the limit")


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.size", description=__doc__)
    parser.add_argument("--rows", type=int, action="append", help="5,000,000 and 50,000,000")
    parser.add_argument("--limit", type=int, default=1536, help="MiB of a process (default 1536)")
    parser.add_argument("--only", action="append", choices=list(_COMMANDS))
    parser.add_argument("--set", action="append", default=[], help="a setting, as p2c takes it")
    parser.add_argument("--plan-alone", action="store_true", help="end after the plan")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "p2c-benchmark"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
