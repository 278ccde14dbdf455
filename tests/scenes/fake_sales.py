"""A small Sales in memory: enough of the Web API to be read from, and faults that tests choose.

Rows are kept in SQL Server's order of ids (reference: ``uniqueidentifier`` compares the last six
bytes first), and so are comparisons, unless ``order`` says otherwise.
"""

from __future__ import annotations

import functools
import json
import re
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx

from pipeline.extract.dataverse.extraction import ExtractionResult, ExtractionScope, land_dataverse
from pipeline.wire.client import make_client
from pipeline.wire.dataverse import Sales
from pipeline.wire.pace import Pace
from pipeline.wire.retry import RetryPolicy
from pipeline.wire.system import System

HOST = "https://contoso.example"
KEYS = {
    "contacts": "contactid",
    "accounts": "accountid",
    "transactioncurrencies": "transactioncurrencyid",
}
SINGULAR = {
    "contact": "contacts",
    "account": "accounts",
    "transactioncurrency": "transactioncurrencies",
}
TYPE = "@Microsoft.Dynamics.CRM.lookuplogicalname"

Row = dict[str, Any]
Order = Callable[[str], Any]
Fault = Callable[[httpx.Request, int], httpx.Response | None]


@functools.cache
def as_sql_server(text: str) -> bytes:
    """.NET's ``SqlGuid``: bytes 10 to 15, then 8 and 9, 6 and 7, 4 and 5, 0 to 3 as stored."""
    stored = uuid.UUID(text).bytes_le
    return bytes(stored[place] for place in (10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3))


def contact(number: int, row_id: str | None = None, **cells: Any) -> Row:
    """One contact as the Web API shows it."""
    return {
        "@odata.etag": f'W/"{number}"',
        "contactid": row_id or str(uuid.uuid5(uuid.NAMESPACE_OID, f"contact {number}")),
        "msdynce_contactnumber": f"CON-{number:05d}-ABCDEF",
        "msdynce_isactivecustomer": number % 3 == 0,
        "msdynce_iscompanyanaccount": True,
        "_parentcustomerid_value": str(uuid.UUID(int=number % 7)) if number % 7 else None,
        **({f"_parentcustomerid_value{TYPE}": "account"} if number % 7 else {}),
        "_transactioncurrencyid_value": None,
        "_ownerid_value": str(uuid.UUID(int=1)),
        "_owningbusinessunit_value": str(uuid.UUID(int=2)),
        "merged": False,
        "statecode": 0,
        "versionnumber": number,
        "createdon": "2026-01-01T00:00:00Z",
        "modifiedon": "2026-01-02T00:00:00Z",
        "firstname": f"Zoë {number}",
        "creditlimit": 20000.0,
        **cells,
    }


def account(number: int) -> Row:
    """One account."""
    return {
        "@odata.etag": f'W/"{number}"',
        "accountid": str(uuid.UUID(int=number)),
        "accountnumber": f"ACC-{number}",
        "name": f'Fourth "Coffee" {number}',
        "versionnumber": number,
        "createdon": None,
        "modifiedon": None,
    }


