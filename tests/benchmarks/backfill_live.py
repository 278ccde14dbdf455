"""A backfill written into a sandbox while others make contacts: killed on the way, the same end.

Undone, the same start.

``python -m tests.benchmarks.backfill_live [ROWS]`` (100,000 contacts, a tenth without numbers). The
sandbox, the writer and the client that keeps making contacts are processes of their own; the writer
is killed five times with SIGKILL.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import polars as pl

from pipeline.audit.verify import verify_folder
from pipeline.backfill.applying import apply_backfill, read_reservation
from pipeline.backfill.reserve import find_base
from pipeline.backfill.undoing import plan_undo
from pipeline.events import report_nothing
from pipeline.project.open_run import OpenRun
from pipeline.project.resolve import make_bare_project
from pipeline.run.files import hash_file, write_json, write_table
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal, read_journal
from pipeline.run.summary import digest_facts
from pipeline.wire.client import make_client
from pipeline.wire.salesrows import SalesRows
from pipeline.wire.system import System
from schemas.run import FINDINGS, OUTCOME_NAMES

KILLS: Final = 5
SINGLES: Final = 500
READY: Final = "P2C_BENCHMARK_SANDBOX"
"""The environment variable by which the writer learns where the sandbox is and how to log in."""

_BYTES: Final = 800
"""What a request about leaves in the journal."""

_COLUMNS: Final = (
    "msdynce_contactnumber",
    "msdynce_isactivecustomer",
    "msdynce_iscompanyanaccount",
)
_EQUATION: Final = "planned = created + updated + unchanged + written + failed + unknown + pending"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Bearer(httpx.Auth):
    """A token, asked for again when it is about to end."""

    def __init__(self, ready: dict[str, str]) -> None:
        self._ready = ready
        self._token, self._until = "", 0.0
        self._lock = threading.Lock()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        with self._lock:
            if time.monotonic() > self._until:
                ready = self._ready
                form = {
                    "grant_type": "client_credentials",
                    "client_id": ready["client_id"],
                    "client_secret": ready["secret"],
                }
                answer = httpx.post(
                    ready["token_url"],
                    data={**form, "scope": f"{ready['sales_url']}/.default"},
                    trust_env=False,
                )
                self._token, self._until = answer.json()["access_token"], time.monotonic() + 1800
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


@contextmanager
def sales_at(ready: dict[str, str]) -> Iterator[SalesRows]:
    """The sandbox's Sales."""
    with make_client(ready["sales_url"], auth=Bearer(ready)) as http:
        yield SalesRows(system=System(name="Sales", client=http))


