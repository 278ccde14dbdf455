"""One Sales twin without a network, and a client that calls it as any other would."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.applications import Starlette
from starlette.requests import Request

from pipeline.sandbox.login.login import CLIENT, STRANGER, WITHOUT_ROLE
from pipeline.sandbox.login.tokens import Claims
from pipeline.sandbox.sales import app
from pipeline.sandbox.sales.call import USUAL, RowBounds
from pipeline.sandbox.sales.functions import Facts
from pipeline.sandbox.sales.limits import Limits
from pipeline.sandbox.sales.load import load_rows
from pipeline.sandbox.sales.schema import TABLES
from pipeline.sandbox.sales.seed import add_missing_rows
from pipeline.sandbox.sales.service import SalesService
from pipeline.sandbox.sales.store import SalesStore
from pipeline.sandbox.sales.twin import USERS, SalesTwin

ORIGIN = "https://sales.test"
ROOT = f"{ORIGIN}/api/data/v9.2"
TYPE = "Microsoft.Dynamics.CRM"


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 8, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


def authorize(request: Request) -> Claims:
    """The header says whose token it would be."""
    names = {"p2c": CLIENT, "roleless": WITHOUT_ROLE, "stranger": STRANGER}
    return Claims(application=names[request.headers["authorization"]], audience=ORIGIN, expires=0)


class Caller:
    """A twin with its clock, and requests to it. Paths are relative to the service's root."""

    def __init__(
        self, *, data: Path | None = None, bounds: RowBounds = USUAL, **limits: Any
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="p2c-test-")
        self.clock = Clock()
        self.store = SalesStore(Path(self._folder.name) / "sales.db")
        self.loaded = load_rows(self.store, data) if data else {}
        with self.store.transaction():
            add_missing_rows(self.store, USERS, "Contoso")
        self.store.index()
        totals = {
            name: int(self.store.rows(f"SELECT count(*) FROM {name}")[0][0]) for name in TABLES
        }
        service = SalesService(
            store=self.store,
            facts=Facts(tenant="t", unique_name="test", totals=totals),
            now=self.clock,
            bounds=bounds,
        )
        limited = Limits(now=self.clock.seconds, **limits)
        twin = SalesTwin(service=service, limits=limited, without_role=frozenset({WITHOUT_ROLE}))
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(
            app=Starlette(routes=app.make_sales_routes(twin, authorize))
        )
        self._client = httpx.AsyncClient(
            transport=transport, base_url=f"{ROOT}/", headers={"Authorization": "p2c"}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
        self.store.close()
        self._folder.cleanup()

    def ask(
        self,
        method: str,
        url: str,
        *,
        prefer: str = "",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        given = {**(headers or {}), **({"Prefer": prefer} if prefer else {})}
        return self._runner.run(self._client.request(method, url, headers=given, **more))

    def get(self, url: str, **more: Any) -> Any:
        response = self.ask("GET", url, **more)
        assert response.status_code == 200, response.text
        return response.json()

    def rows(self, url: str, **more: Any) -> list[dict[str, Any]]:
        """All pages, next links followed as they are."""
        found: list[dict[str, Any]] = []
        link: str | None = url
        while link:
            page = self.get(link, **more)
            found += page["value"]
            link = page.get("@odata.nextLink")
        return found

    def refused(self, method: str, url: str, status: int, **more: Any) -> tuple[str, str]:
        """Code and message of the refusal."""
        response = self.ask(method, url, **more)
        assert response.status_code == status, f"{response.status_code} {response.text}"
        error = response.json()["error"]
        return error["code"], error["message"]

    def create(self, entity_set: str, **body: Any) -> str:
        """The id of a new row."""
        response = self.ask("POST", entity_set, json=body)
        assert response.status_code == 204, response.text
        return response.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")

    def contact(self, row_id: str, *columns: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"contacts({row_id})?$select={','.join(columns)}")
        return found
