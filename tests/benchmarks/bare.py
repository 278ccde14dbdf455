"""``python -m tests.benchmarks.bare FOLDER OUT``: the bare DuckDB work, timed."""

from __future__ import annotations

import json
import sys
import time
from importlib.resources import files
from pathlib import Path

import duckdb
import polars as pl

from pipeline.mapping.countries import load_country_codes

LABELS = {
    "gendercode": {1: "Male", 2: "Female"},
    "familystatuscode": {1: "Single", 2: "Married", 3: "Divorced", 4: "Widowhood"},
    "donotemail": {1: "No", 0: "Yes"},
    "statecode": {0: "No", 1: "Yes"},
}


def main(folder: Path, out: Path) -> None:
    """Time both COPY statements."""
    spellings = pl.DataFrame(
        {"spelling": list(load_country_codes()), "code": list(load_country_codes().values())}
    )
    labels = pl.DataFrame(
        [
            {"source": source, "key": key, "value": value}
            for source, pairs in LABELS.items()
            for key, value in pairs.items()
        ]
    )
    out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET preserve_insertion_order = true")
        for table in ("contacts", "accounts", "transactioncurrencies"):
            connection.execute(
                f"CREATE VIEW {table} AS FROM read_parquet('{folder / table}.parquet', "
                "file_row_number = true)"
            )
        connection.register("spellings", spellings.to_arrow())
        connection.register("labels", labels.to_arrow())
        for statement in duckdb.extract_statements(
            files("tests.benchmarks").joinpath("bare.sql").read_text("utf-8")
        ):
            [name] = statement.named_parameters
            connection.execute(statement, {name: str(out / f"{name}.parquet")})
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - started}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
