"""What faults of SCM cost a load, and that they cost no row. By a virtual clock.

``python -m tests.benchmarks.outage schedules``: three packages into the sandbox under each fault
schedule: uploads, imports that SCM took, requests, starts of the command, and rows by outcome.

``python -m tests.benchmarks.outage load [--rows N] [--how odata|packages]``: generated contacts
into the sandbox under 5 % throttling and one outage of ten minutes, against the same load without:
rows that SCM has twice or has written twice, and rows that failed by the faults.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import polars as pl

from pipeline.errors import Stopped
from pipeline.events import report_nothing
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from pipeline.run.folder import RunFolder
from pipeline.sandbox.faults import Schedule, make_refusal
from pipeline.sandbox.scm import seed
from pipeline.sandbox.scm.load import read_known_customers
from pipeline.sandbox.scm.switches import STRICT, Switches
from pipeline.sandbox.wire.faultspec import FaultKind, parse_faults
from tests.benchmarks.measuring import samples
from tests.scenes.loading import START, Scene, number, planned

CALL: Final = "ImportFromPackageAsync"
STARTS: Final = 4
REASON: Final = "Cannot create a record in Data project (DMFDefinitionGroup)."


@dataclass(frozen=True, kw_only=True)
class Case:
    """One fault schedule: how SCM behaves, and what befalls requests on their way.

    ``calls`` befall the calls that start an import only.
    """

    switches: Switches = STRICT
    faults: str = ""
    calls: str = ""
    loses: bool = False
    """Whether the first answer to each import's call is lost, after its effect."""


CASES: Final = {
    "nothing": Case(),
    "5 % throttled": Case(faults="scm.throttle=0.05:20"),
    "calls throttled for 20 min": Case(calls="scm.quota@1:1200"),
    "outage of 10 min": Case(faults="scm.away@9:600"),
    "closed (503) for 10 min": Case(faults="scm.closed@9:600"),
    "answers of calls lost": Case(loses=True),
    "begun after 2.5 min": Case(switches=Switches(begin_after=150)),
    "begun after 25 min": Case(switches=Switches(begin_after=1500)),
    "record after 2.5 min": Case(switches=Switches(record_after=150, parallel_imports=True)),
    "record deleted": Case(switches=Switches(import_seconds=120, clean_up_after=60)),
    "details deleted": Case(
        switches=Switches(import_seconds=120, clean_up_after=60, clean_up="details")
    ),
    "500 with a reason": Case(switches=Switches(import_fault=REASON)),
}


def befall(scene: Scene, spec: str) -> Callable[[httpx.Request], httpx.Response | None]:
    """What a specification of faults does to requests, by the scene's clock."""
    schedule = Schedule(faults=parse_faults(spec), clock=lambda: scene.clock.seconds)
    lock = threading.Lock()

    def before(request: httpx.Request) -> httpx.Response | None:
        with lock:
            mishap = schedule.next("scm")
        if mishap is None:
            return None
        if mishap.kind is FaultKind.AWAY:
            error = httpx.ConnectError("refused", request=request)
            error.__cause__ = ConnectionRefusedError()
            raise error
        made = make_refusal(mishap, "scm")
        return httpx.Response(
            made.status_code, headers=dict(made.headers), content=bytes(made.body)
        )

    return before


def disturb(scene: Scene, case: Case) -> None:
    """Let a case befall a scene."""
    everything, calls = befall(scene, case.faults), befall(scene, case.calls)
    lost: set[bytes] = set()

    def before(request: httpx.Request) -> httpx.Response | None:
        answer = everything(request)
        is_call = request.url.path.endswith(CALL)
        return answer if answer is not None or not is_call else calls(request)

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if case.loses and request.url.path.endswith(CALL) and request.read() not in lost:
            lost.add(request.read())
            raise httpx.ReadError("lost")
        return response

    scene.wire.before, scene.wire.after = before, after


def deliver(scene: Scene, how: str, odata_rows: int = 2) -> tuple[int, str, dict[str, int]]:
    """Load, and call the same command again after every stop.

    Returns:
        Starts, the last stop if the load has not ended, and rows by outcome.
    """
    said = ""
    for start in range(1, STARTS + 1):
        try:
            return start, "", dict(scene.load(how, odata_rows=odata_rows).outcomes)
        except Stopped as stopped:
            said = str(stopped)
            scene.clock.sleep(600)
    return STARTS, said, {}


