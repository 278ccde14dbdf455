"""``python -m tests.benchmarks.plan``: time and memory of a plan against the bare DuckDB work.

The speed of packages is measured, too. All steps run in turn, each in a process of its own, so that
noise meets all of them alike; ratios are medians.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measuring import Taken, median, samples, step


def main() -> None:
    """Measure and print."""
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    tell(
        f"{os.cpu_count()} processors; {options.rows:,} generated contacts; median of "
        f"{options.times}"
    )
    source = samples(options.folder, options.rows)
    bare, planned = [], []
    for _ in range(options.times):
        bare.append(_timed("tests.benchmarks.bare", source))
        planned.append(_timed("tests.benchmarks.planning", source))
    tell("bare COPY  ", bare)
    tell("plan       ", planned)
    ratio = median([two.seconds / one.seconds for one, two in zip(bare, planned, strict=True)])
    tell(f"plan / bare COPY: {ratio:.2f} (at most 3 is wanted)")
    if options.larger:
        larger = _timed("tests.benchmarks.planning", samples(options.folder, 2 * options.rows))
        peak = median([one.peak_mib for one in planned])
        tell(
            f"peak memory: {peak:,.0f} MiB; for twice the contacts {larger.peak_mib:,.0f} MiB "
            f"({larger.peak_mib / peak - 1:+.0%})"
        )
    packages = [_timed("tests.benchmarks.packaging", source) for _ in range(options.times)]
    rate, megabytes = (
        median([one.reported[name] for one in packages])
        for name in ("rows_per_second", "megabytes_per_second")
    )
    tell(f"packages: {rate:,.0f} rows/s, {megabytes:,.1f} MB of data file/s")


def _timed(module: str, source: Path) -> Taken:
    out = Path(tempfile.mkdtemp(prefix="p2c-benchmark-"))
    try:
        return step(module, source, out)
    finally:
        shutil.rmtree(out)


def tell(text: str, taken: list[Taken] | None = None) -> None:
    """One line on stdout."""
    if taken:
        text += (
            f" {median([one.seconds for one in taken]):6.1f} s, "
            f"{median([one.processor for one in taken]):6.1f} s of processor, "
            f"peak {max(one.peak_mib for one in taken):,.0f} MiB"
        )
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.plan", description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument(
        "--larger", action="store_true", help="plan twice the rows, too, and compare peak memory"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "p2c-benchmark"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