@contextmanager
def sandbox(rows: int) -> Iterator[dict[str, str]]:
    """A sandbox in a process of its own."""
    command = [sys.executable, "-m", "pipeline.cli", "sandbox", "--rows", str(rows)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def contacts(sales: SalesRows) -> pl.DataFrame:
    """All contacts: contactid, etag and the three columns."""
    link: str | None = f"api/data/v9.2/contacts?$select={','.join(_COLUMNS)},createdon"
    pages = []
    while link:
        page = sales.system.ask("GET", link, lambda response: response.json(), subject="contacts")
        pages += page["value"]
        link = page.get("@odata.nextLink")
    return pl.DataFrame(pages, infer_schema_length=None).rename({"@odata.etag": "etag"})


def planned(sales: SalesRows, folder: RunFolder) -> int:
    """A plan of numbers for those without, in the order of creation; how many."""
    found = contacts(sales).sort("createdon", "contactid")
    lacks = pl.col("msdynce_contactnumber").is_null()
    number, active, flag = map(pl.col, _COLUMNS)
    plan = found.select(
        "contactid",
        pl.when(lacks).then(pl.lit("number")).otherwise(pl.lit("none")).alias("action"),
        flag.alias("company_flag_before"), flag.alias("company_flag_after"),
        pl.when(lacks).then(lacks.cum_sum().cast(pl.Int64) - 1).alias("rank"),
        pl.col("contactid").str.slice(0, 6).str.to_uppercase().alias("suffix"),
        number.alias("number_before"), number.alias("number_after"), active.alias("active_before"),
        active.alias("active_after"),
        "etag", pl.lit(None, pl.String).alias("outcome"), pl.lit(None, pl.String).alias("code"),
    )  # fmt: skip
    folder.path.mkdir(parents=True)
    path = folder.path / "backfill-plan.parquet"
    write_table(path, plan)
    write_table(folder.findings, FINDINGS.to_frame())
    rows = plan["rank"].count()
    highest = found["msdynce_contactnumber"].str.extract("^CON-([0-9]+)-").cast(pl.Int64).max()
    backfill = {"count": rows, "highest": highest, "prefix": "CON", "suffix_length": 6}
    more: dict[str, Any] = {
        "settings": {},
        "project": None,
        "fingerprints": {},
        "destination": {},
        "versions": {},
        "sources": [],
    }
    write_json(
        folder.run_json,
        {
            "run": str(folder.run),
            "kind": "backfill",
            "backfill": backfill,
            "started_at": datetime.now(UTC).isoformat(),
            **more,
        },
    )
    outcomes = dict.fromkeys(OUTCOME_NAMES, 0) | {"pending": rows}
    equation = {
        "equation": _EQUATION,
        "left": rows,
        "right": rows,
        "terms": outcomes,
        "balanced": True,
    }
    summary: dict[str, Any] = {
        "run": str(folder.run),
        "kind": "backfill",
        "applied": False,
        "verdict": "clean",
        "balanced": True,
    }
    summary |= {
        "equations": [equation],
        "counts": {},
        "reasons": {},
        "findings": {},
        "outcomes": outcomes,
        "forecast": {},
    }
    with Journal.open(folder.journal, lambda: datetime.now(UTC)) as journal:
        files = {one.name: hash_file(one) for one in (folder.run_json, path)}
        summary["journal"] = journal.append("planned", files=files, summary=digest_facts(summary))
    write_json(folder.summary, summary)
    return int(rows)


def write(ready: dict[str, str], folder: RunFolder, size: int) -> dict[str, Any]:
    """Apply a plan to its end, or continue it."""
    with (
        sales_at(ready) as sales,
        Journal.open(folder.journal, lambda: datetime.now(UTC)) as journal,
    ):
        journal.append("apply_started")
        run = OpenRun(
            folder=folder,
            facts=folder.facts(),
            summary=folder.read_summary(),
            project=make_bare_project({"backfill": {"request_rows": str(size)}}, "benchmark"),
            journal=journal,
        )
        return apply_backfill(run, sales.system, report_nothing).as_json()


def killed(ready: dict[str, str], folder: RunFolder, requests: float, size: int) -> int:
    """Apply a plan in a process that is killed five times on the way; how often it was."""
    chance = random.Random(7)  # noqa: S311 - when to kill is not a secret
    done = 0
    for number in range(KILLS):
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.backfill_live",
            "--write",
            str(folder.path),
            str(size),
        ]
        with subprocess.Popen(command, env={**os.environ, READY: json.dumps(ready)}) as process:
            goal = folder.journal.stat().st_size + chance.uniform(0.02, 0.18) * requests * _BYTES
            while process.poll() is None and folder.journal.stat().st_size < goal:
                time.sleep(0.005)
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                done += 1
            process.wait()
        lines = len(read_journal(folder.journal).entries)
        _say(f"  kill {number + 1}: {lines:,} lines in the journal")
    return done


@contextmanager
def others(ready: dict[str, str]) -> Iterator[list[str]]:
    """Another client that keeps making contacts; the ids of those that it made."""
    made: list[str] = []
    ended = threading.Event()
    with httpx.Client(
        base_url=f"{ready['sales_url']}/api/data/v9.2/", auth=Bearer(ready), trust_env=False
    ) as http:

        def work() -> None:
            while not ended.is_set():
                answer = http.post("contacts", json={"lastname": "Made in between"})
                made.append(answer.headers["OData-EntityId"].rpartition("(")[2].rstrip(")"))
                time.sleep(0.02)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield made
        finally:
            ended.set()
            thread.join()


