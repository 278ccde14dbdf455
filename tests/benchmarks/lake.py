"""``python -m tests.benchmarks.lake FOLDER [ROWS]``: contacts of a Delta table, landed.

The table has 8 files, deletion vectors and column mapping. It prints rows/s of processor time (user
and system, less what the imports take) and the peak of memory.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from tests.benchmarks.landing import main as land
from tests.benchmarks.measuring import median, samples, step
from tests.scenes.delta import Column, DeltaFolder

FILES: Final = 8
_EVERY: Final = 97
"""One row of so many is deleted."""
_TYPES: Final = {
    pl.Int32(): "integer",
    pl.Int64(): "long",
    pl.Boolean(): "boolean",
    pl.Float64(): "double",
}


def make_lake(folder: Path, rows: int) -> Path:
    """Generated contacts as a Delta table, made once; its folder."""
    target = folder / f"lake-{rows}"
    if target.exists():
        return target
    frame = pl.read_parquet(samples(folder, rows) / "contacts.parquet")
    columns = [
        Column(name=name, type=_find_type(kind), physical=f"col-{place}", id=place)
        for place, (name, kind) in enumerate(frame.schema.items(), start=1)
    ]
    table = DeltaFolder(path=target / "contacts", columns=columns, mapping="name", vectors=True)
    table.create()
    height = -(-frame.height // FILES)
    actions = []
    for place, part in enumerate(frame.iter_slices(height)):
        gone = range(place, part.height, _EVERY)
        content = part.to_arrow(compat_level=pl.CompatLevel.oldest())
        vector = table.stored(gone, prefix=f"d{place}")
        name = f"part-{place:05d}.snappy.parquet"
        actions.append(table.write(name, content, vector=vector, store_schema=False))
    table.commit(*actions)
    return target


def _find_type(kind: pl.DataType) -> str:
    if isinstance(kind, pl.Datetime):
        return "timestamp" if kind.time_zone else "timestamp_ntz"
    if isinstance(kind, pl.Decimal):
        return f"decimal({kind.precision},{kind.scale})"
    return _TYPES.get(kind, "string")


def imports() -> None:
    """What a landing imports, and nothing else."""
    import pipeline.extract.lake.table  # noqa: F401, PLC0415

    pa.default_memory_pool()
    sys.stdout.write(json.dumps({"seconds": time.process_time()}) + "\n")


def main(folder: Path, rows: int) -> None:
    """Five landings; the median is reported."""
    source = make_lake(folder, rows)
    bare = median([step("tests.benchmarks.lake", "imports").processor for _ in range(3)])
    found = []
    for _ in range(5):
        with tempfile.TemporaryDirectory(dir=folder) as into:
            found.append(step("tests.benchmarks.lake", "land", source, into))
    processor = median([one.processor for one in found]) - bare
    left = found[0].reported["rows_per_second"] * found[0].seconds
    reported = {
        "rows": left,
        "processor_seconds": processor,
        "rows_per_processor_second": left / processor,
        "seconds": median([one.seconds for one in found]),
        "peak_mib": max(one.peak_mib for one in found),
    }
    sys.stdout.write(json.dumps(reported) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "imports":
        imports()
    elif sys.argv[1] == "land":
        land(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