@dataclass
class Fake:
    """Tables by set name.

    ``fault`` may answer instead; ``page`` caps pages; ``asked`` remembers every request.
    """

    tables: dict[str, list[Row]]
    page: int = 5000
    hint: str | None = "4"
    order: Order = as_sql_server
    compare: Order | None = None
    secured: tuple[str, ...] = ()
    tracked: tuple[str, ...] = ("contact", "account")
    totals: dict[str, int] | None = None
    fault: Fault | None = None
    asked: list[httpx.Request] = field(default_factory=list)
    changed: dict[str, list[Row]] = field(default_factory=dict)
    """Rows and deletions since the last token, by set."""
    expired: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = None if self.fault is None else self.fault(request, len(self.asked))
        answer = answer or self._answer(request)
        if self.hint:
            answer.headers["x-ms-dop-hint"] = self.hint
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/data/v9.2/")
        query = {
            name: values[0]
            for name, values in parse_qs(request.url.query.decode(), keep_blank_values=True).items()
        }
        if path.startswith("RetrieveTotalRecordCount"):
            return self._answer_counts(json.loads(query["@p1"]))
        if path.startswith("EntityDefinitions("):
            names = [name for name in self.tables["contacts"][0] if "@" not in name]
            columns = [
                {
                    "LogicalName": name.strip("_").removesuffix("_value"),
                    "AttributeType": "Lookup" if name[0] == "_" else "String",
                    "IsSecured": name in self.secured,
                }
                for name in names
            ]
            return httpx.Response(200, json={"value": columns})
        if path == "EntityDefinitions":
            return httpx.Response(
                200, json={"value": [{"LogicalName": name} for name in self.tracked]}
            )
        if path not in self.tables:
            return refusal(404, "0x8006088a", f"Resource not found for the segment '{path}'.")
        return self._answer_rows(path, query, request)

    def _answer_counts(self, names: list[str]) -> httpx.Response:
        if any(SINGULAR.get(name) not in self.tables for name in names):
            return refusal(400, "0x80041102", "An entity was not found.")
        counts = {
            name: (self.totals or {}).get(name, len(self.tables[SINGULAR[name]])) for name in names
        }
        body = {"Count": len(counts), "Keys": list(counts), "Values": list(counts.values())}
        return httpx.Response(200, json={"EntityRecordCountCollection": body})

    def _answer_rows(
        self, name: str, query: dict[str, str], request: httpx.Request
    ) -> httpx.Response:
        key, prefer = KEYS[name], request.headers.get("Prefer", "")
        unknown = [
            one
            for one in query.get("$select", "").split(",")
            if one and one not in _list_columns(self.tables[name])
        ]
        if unknown:
            return refusal(
                400,
                "0x80060888",
                (
                    f"Could not find a property named '{unknown[0]}' on type "
                    "'Microsoft.Dynamics.CRM.contact'."
                ),
            )
        if "$deltatoken" in query:
            return self._answer_delta(name, query, prefer)
        tracking = "odata.track-changes" in prefer
        if tracking and ("$filter" in query or "$orderby" in query):
            return refusal(
                400,
                "0x80060888",
                "The query parameter isn't supported when Change Tracking is enabled.",
            )
        rows = sorted(
            self.tables[name],
            key=lambda row: self.order(row[key]),
            reverse="desc" in query.get("$orderby", ""),
        )
        holds = self._parse_condition(key, unquote(query.get("$filter", "")))
        rows = [row for row in rows if holds(row[key])]
        begin = int(query.get("$skiptoken", "0"))
        size = int(query["$top"]) if "$top" in query else self._read_size(prefer)
        shown = [
            self._show(row, query.get("$select", ""), prefer) for row in rows[begin : begin + size]
        ]
        body: Row = {"@odata.context": f"{HOST}/$metadata#{name}", "value": shown}
        if begin + size < len(rows) and "$top" not in query:
            body["@odata.nextLink"] = self._make_link(request, begin + size)
        elif tracking:
            body["@odata.deltaLink"] = (
                f"{HOST}/api/data/v9.2/{name}?$select={query['$select']}"
                f"&$deltatoken={quote('1!01/01/2026', safe='')}"
            )
        return page(body)

    def _answer_delta(self, name: str, query: dict[str, str], prefer: str) -> httpx.Response:
        if self.expired:
            return refusal(
                400,
                "0x80044352",
                "Version stamp associated with the client has expired. Please perform a full sync.",
            )
        begin, size = int(query.get("$skiptoken", "0")), self._read_size(prefer)
        rows = self.changed.get(name, [])
        shown = [
            row if "reason" in row else self._show(row, query["$select"], prefer)
            for row in rows[begin : begin + size]
        ]
        body: Row = {"@odata.context": f"{HOST}/$metadata#{name}/$delta", "value": shown}
        base = f"{HOST}/api/data/v9.2/{name}?$select={query['$select']}&$deltatoken="
        if begin + size < len(rows):
            body["@odata.nextLink"] = (
                f"{base}{quote(query['$deltatoken'], safe='')}&$skiptoken={begin + size}"
            )
        else:
            body["@odata.deltaLink"] = f"{base}{quote(query['$deltatoken'] + 'x', safe='')}"
        return page(body)

    def _read_size(self, prefer: str) -> int:
        asked = re.search(r"maxpagesize=(\d+)", prefer)
        return min(self.page, int(asked[1])) if asked else self.page

    def _make_link(self, request: httpx.Request, begin: int) -> str:
        query = re.sub(r"&\$skiptoken=\d+", "", request.url.query.decode())
        return f"{HOST}{request.url.path}?{query}&$skiptoken={begin}"

    def _parse_condition(self, key: str, text: str) -> Callable[[str], bool]:
        order = self.compare or self.order
        terms = [
            (operator, value, order(value))
            for operator, value in re.findall(rf"{key} (gt|le|eq) (\S+)", text)
        ]
        joined = any if " or " in text else all

        def holds(one: str) -> bool:
            at = order(one)
            results = [
                {"gt": at > mark, "le": at <= mark, "eq": one == value}[operator]
                for operator, value, mark in terms
            ]
            return joined(results)

        return holds

    def _show(self, row: Row, select: str, prefer: str) -> Row:
        wanted = {"@odata.etag", *select.split(",")}
        if TYPE[1:] in prefer:
            wanted |= {f"{name}{TYPE}" for name in wanted}
        return {name: value for name, value in row.items() if name in wanted}

    def counted(self) -> Counter[str]:
        """Requests by the first segment of their path."""
        return Counter(
            request.url.path.rsplit("/", 1)[1].partition("(")[0] for request in self.asked
        )


