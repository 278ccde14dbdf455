"""What the benchmarks share: a step runs in a process of its own, so that its time and peak memory are its own."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What one step took: seconds, peak resident memory in MiB, and what it printed as JSON."""

    seconds: float
    peak_mib: float
    told: dict[str, float]


def step(module: str, *arguments: object) -> Taken:
    """Run ``python -m module arguments`` and watch it; its last line on stdout is a JSON object with ``seconds``."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watched = psutil.Process(process.pid)
    peak = 0
    while process.poll() is None:
        try:
            peak = max(peak, watched.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.01)
    out, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    told = json.loads(out.strip().splitlines()[-1])
    return Taken(seconds=told["seconds"], peak_mib=peak / 2**20, told=told)


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def samples(folder: Path, rows: int) -> Path:
    """Generated contacts as Parquet, made once."""
    target = folder / f"contacts-{rows}"
    if not (target / "p2c.toml").exists():
        command = [sys.executable, "-m", "pipeline.samples", "--rows", str(rows), "--form", "parquet", str(target)]
        subprocess.run(command, check=True)
    return target
