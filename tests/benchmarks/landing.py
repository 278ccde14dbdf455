"""``python -m tests.benchmarks.landing FOLDER INTO``: contacts of a source of text, landed.

It prints rows/s and MB/s. ``python -m pipeline.samples --rows 1000000 FOLDER`` makes such a source
as CSV.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from pipeline.extract.landing import ReadOptions, land_folder


def main(folder: Path, into: Path) -> None:
    """Time from opening the files to the finished table."""
    started = time.perf_counter()
    landed = land_folder(
        folder,
        into,
        tables=("contacts",),
        extra={},
        wished={},
        options=ReadOptions(),
        progress=lambda _table, _rows: None,
    ).tables["contacts"]
    seconds = time.perf_counter() - started
    size = sum(one.bytes for one in landed.sources)
    reported = {
        "seconds": seconds,
        "rows_per_second": landed.rows / seconds,
        "megabytes_per_second": size / seconds / 1e6,
    }
    sys.stdout.write(json.dumps(reported) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
