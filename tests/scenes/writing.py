"""A Sales twin without a network, a backfill plan, and a write-back that tests can stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from pipeline.backfill.counter import Reservation
from pipeline.backfill.order import WriteBack
from pipeline.backfill.write_back import WriteBackResult, write_back
from pipeline.events import Listener, report_nothing
from pipeline.run.files import write_table
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal
from pipeline.sandbox.sales.call import Caller
from pipeline.sandbox.sales.functions import Facts
from pipeline.sandbox.sales.schema import TABLES
from pipeline.sandbox.sales.seed import add_missing_rows
from pipeline.sandbox.sales.service import SalesService
from pipeline.sandbox.sales.store import SalesStore
from pipeline.sandbox.sales.twin import USERS
from pipeline.sandbox.wire.batch import ODataOperation
from pipeline.wire.client import make_client
from pipeline.wire.pace import Pace
from pipeline.wire.salesrows import SalesRows
from pipeline.wire.system import System
from tests.scenes.loading import TRUST, Clock, Halt

ROOT = "https://sales.test"
SUFFIX = "BACK{:02d}"
COLUMNS = ("msdynce_contactnumber", "msdynce_isactivecustomer", "msdynce_iscompanyanaccount")

PLAN = pl.Schema({
    "contactid": pl.String, "action": pl.String, "company_flag_before": pl.Boolean,
    "company_flag_after": pl.Boolean,
    "rank": pl.Int64, "suffix": pl.String, "number_before": pl.String, "number_after": pl.String,
    "active_before": pl.Boolean, "active_after": pl.Boolean, "etag": pl.String,
    "outcome": pl.String, "code": pl.String,
})  # fmt: skip

Before = Callable[[httpx.Request], httpx.Response | None]
After = Callable[[httpx.Request, httpx.Response], httpx.Response]


class Wire(httpx.BaseTransport):
    """Requests to a Sales twin, counted, with a hook before and one after each."""

    def __init__(self, service: SalesService, caller: Caller) -> None:
        self._service = service
        self._caller = caller
        self._lock = threading.Lock()
        self.before: Before = lambda _request: None
        self.after: After = lambda _request, response: response
        self.seen: list[str] = []
        self.bodies: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.seen.append(
                f"{request.method} "
                f"{request.url.path.removeprefix('/api/data/v9.2/').partition('(')[0]}"
            )
            self.bodies.append(request.read())
            answer = self.before(request) or self.answer(request)
            return self.after(request, answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        url = request.url.raw_path.decode("ascii")
        operation = ODataOperation(
            method=request.method, url=url, headers=headers, body=request.read()
        )
        found = self._service.handle(operation, ROOT, self._caller)
        return httpx.Response(
            found.status,
            headers={**found.headers, "x-ms-dop-hint": "1"},
            content=found.body,
            request=request,
        )

    def count(self, name: str) -> int:
        return sum(one.endswith(name) for one in self.seen)


class Scene:
    """A Sales with contacts: so many without a number and No, of which every third has activity.

    Two more have everything.
    """

    def __init__(self, home: Path, rows: int = 7) -> None:
        self.home = home
        self.clock = Clock()
        self.listener: Listener = report_nothing
        home.mkdir(parents=True, exist_ok=True)
        self.store = SalesStore(home / "sales.db")
        with self.store.transaction():
            add_missing_rows(self.store, USERS, "Contoso")
        self.store.index()
        totals = {
            name: int(self.store.rows(f"SELECT count(*) FROM {name}")[0][0]) for name in TABLES
        }
        facts = Facts(tenant="t", unique_name="test", totals=totals)
        service = SalesService(store=self.store, facts=facts, now=lambda: datetime.now(UTC))
        user = self.store.rows(
            "SELECT systemuserid FROM systemuser WHERE applicationid = ?", (USERS[0].application,)
        )[0][0]
        self.wire = Wire(service, Caller(id=user))
        self.side = httpx.Client(
            base_url=f"{ROOT}/api/data/v9.2/", transport=Wire(service, Caller(id=USERS[1].id))
        )
        self.ids = [self.create(f"Contact {number}") for number in range(rows)]
        for contactid in self.ids:
            self.change(contactid, msdynce_contactnumber=None)
        self.change(self.ids[-1], msdynce_iscompanyanaccount=True)
        self.whole = [self.create("Whole"), self.create("Whole too")]
        self.sales = SalesRows(system=self._make_system(), options={})
        self.run = self.planned("20260101T000000Z-0001", self.frame())

    def _make_system(self) -> System:
        pace = Pace(sleep=self.clock.sleep, clock=lambda: self.clock.seconds)
        caller = make_client(ROOT, transport=self.wire, verify=TRUST)
        return System(
            name="Sales",
            client=caller,
            pace=pace,
            clock=lambda: self.clock.seconds,
            chance=lambda: 0.0,
        )

    def ask(self, method: str, url: str, **body: Any) -> Any:
        response = self.side.request(method, url, json=body or None)
        assert response.is_success, response.text
        return response.json() if response.content else response.headers.get("OData-EntityId", "")

    def create(self, lastname: str) -> str:
        return str(self.ask("POST", "contacts", lastname=lastname)).rpartition("(")[2].rstrip(")")

    def change(self, contactid: str, **columns: Any) -> None:
        self.ask("PATCH", f"contacts({contactid})", **columns)

    def contacts(self) -> dict[str, dict[str, Any]]:
        rows = self.ask("GET", f"contacts?$select={','.join(COLUMNS)},jobtitle")["value"]
        return {row["contactid"]: row for row in rows}

    def counter(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(
            "GET", "msdynce_p2cautonumbers(msdynce_entityname='contact')"
        )
        return found

    def set_counter(self, number: int) -> None:
        self.ask(
            "PATCH",
            f"msdynce_p2cautonumbers({self.counter()['msdynce_p2cautonumberid']})",
            msdynce_numbersequence=number,
        )

    def frame(self) -> pl.DataFrame:
        """A plan as Sales is now: missing numbers, Yes for every third, the last flag corrected."""
        there, rows = self.contacts(), []
        for place, contactid in enumerate([*self.ids, *self.whole]):
            now = there[contactid]
            number, active, flag = (now[name] for name in COLUMNS)
            raised = active or (contactid in self.ids and place % 3 == 0)
            action = {
                (True, True): "both",
                (True, False): "number",
                (False, True): "activate",
                (False, False): "none",
            }
            rows.append({
                "contactid": contactid, "action": action[not number, raised != active],
                "company_flag_before": flag, "company_flag_after": False,
                "rank": None, "suffix": SUFFIX.format(place), "number_before": number,
                "number_after": number,
                "active_before": active, "active_after": raised, "etag": now["@odata.etag"],
                "outcome": None, "code": None,
            })  # fmt: skip
        frame = pl.DataFrame(rows, schema=PLAN)
        ranked = pl.col("number_before").is_null()
        return frame.with_columns(rank=pl.when(ranked).then(ranked.cum_sum().cast(pl.Int64) - 1))

    def frame_without(self, gone: str) -> pl.DataFrame:
        """The plan that was made first, with the etags of now; one contact is gone."""
        there = self.contacts()
        plan = pl.read_parquet(self.run.path / "backfill-plan.parquet")
        etags = {
            contactid: row["@odata.etag"] for contactid, row in there.items() if contactid != gone
        }
        return plan.with_columns(
            etag=pl.col("contactid").replace_strict(etags, default=pl.col("etag"))
        )

    def planned(self, run: str, frame: pl.DataFrame) -> RunFolder:
        folder = RunFolder(self.home / "runs" / run)
        folder.path.mkdir(parents=True)
        write_table(folder.path / "backfill-plan.parquet", frame)
        return folder

    def wanted(self, **more: Any) -> Reservation:
        count = pl.read_parquet(self.run.path / "backfill-plan.parquet")["rank"].count()
        return Reservation(
            **{"count": count, "highest": 0, "prefix": "CON", "suffix_length": 6, **more}
        )

    def write(self, *, size: int = 2, in_bulk: bool = False, **wanted: Any) -> WriteBackResult:
        """Write, or continue to write."""
        with Journal.open(self.run.journal, self.clock) as journal:
            order = WriteBack(
                folder=self.run, journal=journal, sales=self.sales, wanted=self.wanted(**wanted),
                size=size, in_bulk=in_bulk,
                listener=self.listener,
            )  # fmt: skip
            return write_back(order)

    def calm(self) -> None:
        self.wire.before, self.wire.after = (
            (lambda _request: None),
            (lambda _request, response: response),
        )

    def outcomes(self) -> list[tuple[str, str | None]]:
        """Outcome and code of every contact without a number, in order."""
        table = pl.read_parquet(self.run.path / "backfill.parquet")
        there = {
            row[0]: (row[1], row[2])
            for row in table.select("contactid", "outcome", "code").iter_rows()
        }
        return [there[contactid] for contactid in self.ids]

    def numbers(self) -> list[str | None]:
        there = self.contacts()
        return [there[contactid]["msdynce_contactnumber"] for contactid in self.ids]

    def close(self) -> None:
        self.store.close()


__all__ = ["COLUMNS", "Halt", "Scene"]
