"""``python -m pipeline.samples FOLDER``: write samples of any size."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.samples.generate import write_samples


def write_files() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.samples", description="Write sample tables."
    )
    parser.add_argument("folder", type=Path, help="where to; made if it is not there")
    parser.add_argument("--rows", type=int, default=1000, help="contact rows (default 1000)")
    parser.add_argument(
        "--seed", type=int, default=1, help="decides ids, numbers and values (default 1)"
    )
    parser.add_argument(
        "--form",
        choices=["csv", "parquet"],
        default="csv",
        help="of the source tables (default csv)",
    )
    chosen = parser.parse_args()
    write_samples(chosen.folder, rows=chosen.rows, seed=chosen.seed, form=chosen.form)


if __name__ == "__main__":
    write_files()
