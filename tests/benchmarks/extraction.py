"""``python -m tests.benchmarks.extraction [--rows N]``: contacts read out of a sandbox.

Microsoft's Python client reads them for comparison. Both read the same columns in the same pages
over TLS from the same sandbox, one after the other. Counted is the processor time of the client's
own process. p2c lands the rows on disk as it reads; the other client only looks through them. A
tenth of the rows is read first, to show that memory does not grow with them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azure.identity import ClientSecretCredential
from PowerPlatform.Dataverse.client import DataverseClient

from pipeline.extract.dataverse.columns import choose_columns
from pipeline.extract.dataverse.extraction import ExtractionScope, land_dataverse
from pipeline.plan.source import list_mapped_columns
from pipeline.project.resolve import load_project
from pipeline.project.systems import connect_sales
from pipeline.wire.dataverse import LOOKUP_TYPE, PAGE_ROWS
from schemas.sales import CONTACTS
from tests.benchmarks.measuring import Taken, step

_MODULE = "tests.benchmarks.extraction"
_WANTED = 1 / 3


@contextmanager
def sandbox(rows: int) -> Iterator[dict[str, Any]]:
    """A sandbox in a process of its own; what it says when it is ready."""
    command = [sys.executable, "-m", "pipeline.cli", "sandbox", "--tls", "--rows", str(rows)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None:
                raise TypeError(command)
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def ours(ready: dict[str, Any]) -> dict[str, float]:
    """Land the contacts; what it took."""
    project = load_project(Path(ready["project"]))
    with tempfile.TemporaryDirectory() as home, connect_sales(project) as sales:
        sales.who_am_i()
        into = Path(home) / "source"
        into.mkdir()
        began, spent = time.perf_counter(), time.process_time()
        wish = ExtractionScope(
            tables=("contacts",), mapped=list_mapped_columns(project), tracking="never"
        )
        found = land_dataverse(
            sales, into, wish, work=Path(home) / "work", progress=lambda *_: None
        )
        traffic = found.traffic["contacts"]
        return {
            "seconds": time.perf_counter() - began,
            "spent": time.process_time() - spent,
            "rows": found.landed["contacts"].rows,
            "requests": traffic.requests_per_1000 or 0.0,
            "bytes": traffic.bytes_per_1000 or 0.0,
            "throttled": traffic.throttled,
        }


def theirs(ready: dict[str, Any]) -> dict[str, float]:
    """Look through the contacts with PowerPlatform-Dataverse-Client; what it took."""
    project = load_project(Path(ready["project"]))
    names = choose_columns(CONTACTS, sorted(list_mapped_columns(project))).select.split(",")
    login = ClientSecretCredential(
        ready["tenant"],
        ready["client_id"],
        ready["secret"],
        authority=ready["sales_url"],
        disable_instance_discovery=True,
    )
    with DataverseClient(ready["sales_url"], login) as client:
        began, spent = time.perf_counter(), time.process_time()
        pages = client.records.list_pages(
            "contact", select=names, page_size=PAGE_ROWS, include_annotations=LOOKUP_TYPE
        )
        rows = sum(len(page) for page in pages)
        return {
            "seconds": time.perf_counter() - began,
            "spent": time.process_time() - spent,
            "rows": rows,
        }


def line(name: str, taken: Taken) -> str:
    """What one client took, in words."""
    reported = taken.reported
    return (
        f"{name:<32} {reported['rows']:>9,.0f} rows  {reported['seconds']:>6.1f} s  "
        f"{reported['spent'] / reported['rows'] * 1e6:>6.1f} µs of processor a row  peak "
        f"{taken.peak_mib:>5.0f} MiB"
    )


def main(rows: int) -> int:
    """Measure and tell; 1 when p2c takes more than a third of the other client's processor time."""
    with sandbox(rows // 10) as ready:
        few = step(_MODULE, "--as", "ours", "--ready", json.dumps(ready))
    with sandbox(rows) as ready:
        os.environ["REQUESTS_CA_BUNDLE"] = ready["ca_file"]
        many = step(_MODULE, "--as", "ours", "--ready", json.dumps(ready))
        other = step(_MODULE, "--as", "theirs", "--ready", json.dumps(ready))
    reported = many.reported
    share = (reported["spent"] / reported["rows"]) / (
        other.reported["spent"] / other.reported["rows"]
    )
    grown = f"memory grew by {many.peak_mib - few.peak_mib:,.0f} MiB for ten times the rows"
    cost = f"1,000 rows cost {reported['requests']:.2f} requests and {reported['bytes']:,.0f} bytes"
    lines = [
        line("p2c", few),
        line("p2c", many),
        line("PowerPlatform-Dataverse-Client", other),
        (
            f"p2c takes {share:.2f} of the other's processor time (wanted: at most {_WANTED:.2f}); "
            f"{grown}"
        ),
        f"{cost}; throttled {reported['throttled']:.0f} times",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if share <= _WANTED else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--as", dest="role", choices=["ours", "theirs"])
    parser.add_argument("--ready", default="{}")
    given = parser.parse_args()
    if given.role is None:
        sys.exit(main(given.rows))
    work = {"ours": ours, "theirs": theirs}[given.role]
    sys.stdout.write(json.dumps(work(json.loads(given.ready))) + "\n")
