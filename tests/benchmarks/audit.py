"""``python -m tests.benchmarks.audit [--rows N]``: looking at a run of many contacts.

report, verify and the exports are each timed as a command. The contacts are planned and written as
packages once; then every command runs in a process of its own, from its start to its exit code, the
import of its libraries included.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from pipeline.cli.app import main as p2c
from tests.benchmarks.measuring import median, samples, step

_MODULE = "tests.benchmarks.audit"
_SECONDS, _MIB = 10.0, 1024.0
"""What is wanted of each."""

_COMMANDS: dict[str, tuple[str, ...]] = {
    "report": ("report", "latest"),
    "report --with-values": ("report", "latest", "--with-values", "--to", "OUT.html"),
    "verify": ("verify", "latest"),
    "findings as CSV": ("findings", "latest", "--to", "OUT.csv"),
    "findings as Parquet": ("findings", "latest", "--to", "OUT.parquet"),
    "findings --worklist": ("findings", "latest", "--worklist", "OUT.work.csv"),
    "findings --repair": ("findings", "latest", "--repair", "OUT.repair.csv"),
    "explain": ("explain", "CONTACT"),
}


def main() -> int:
    """Measure and tell; 1 when a command takes longer or more memory than is wanted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "p2c-benchmark"
    )
    parser.add_argument("--words")
    options = parser.parse_args()
    if options.words is not None:
        return _one(json.loads(options.words))
    options.folder.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="p2c-benchmark-"))
    try:
        return _all(samples(options.folder, options.rows), home, options.rows, options.times)
    finally:
        shutil.rmtree(home)


def _one(words: list[str]) -> int:
    """One command, timed from before its libraries are imported to its exit code."""
    began = float(os.environ.get("P2C_BEGAN", time.time()))
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()) as errors,
    ):
        code = p2c(words)
    if code not in (0, 1):
        raise SystemExit(f"p2c {' '.join(words)} ended with {code}: {errors.getvalue()}")
    sys.stdout.write(json.dumps({"seconds": time.time() - began}) + "\n")
    return 0


def _all(source: Path, home: Path, rows: int, times: int) -> int:
    runs = ("--runs", str(home / "runs"))
    settings = ("--set", "destination.legal_entity=usmf", "--set", "destination.currency=EUR")
    _taken([*("run", "--source", str(source)), *settings, *runs])
    contact = _contact(home / "runs")
    sys.stdout.write(
        f"{os.cpu_count()} processors; a run of {rows:,} generated contacts; median of {times}\n"
    )
    late = 0
    for name, words in _COMMANDS.items():
        given = [
            word.replace("OUT", str(home / "out")).replace("CONTACT", contact) for word in words
        ]
        taken = [_taken([*given, *runs]) for _ in range(times)]
        seconds, peak = median([one for one, _ in taken]), max(mib for _, mib in taken)
        late += seconds > _SECONDS or peak > _MIB
        sys.stdout.write(f"{name:<24} {seconds:6.1f} s   peak {peak:6,.0f} MiB\n")
        sys.stdout.flush()
    sys.stdout.write(f"wanted: at most {_SECONDS:.0f} s and {_MIB:,.0f} MiB each\n")
    return 1 if late else 0


def _taken(words: list[str]) -> tuple[float, float]:
    os.environ["P2C_BEGAN"] = str(time.time())
    taken = step(_MODULE, "--words", json.dumps(words))
    return taken.seconds, taken.peak_mib


def _contact(runs: Path) -> str:
    """A planned contact of the newest run, from the middle."""
    newest = max(path for path in runs.iterdir() if path.name[:1].isdigit())
    planned = (
        pl.scan_parquet(newest / "decisions.parquet")
        .filter(pl.col("task").is_not_null())
        .select("contactid")
        .collect()
    )
    return str(planned["contactid"][planned.height // 2])


if __name__ == "__main__":
    sys.exit(main())
