"""Both twins and their login, filled with the same rows.

What a sandbox is before it has a socket.
"""

from __future__ import annotations

import contextlib
import csv
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from pipeline.errors import SourceError
from pipeline.sandbox.faults import Faulty
from pipeline.sandbox.login import login as logins
from pipeline.sandbox.login.grants import Application
from pipeline.sandbox.login.login import Login
from pipeline.sandbox.login.tokens import Claims
from pipeline.sandbox.sales import app as sales_wire
from pipeline.sandbox.sales import generate, load, seed
from pipeline.sandbox.sales.app import Twin as SalesTwin
from pipeline.sandbox.sales.functions import Facts
from pipeline.sandbox.sales.limits import Limits
from pipeline.sandbox.sales.load import Loaded
from pipeline.sandbox.sales.schema import TABLES
from pipeline.sandbox.sales.service import Service
from pipeline.sandbox.sales.store import Store
from pipeline.sandbox.scm import app as scm_wire
from pipeline.sandbox.scm.seed import COMPANIES, Company, add_customers
from pipeline.sandbox.scm.twin import Twin as ScmTwin
from pipeline.sandbox.wire.compression import Compressed
from pipeline.sandbox.wire.faultspec import Faults, System

USERS = (
    seed.User(application=logins.CLIENT, name="p2c"),
    seed.User(application=logins.WITHOUT_ROLE, name="p2c without a role"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """What the twins begin with: a folder of CSV files, or so many generated contacts."""

    data: Path | None = None
    rows: int = 1000
    seed: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """Both twins. ``loaded`` tells what became of the files, by table."""

    sales: SalesTwin
    scm: ScmTwin
    login: Login
    faults: Faults
    loaded: dict[str, Loaded]

    def close(self) -> None:
        """Let go of both databases."""
        self.scm.close()
        self.sales.service.store.close()

    def sales_app(self, *homes: str) -> Faulty:
        """Sales and the login.

        ``homes``: origins that tokens may be for, whatever a request's ``Host`` says.
        """

        def authorize(request: Request) -> Claims | Response:
            return self.login.authorize(request, homes)

        return self._app(sales_wire.routes(self.sales, authorize), "sales")

    def scm_app(self, *homes: str) -> Faulty:
        """SCM and the login."""

        def authorize(request: Request) -> Claims | Response:
            return self.login.authorize(request, homes, bare=True)

        return self._app(scm_wire.routes(self.scm, authorize), "scm")

    def _app(self, routes: list[Any], system: System) -> Faulty:
        def system_of(scope: Scope) -> System:
            return "login" if _is_login(scope["path"]) else system

        app = Starlette(routes=[*logins.routes(self.login), *routes])
        return Faulty(app=Compressed(app=app), faults=self.faults, system_of=system_of)


def make_world(folder: Path, rows: Rows, faults: Faults, application: Application) -> World:
    """Fill both twins. ``folder`` gets the database.

    Raises ``SourceError`` for files that cannot be read.
    """
    with contextlib.ExitStack() as stack:
        store = Store(folder / "sales.db")
        stack.callback(store.close)
        loaded = _fill(store, rows)
        scm = ScmTwin(companies=_companies(rows.data), applications=frozenset({logins.CLIENT}))
        stack.callback(scm.close)
        customers = list(
            generate.accounts(store) if rows.data is None else _known_customers(rows.data)
        )
        with ThreadPoolExecutor(1) as beside:
            indexed = beside.submit(store.index)
            add_customers(scm.desk, customers)
            indexed.result()
        stack.pop_all()
    return World(
        sales=_sales(store, faults),
        scm=scm,
        login=Login(applications=_applications(application), lifetime=faults.token),
        faults=faults,
        loaded=loaded,
    )


def _is_login(path: str) -> bool:
    return "/oauth2/" in path or "/.well-known/" in path or "/discovery/" in path


def _fill(store: Store, rows: Rows) -> dict[str, Loaded]:
    with store.transaction():
        if rows.data is None:
            generate.generate(store, rows.rows, rows.seed, USERS[0].id)
    loaded = {} if rows.data is None else load.load(store, rows.data)
    with store.transaction():
        seed.fill(store, USERS, "Contoso")
    return loaded


def _sales(store: Store, faults: Faults) -> SalesTwin:
    totals = {name: int(store.rows(f"SELECT count(*) FROM {name}")[0][0]) for name in TABLES}
    facts = Facts(tenant=logins.TENANT, unique_name="sandbox", totals=totals)
    service = Service(store=store, facts=facts, now=lambda: datetime.now(UTC))
    limits = Limits(now=time.monotonic)
    if faults.limits is not None:
        requests, window = faults.limits
        limits = Limits(now=time.monotonic, enforced=True, requests=requests, window=window)
    return SalesTwin(
        service=service,
        limits=limits,
        without_role=frozenset({logins.WITHOUT_ROLE}),
        dop=faults.dop,
    )


def _applications(main: Application) -> dict[str, Application]:
    """The client that everybody gets, and the two that show what else can happen."""
    others = [
        Application(id=name, secret=main.secret) for name in (logins.WITHOUT_ROLE, logins.STRANGER)
    ]
    return {one.id: one for one in (main, *others)}


def _companies(data: Path | None) -> list[Company]:
    """The usual legal entities, and those that a project beside the data names."""
    known = {company.id: company for company in COMPANIES}
    path = None if data is None else data / "p2c.toml"
    if path is not None and path.is_file():
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        names = [
            *given.get("organizations", {}).values(),
            given.get("destination", {}).get("legal_entity"),
        ]
        for name in [str(name).lower() for name in names if name]:
            known.setdefault(name, Company(id=name, name=f"Contoso {name.upper()}", country="US"))
    return list(known.values())


def _known_customers(data: Path) -> Iterator[dict[str, str]]:
    """The customers that SCM has from the start.

    A *Customers V2* export beside the data, if there is one.
    """
    path = data / "known_customers.csv"
    if not path.is_file():
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if None in row:
                raise SourceError("a row has more cells than the header.", where=str(path))
            yield row