@contextmanager
def opened(plan: Path, project: Path, switches: Switches) -> Iterator[Scene]:
    """A scene on a copy of a plan."""
    home = Path(tempfile.mkdtemp(prefix="p2c-outage-"))
    shutil.copytree(plan, home / "runs")
    run = RunFolder(next(path for path in (home / "runs").iterdir() if path.is_dir()))
    scene = Scene(run=run, project=load_project(project), switches=switches)
    try:
        yield scene
    finally:
        scene.close()
        shutil.rmtree(home)


def measure_schedules() -> None:
    """Three packages under each schedule."""
    home = Path(tempfile.mkdtemp(prefix="p2c-outage-"))
    plan = planned(home, known=[number(2)])
    _say(f"{'schedule':<28} uploads imports requests starts   minutes  outcome")
    for name, case in CASES.items():
        with opened(plan, home / "source" / "p2c.toml", case.switches) as scene:
            disturb(scene, case)
            begun = scene.clock.seconds
            starts, stopped, outcomes = deliver(scene, "packages")
            puts = sum(one.startswith("PUT ") for one in scene.wire.seen)
            taken = len(scene.twin.importer.executions)
            minutes = (scene.clock.seconds - begun) / 60
            _say(
                f"{name:<28} {puts:>7} {taken:>7} {len(scene.wire.seen):>8} {starts:>6} "
                f"{minutes:>9.1f}  {outcomes or 'not ended: ' + stopped[:90]}"
            )
    shutil.rmtree(home)


def plan_samples(folder: Path, rows: int) -> tuple[Path, Path]:
    """The folder of runs with a plan of generated contacts, made once, and its project."""
    source = samples(folder, rows)
    runs = folder / f"outage-{rows}" / "runs"
    if not runs.exists():
        make_plan(
            load_project(source / "p2c.toml"), PlanRequest(), runs, lambda: START, report_nothing
        )
    return runs, source / "p2c.toml"


def count_writes(scene: Scene) -> tuple[int, int]:
    """Rows that SCM has, and how often they were written."""
    rows = writes = 0
    for table, key in (
        ("CustomersV2", "CustomerAccount"),
        ("CDSContactPersons", "ContactPersonPartyNumber"),
    ):
        found = scene.twin.store.select(
            f'SELECT count(DISTINCT "{key}" || "dataAreaId") AS n, '
            f'sum("_recversion") AS w FROM "{table}"',
            [],
        )
        rows, writes = rows + int(found[0]["n"]), writes + int(found[0]["w"] or 0)
    return rows, writes


def measure_load(folder: Path, rows: int, how: str, faults: str) -> None:
    """A load without and with faults."""
    runs, project = plan_samples(folder, rows)
    seen: dict[str, tuple[tuple[int, int], Counter[str], pl.DataFrame]] = {}
    for name, spec in (("calm", ""), ("faults", faults)):
        with opened(runs, project, STRICT) as scene:
            seed.add_customers(scene.twin.desk, list(read_known_customers(project.parent)))
            disturb(scene, Case(faults=spec))
            begun, wall = scene.clock.seconds, time.perf_counter()
            starts, stopped, outcomes = deliver(scene, how, odata_rows=100)
            if stopped:
                raise SystemExit(stopped)
            columns = ["task", "destination_key", "outcome", "code"]
            table = pl.read_parquet(scene.run.outcomes, columns=columns)
            seen[name] = count_writes(scene), Counter(outcomes), table
            minutes, seconds = (scene.clock.seconds - begun) / 60, time.perf_counter() - wall
            _say(
                f"{how} {name:<7} {sum(outcomes.values()):,} rows, {len(scene.wire.seen):,} "
                f"requests, {starts} starts, {minutes:,.1f} min by the clock, {seconds:,.0f} s: "
                f"{outcomes}"
            )
    calm, hurt = seen["calm"], seen["faults"]
    keys = ["task", "destination_key"]
    both = hurt[2].join(calm[2], on=keys, how="inner", suffix="_calm")
    failed = both.filter(
        pl.col("outcome").is_in(["failed", "unknown"])
        & pl.col("outcome").ne_missing(pl.col("outcome_calm"))
    )
    _say(f"rows in SCM beyond the calm load: {hurt[0][0] - calm[0][0]:,}")
    _say(f"rows written twice: {hurt[0][1] - calm[0][1]:,}")
    _say(f"rows failed or unknown by the faults: {failed.height:,}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.outage", description=__doc__)
    parser.add_argument("what", choices=("schedules", "load"))
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--how", choices=("odata", "packages"), default="odata")
    parser.add_argument("--faults", default="scm.throttle=0.05:5,scm.away@300:600,seed=1")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "p2c-benchmark"
    )
    options = parser.parse_args()
    if options.what == "schedules":
        measure_schedules()
    else:
        measure_load(options.folder, options.rows, options.how, options.faults)


if __name__ == "__main__":
    main()
