"""``python -m tests.benchmarks.peers``: ``p2c plan`` beside scripts that do the same job by hand.

All run in turn, round by round, as whole processes; figures are medians, ratios are of one round.
The scripts run in an environment of their own, which is made once: pandas beside Pandera would make
p2c import it. At the end it is said how far the rows of the scripts agree.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from tests.benchmarks.measuring import median, samples
from tests.benchmarks.peers.rules import write_rules

_HERE: Final = Path(__file__).parent
_ROOT: Final = _HERE.parents[2]
_PEERS: Final = ("pandas", "polars", "duckdb", "dlt")
_HELD: Final = 1
"""``p2c plan`` ends so when contacts need a person, as some of the samples do."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one process took: seconds, processor seconds, peak memory in MiB."""

    seconds: float
    processor: float
    peak_mib: float


def main() -> None:
    """Measure and print."""
    options = _read_options()
    python = _make_environment(options.environment)
    source = samples(options.folder, options.rows)
    taken: dict[str, list[Run]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="p2c-peers-", dir=options.folder) as scratch:
        rules = Path(scratch) / "rules.json"
        write_rules(source / "p2c.toml", rules)
        for turn in range(options.times):
            out = Path(scratch) / str(turn)
            taken["p2c"].append(_run_plan(source, out / "runs"))
            for peer in options.peers:
                script = f"tests.benchmarks.peers.by_{peer}"
                taken[peer].append(_run([python, "-m", script, rules, source, out / peer], 0))
        _tell(f"{os.cpu_count()} processors; {options.rows:,} contacts; median of {options.times}")
        _tell_figures(taken)
        _tell_rows(Path(scratch) / "0", options.peers)


def _run_plan(source: Path, runs: Path) -> Run:
    p2c = Path(sys.executable).with_name("p2c")
    return _run([p2c, "plan", "--project", source / "p2c.toml", "--runs", runs], _HELD)


def _run(command: list[str | Path], code: int) -> Run:
    started = time.perf_counter()
    process = subprocess.Popen(
        list(map(str, command)), cwd=_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, code):
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    return Run(
        seconds=seconds,
        processor=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss / 1024,
    )


def _tell_figures(taken: dict[str, list[Run]]) -> None:
    for name, runs in taken.items():
        pairs = zip(runs, taken["p2c"], strict=True)
        ratio = median([own.seconds / other.seconds for other, own in pairs])
        _tell(
            f"{name:<7} {median([one.seconds for one in runs]):7.1f} s "
            f"{median([one.processor for one in runs]):7.1f} s of processor  peak "
            f"{max(one.peak_mib for one in runs):7,.0f} MiB  p2c takes {ratio:4.2f} of it"
        )


def _tell_rows(out: Path, peers: list[str]) -> None:
    """How many rows each wrote, and on how many contacts it disagrees with p2c."""
    (run,) = (one.parent for one in (out / "runs").glob("*/summary.json"))
    decided = pl.read_parquet(run / "decisions.parquet", columns=["contactid", "decision"])
    own = decided.select("contactid", own=pl.col("decision").replace({"contact": "persons"}))
    own = own.with_columns(pl.col("own").replace({"customer": "customers"}))
    own = own.with_columns(
        pl.when(pl.col("own").is_in(["customers", "persons"])).then("own").otherwise(pl.lit("none"))
    ).unique()
    _tell(f"p2c     decided about {decided.height:,} contacts")
    for peer in peers:
        parts = [
            pl.read_parquet(out / peer / f"{name}.parquet", columns=["contactid"]).with_columns(
                said=pl.lit(name)
            )
            for name in ("customers", "persons", "rejected")
        ]
        told = pl.concat(parts).with_columns(pl.col("said").replace({"rejected": "none"}))
        both = own.join(told.unique(), on="contactid", how="full")
        differs = both.filter(pl.col("own").ne_missing(pl.col("said")))["contactid"].n_unique()
        _tell(
            f"{peer:<7} wrote {told.height:,} rows; {differs:,} contacts are elsewhere than in p2c"
        )


def _make_environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not (folder / "whole").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "-r"]
        subprocess.run([*install, str(_HERE / "requirements.txt")], check=True)
        (folder / "whole").touch()
    return python


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _read_options() -> argparse.Namespace:
    scratch = Path(tempfile.gettempdir()) / "p2c-benchmark"
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers", description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--peers", nargs="*", choices=_PEERS, default=list(_PEERS))
    parser.add_argument("--folder", type=Path, default=scratch)
    parser.add_argument("--environment", type=Path, default=scratch / "peers")
    return parser.parse_args()


if __name__ == "__main__":
    main()
