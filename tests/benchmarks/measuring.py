"""What the benchmarks share.

A step runs in a process of its own, so that its time and peak memory are its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What one step took: seconds, processor seconds, peak memory in MiB, and its answer."""

    seconds: float
    processor: float
    peak_mib: float
    reported: dict[str, float]


def step(module: str, *arguments: object) -> Taken:
    """Run ``python -m module arguments``.

    Its last line on stdout is a JSON object with ``seconds``.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if process.stdout is None:
        raise TypeError(command)
    with process.stdout as out:
        text = out.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    reported = json.loads(text.strip().splitlines()[-1])
    return Taken(
        seconds=reported["seconds"],
        processor=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss / 1024,
        reported=reported,
    )


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def samples(folder: Path, rows: int) -> Path:
    """Generated contacts as Parquet, made once."""
    target = folder / f"contacts-{rows}"
    if not (target / "p2c.toml").exists():
        command = [
            sys.executable,
            "-m",
            "pipeline.samples",
            "--rows",
            str(rows),
            "--form",
            "parquet",
            str(target),
        ]
        subprocess.run(command, check=True)
    return target
