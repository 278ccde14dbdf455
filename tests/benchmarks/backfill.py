"""``python -m tests.benchmarks.backfill``: planning a backfill against the bare DuckDB work.

That is an aggregation and a join. Each is timed in a process of its own (``--as
ours|bare|allowed|bounded``): the bare query with all the memory it asks for, with as much as a plan
may take in all, and with as much as a plan gives DuckDB. Three documents for a contact, a tenth of
contacts without a number.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import duckdb

from pipeline.backfill.planning import make_backfill
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from tests.benchmarks.measuring import Taken, median, step

_BOUNDS = {"bare": None, "allowed": "3GB", "bounded": "1GB"}
"""DuckDB's memory in the bare query; the last is that in a plan, unless the project says otherwise.
"""
_ID = "CAST(CAST(md5('c' || {0}) AS UUID) AS VARCHAR)"
_DOCUMENTS = {"quotes": ("quoteid", "quotenumber"), "salesorders": ("salesorderid", "ordernumber"),
              "invoices": ("invoiceid", "invoicenumber")}  # fmt: skip


def source(folder: Path, rows: int) -> Path:
    """Tables as Parquet, made once."""
    target = folder / f"backfill-{rows}"
    if (target / "whole").exists():
        return target
    target.mkdir(parents=True, exist_ok=True)
    contact = (
        f"SELECT {_ID.format('i')} AS contactid, 'x' AS lastname, CASE WHEN i % 10 > 0 THEN "
        "'CON-' || lpad(CAST(1000 + i AS VARCHAR), 7, '0') || '-' || upper(substr(md5(CAST(i AS "
        "VARCHAR)), 1, 6)) END AS msdynce_contactnumber, i % 3 = 0 AS msdynce_isactivecustomer, "
        "NULL::VARCHAR AS parentcustomerid, "
        "NULL::VARCHAR AS parentcustomeridtype, false AS msdynce_iscompanyanaccount, "
        "TIMESTAMPTZ '2020-01-01 00:00:00Z' + INTERVAL (i) SECOND AS createdon, i AS "
        f"versionnumber FROM range({rows}) AS t(i)"
    )
    counter = (
        "SELECT CAST(md5('n') AS UUID)::VARCHAR AS msdynce_p2cautonumberid, 'contact' AS "
        "msdynce_entityname, "
        "'CON' AS msdynce_prefix, "
        f"{1000 + rows} AS msdynce_numbersequence, 6 AS msdynce_suffixlength"
    )
    tables = {"contacts": contact, "msdynce_p2cautonumbers": counter}
    for place, (name, (key, number)) in enumerate(_DOCUMENTS.items()):
        tables[name] = (
            f"SELECT CAST(md5('{name}' || i) AS UUID)::VARCHAR AS {key}, '{name[0].upper()}-' || i "
            f"AS {number}, "
            f"{_ID.format(f'((i * 7919 + {place}) % {rows * 2 // 3})')} AS customerid, 'contact' "
            "AS customeridtype, "
            "TIMESTAMPTZ '2021-01-01 00:00:00Z' + INTERVAL (i) SECOND AS createdon, 0 AS statecode "
            f"FROM range({rows}) AS t(i)"
        )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, query in tables.items():
            connection.execute(
                f"COPY ({query}) TO '{target / name}.parquet' (FORMAT parquet, COMPRESSION zstd)"
            )
    (target / "whole").touch()
    return target


def ours(folder: Path, out: Path) -> None:
    """Time a plan."""
    started = time.perf_counter()
    project = load_project(None, source=folder, assignments=())
    make_backfill(
        project, PlanRequest(command="backfill"), out, lambda: datetime.now(UTC), report_nothing
    )
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - started}) + "\n")


def bare(folder: Path, out: Path, memory: str | None = None) -> None:
    """Time the bare query."""
    started = time.perf_counter()
    with duckdb.connect(config={"memory_limit": memory} if memory else {}) as connection:
        for name in ("contacts", *_DOCUMENTS):
            connection.execute(
                f"CREATE VIEW {name} AS FROM read_parquet('{folder / name}.parquet')"
            )
        text = files("tests.benchmarks").joinpath("backfill_bare.sql").read_text("utf-8")
        connection.execute(text, {"target": str(out / "bare.parquet")})
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - started}) + "\n")


def main() -> None:
    """Measure and print; or be what is measured."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.backfill", description=__doc__
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "p2c-benchmark"
    )
    parser.add_argument("--as", dest="role", choices=("ours", *_BOUNDS))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.role:
        if options.role == "ours":
            ours(options.folder, options.out)
        else:
            bare(options.folder, options.out, _BOUNDS[options.role])
        return
    folder = source(options.folder, options.rows)
    taken: dict[str, list[Taken]] = {role: [] for role in (*_BOUNDS, "ours")}
    for _ in range(options.times):
        for role, found in taken.items():
            out = Path(tempfile.mkdtemp(prefix="p2c-benchmark-"))
            try:
                found.append(
                    step(
                        "tests.benchmarks.backfill", "--as", role, "--folder", folder, "--out", out
                    )
                )
            finally:
                shutil.rmtree(out)
    for role, found in taken.items():
        seconds, peak = median([one.seconds for one in found]), max(one.peak_mib for one in found)
        sys.stdout.write(
            f"{role:<7} {options.rows:>12,} contacts {seconds:7.1f} s  peak {peak:,.0f} MiB\n"
        )
    for role, meaning in (
        ("bare", "at most 2 is wanted; peak at most 3,072 MiB"),
        ("allowed", "the bare query in the 3 GB that are allowed"),
        ("bounded", "the bare query in as much memory"),
    ):
        ratio = median(
            [two.seconds / one.seconds for one, two in zip(taken[role], taken["ours"], strict=True)]
        )
        sys.stdout.write(f"plan / {role}: {ratio:.2f} ({meaning})\n")


if __name__ == "__main__":
    main()