def _list_columns(rows: list[Row]) -> set[str]:
    return {name for row in rows[:1] for name in row}


def page(body: Row) -> httpx.Response:
    """As services write JSON: no white space."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return httpx.Response(
        200,
        content=text.encode(),
        headers={"Content-Type": "application/json; odata.metadata=minimal"},
    )


def refusal(status: int, code: str, message: str) -> httpx.Response:
    """An error as Dataverse words it."""
    return httpx.Response(status, json={"error": {"code": code, "message": message}})


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def sales_of(fake: Fake, *, parallel: int = 50, pace: type[Pace] = Pace) -> Sales:
    """Sales as p2c sees it; waits take no time."""
    made, clock = make_client(HOST, transport=httpx.MockTransport(fake)), Clock()
    paced = pace(ceiling=parallel, sleep=clock.sleep, clock=clock)
    return Sales(
        system=System(
            name="Sales", client=made, pace=paced, policy=RetryPolicy(attempts=3), clock=clock
        )
    )


def extract(fake: Fake, folder: Path, **options: Any) -> ExtractionResult:
    """Land contacts and accounts of a fake Sales in ``folder / source``."""
    wish = ExtractionScope(
        tables=options.pop("tables", ("contacts", "accounts")),
        mapped=options.pop("mapped", ("firstname", "creditlimit")),
        wished=options.pop("wished", ()),
        tracking=options.pop("tracking", "never"),
        page_rows=options.pop("page_rows", 50),
    )
    into = options.pop("into", folder / "source")
    into.mkdir(parents=True, exist_ok=True)
    sales = sales_of(fake, parallel=options.pop("parallel", 50), pace=options.pop("pace", Pace))
    with sales.system.client:
        return land_dataverse(
            sales,
            into,
            wish,
            work=folder / "work",
            progress=options.pop("progress", lambda *_: None),
            **options,
        )


def split_url(url: str) -> str:
    """The path and query of a link."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"
