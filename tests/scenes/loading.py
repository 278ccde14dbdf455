"""A plan, an SCM twin without a network, and a load that tests can stop or answer wrongly."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
from starlette.requests import Request as Incoming

from pipeline.apply.orders import make_load_order
from pipeline.events import Listener, report_nothing
from pipeline.load.loader import load_plan
from pipeline.load.order import LoadOptions, LoadOrder
from pipeline.load.results import LoadResult
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.project.open_run import OpenRun
from pipeline.project.resolve import Project, load_project
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal
from pipeline.sandbox.login.tokens import Claims
from pipeline.sandbox.scm import seed
from pipeline.sandbox.scm.app import make_scm_app
from pipeline.sandbox.scm.switches import STRICT, Switches
from pipeline.sandbox.scm.twin import ScmTwin
from pipeline.sandbox.wire.batch import ODataOperation
from pipeline.wire.client import make_client
from pipeline.wire.pace import Pace
from pipeline.wire.scm import Scm
from pipeline.wire.system import System
from tests.scenes.small import PROJECT, contactid, number, rows, write_small

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROOT = "https://scm.test"
TRUST = ssl.create_default_context()
ACCOUNT = {
    "DATAAREAID": "usmf",
    "CUSTOMERACCOUNT": "ACC-01000-ABCDEF",
    "PARTYNUMBER": "ACC-01000-ABCDEF",
    "PARTYTYPE": "Organization",
    "ORGANIZATIONNAME": "Fourth Coffee",
    "CUSTOMERGROUPID": "10",
    "SALESCURRENCYCODE": "EUR",
}
RIVAL = ACCOUNT | {
    "CUSTOMERACCOUNT": "RIVAL",
    "PARTYNUMBER": number(4),
    "ORGANIZATIONNAME": "Litware",
}
"""An organization under the number of the fourth contact: SCM refuses to make a person of it."""

OURS = {
    "DATAAREAID": "usmf",
    "PARTYTYPE": "Person",
    "PERSONFIRSTNAME": "Old",
    "CUSTOMERGROUPID": "10",
    "SALESCURRENCYCODE": "EUR",
}

Hook = Callable[[httpx.Request], httpx.Response | None]
"""Called before a request reaches SCM; may raise, or answer in its place."""

After = Callable[[httpx.Request, httpx.Response], httpx.Response]
"""Called with SCM's answer before it reaches the caller; may raise, or answer something else."""


class Halt(BaseException):
    """What a test stops a load with; no code catches it and continues."""


def halting(step: int) -> Callable[..., None]:
    """Halts at the call of that number, from 0."""
    left = step

    def halt(*_: object) -> None:
        nonlocal left
        if not left:
            raise Halt
        left -= 1

    return halt


class Clock:
    """A clock that sleeping moves. Whoever wants to stop a journal's line stops its time."""

    def __init__(self) -> None:
        self.seconds = START.timestamp()
        self.asked: Callable[[], object] = lambda: None

    def __call__(self) -> datetime:
        self.asked()
        return datetime.fromtimestamp(self.seconds, UTC)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def pass_on(_request: httpx.Request) -> None:
    """Let SCM answer."""