def one_by_one(ready: dict[str, str], frame: pl.DataFrame) -> float:
    """Rows a second when every row is a PATCH of its own, one after the other."""
    with httpx.Client(
        base_url=f"{ready['sales_url']}/api/data/v9.2/", auth=Bearer(ready), trust_env=False
    ) as http:
        begin = time.perf_counter()
        for contactid in frame["contactid"]:
            answer = http.patch(
                f"contacts({contactid})",
                json={"msdynce_isactivecustomer": True},
                headers={"If-Match": "*"},
            )
            answer.raise_for_status()
        return frame.height / (time.perf_counter() - begin)


def emptied(sales: SalesRows, rows: int) -> None:
    """Take the numbers from a tenth of the contacts."""
    chosen = contacts(sales).sort("contactid").gather_every(10)["contactid"].to_list()
    for start in range(0, len(chosen), 1000):
        targets = [
            {
                "@odata.type": "Microsoft.Dynamics.CRM.contact",
                "contactid": one,
                "msdynce_contactnumber": None,
            }
            for one in chosen[start : start + 1000]
        ]
        sales.action(
            "contacts/Microsoft.Dynamics.CRM.UpdateMultiple",
            json.dumps({"Targets": targets}).encode(),
        )
    _say(f"{rows:,} contacts, {len(chosen):,} of them without a number")


def main(rows: int, size: int = 100, singles: int = SINGLES) -> int:
    """The whole scene; how often the writer was killed.

    Raises ``AssertionError`` where it does not end as it should.
    """
    with tempfile.TemporaryDirectory() as home, sandbox(rows) as ready, sales_at(ready) as sales:
        emptied(sales, rows)
        start = contacts(sales).select("contactid", *_COLUMNS).sort("contactid")
        folder = RunFolder(Path(home) / "20260101T000000Z-0001")
        count = planned(sales, folder)
        with others(ready) as made:
            kills = killed(ready, folder, count / size, size)
            facts = write(ready, folder, size)
        after = contacts(sales)
        _check(start, after, facts, folder, sales, count)
        _say(
            f"killed {kills} times, {len(made):,} contacts made in between: no number twice, none "
            "missing, counter behind all"
        )
        undo = plan_undo(folder, sales, {}, lambda: datetime.now(UTC))
        begin = time.perf_counter()
        summary = write(ready, undo, size)
        seconds = time.perf_counter() - begin
        ours = (
            contacts(sales)
            .select("contactid", *_COLUMNS)
            .filter(~pl.col("contactid").is_in(made))
            .sort("contactid")
        )
        assert ours.equals(start), "undo brings back the start"
        requests = summary["traffic"]["requests"]
        _say(f"undone, Sales is as it was: {requests * 1000 / count:.1f} requests per 1,000 rows")
        alone = one_by_one(ready, start.head(singles))
        _say(
            f"in batches {count / seconds:,.0f} rows/s, one by one {alone:,.0f} rows/s: "
            f"{count / seconds / alone:.1f} times"
        )
    return kills


def _check(
    start: pl.DataFrame,
    after: pl.DataFrame,
    facts: dict[str, Any],
    folder: RunFolder,
    sales: SalesRows,
    count: int,
) -> None:
    numbers = after["msdynce_contactnumber"]
    plain = numbers.str.extract("^CON-([0-9]+)-").cast(pl.Int64)
    lacking = start.filter(pl.col("msdynce_contactnumber").is_null())
    given = after.join(lacking, on="contactid", how="semi")["msdynce_contactnumber"]
    assert numbers.null_count() == 0, "none missing"
    assert numbers.is_in(given.implode()).sum() == given.n_unique() == count, "no number twice"
    assert facts["outcomes"]["updated"] == count, facts["outcomes"]
    query = sales.query(
        "msdynce_p2cautonumbers", ["msdynce_numbersequence"], "msdynce_entityname eq 'contact'"
    )
    highest = plain.max()
    assert isinstance(highest, int)
    assert query[0]["msdynce_numbersequence"] > highest, "the counter is behind all"
    base = find_base(read_journal(folder.journal).entries)
    assert base is not None
    assert read_reservation(folder.facts()).count == count
    assert verify_folder(folder).exit_code == 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(json.loads(os.environ[READY]), RunFolder(Path(sys.argv[2])), int(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
