"""The job in dlt: the rules in Polars, as there, and dlt for its own part, the load into DuckDB."""

from __future__ import annotations

import os
from pathlib import Path

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
import polars as pl

from tests.benchmarks.peers import by_polars
from tests.benchmarks.peers.job import read_job


def main() -> None:
    """Do the job."""
    by_polars.main()
    out: Path = read_job().out
    pipeline = dlt.pipeline(
        "contacts",
        destination=dlt.destinations.duckdb(str(out / "dlt.duckdb")),
        dataset_name="out",
        pipelines_dir=str(out / "pipelines"),
    )
    pipeline.run(
        [
            dlt.resource(
                pl.read_parquet(out / f"{name}.parquet").to_arrow(),
                name=name,
                write_disposition="replace",
            )
            for name in ("customers", "persons", "rejected")
        ]
    )


if __name__ == "__main__":
    main()