def as_it_is(_request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """Let the caller see the answer."""
    return response


def anybody(_request: Incoming) -> Claims:
    """Let in whoever calls."""
    return Claims(application="tests", audience=ROOT, expires=0)


class Wire(httpx.BaseTransport):
    """Requests to a twin, counted, with a hook before and one after each.

    Only blobs take the way over ASGI: it is slow.
    """

    def __init__(self, twin: ScmTwin) -> None:
        self._twin = twin
        self._transport = httpx.ASGITransport(app=make_scm_app(twin, anybody))
        self._runner = asyncio.Runner()
        self._lock = threading.Lock()
        self.before: Hook = pass_on
        self.after: After = as_it_is
        self.seen: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.seen.append(f"{request.method} {request.url.path.rpartition('.')[2]}")
            answer = self.before(request)
            if answer is None:
                answer = self.answer(request)
            return self.after(request, answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The twin's answer to a request."""
        if request.url.path.startswith("/data/"):
            return self._ask_data(request)
        return self._runner.run(self._ask_blob(request))

    def _ask_data(self, request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        url = request.url.raw_path.decode("ascii")
        operation = ODataOperation(
            method=request.method, url=url, headers=headers, body=request.read()
        )
        service = self._twin.service
        answer = (
            service.batch(operation, ROOT)
            if url.endswith("/data/$batch")
            else service.handle(operation, ROOT)
        )
        return httpx.Response(
            answer.status, headers=dict(answer.headers), content=answer.body, request=request
        )

    async def _ask_blob(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        passed = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        response = await self._transport.handle_async_request(passed)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            content=await response.aread(),
            request=request,
        )

    def count(self, name: str) -> int:
        """How often something was asked for, by the end of its path."""
        return sum(one.endswith(name) for one in self.seen)

    def close(self) -> None:
        self._runner.close()


@dataclass
class Scene:
    """One run folder with a plan, one SCM; ``there`` are customers that it has."""

    run: RunFolder
    project: Project
    switches: Switches = STRICT
    there: Sequence[dict[str, str]] = ()
    clock: Clock = field(default_factory=Clock)
    listener: Listener = report_nothing

    def __post_init__(self) -> None:
        self.twin = ScmTwin(
            switches=self.switches, clock=lambda: self.clock.seconds, background=False
        )
        seed.add_customers(self.twin.desk, [ACCOUNT, *self.there])
        self.wire = Wire(self.twin)
        self.scm = Scm(
            system=self._make_system("SCM"),
            blobs=self._make_system("Blob storage"),
            blob_hosts=["scm.test"],
        )

    def _make_system(self, name: str) -> System:
        pace = Pace(sleep=self.clock.sleep, clock=lambda: self.clock.seconds)
        return System(
            name=name,
            client=make_client(ROOT, transport=self.wire, verify=TRUST),
            pace=pace,
            clock=lambda: self.clock.seconds,
            chance=lambda: 0.0,
        )

    def order(self, journal: Journal, options: LoadOptions) -> LoadOrder:
        opened = OpenRun(
            folder=self.run,
            facts=self.run.facts(),
            summary=self.run.read_summary(),
            project=self.project,
            journal=journal,
        )
        return make_load_order(opened, options, self.scm, self.clock, self.listener)

    def load(
        self, how: str = "packages", at: Callable[[], datetime] | None = None, **options: Any
    ) -> LoadResult:
        """Load, or continue to load, in an order that does not depend on threads."""
        options = {"odata_requests": 1, "odata_rows": 2, **options}
        with Journal.open(self.run.journal, at or self.clock) as journal:
            if not any(entry.event == "apply_started" for entry in journal.entries):
                journal.append("apply_started", run=str(self.run.run))
            given = LoadOptions(load=how, **options)  # type: ignore[arg-type]
            return load_plan(self.order(journal, given))

    def outcomes(self) -> dict[str, tuple[str, str | None]]:
        """Destination key → outcome and code."""
        table = pl.read_parquet(self.run.outcomes)
        return {
            key: (outcome, code)
            for key, outcome, code in table.select("destination_key", "outcome", "code").iter_rows()
        }

    def state(self) -> dict[str, Any]:
        """What a load leaves behind, here and in SCM, without times and numbers of requests."""
        passing = ["sent_at", "finished_at", "attempt", "execution_id", "bytes"]
        loaded = sorted((self.run.path.parent / "loaded" / "test").glob("*.parquet"))
        return {
            "outcomes": pl.read_parquet(self.run.outcomes).to_dicts(),
            "batches": pl.read_parquet(self.run.batches).drop(passing).to_dicts(),
            "findings": pl.read_parquet(self.run.findings).to_dicts(),
            "memory": [pl.read_parquet(path).sort("destination_key").to_dicts() for path in loaded],
            "before": {
                path.name: pl.read_parquet(path).to_dicts()
                for path in sorted((self.run.path / "before").glob("*"))
            },
            "left over": [
                path.name
                for path in self.run.path.parent.rglob("*")
                if "partial" in path.name or path.suffix == ".rows"
            ],
            "customers": self.twin.store.select(
                'SELECT * FROM "CustomersV2" ORDER BY "CustomerAccount"', []
            ),
            "persons": self.twin.store.select(
                'SELECT * FROM "CDSContactPersons" ORDER BY "ContactPersonPartyNumber"', []
            ),
        }

    def customers(self) -> dict[str, str]:
        """The persons that SCM has as customers: account → first name."""
        rows = self.twin.store.select(
            'SELECT * FROM "CustomersV2" WHERE "PartyType" = ?', ["Person"]
        )
        return {row["CustomerAccount"]: row["PersonFirstName"] for row in rows}

    def persons(self) -> set[str]:
        """The contact persons that SCM has."""
        return {
            row["ContactPersonPartyNumber"]
            for row in self.twin.store.select('SELECT * FROM "CDSContactPersons"', [])
        }

    def close(self) -> None:
        self.wire.close()
        self.twin.close()


def planned(
    home: Path,
    *,
    known: Sequence[str] = (),
    contacts: list[dict[str, str]] | None = None,
    project: str = PROJECT,
) -> Path:
    """Plan the small source against an SCM whose customers are known; the folder of runs.

    ``known`` are contact numbers that SCM has and that an earlier run loaded.
    """
    text = project.replace(
        "batch_rows = 2", 'known_customers = "known.csv"\nname = "test"\nbatch_rows = 3'
    )
    file = write_small(home / "source", text, contacts)
    accounts = ["ACC-01000-ABCDEF", *known]
    lines = ["CustomerAccount,PartyNumber,dataAreaId", *(f"{one},{one},usmf" for one in accounts)]
    (file.parent / "known.csv").write_text("\n".join(lines) + "\n")
    make_plan(
        load_project(file),
        PlanRequest(take_over=True),
        home / "runs",
        lambda: START,
        report_nothing,
    )
    return home / "runs"


__all__ = [
    "ACCOUNT",
    "OURS",
    "RIVAL",
    "Clock",
    "Halt",
    "Scene",
    "contactid",
    "number",
    "planned",
    "rows",
    "timedelta",
]
