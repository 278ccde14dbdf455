"""Both twins and their login, filled with the same rows.

What a sandbox is before it has a socket.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Scope

from pipeline.sandbox.faults import Faulty, Schedule
from pipeline.sandbox.login import login as logins
from pipeline.sandbox.login.grants import Application
from pipeline.sandbox.login.login import LoginTwin
from pipeline.sandbox.login.tokens import Claims
from pipeline.sandbox.sales import app as sales_wire
from pipeline.sandbox.sales.twin import SalesTwin, open_sales
from pipeline.sandbox.scm import app as scm_wire
from pipeline.sandbox.scm.load import load_known_customers, read_columns, read_companies
from pipeline.sandbox.scm.switches import STRICT, Switches
from pipeline.sandbox.scm.twin import ScmTwin
from pipeline.sandbox.wire.compression import Compressed
from pipeline.sandbox.wire.faultspec import Faults, System


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """Both twins and their login."""

    sales: SalesTwin
    scm: ScmTwin
    login: LoginTwin
    faults: Faults

    def close(self) -> None:
        """Close both databases."""
        self.scm.close()
        self.sales.close()

    def sales_app(self, *homes: str) -> Faulty:
        """Sales and the login.

        ``homes``: origins that tokens may be for, whatever a request's ``Host`` says.
        """

        def authorize(request: Request) -> Claims | Response:
            return self.login.authorize(request, homes)

        return self._app(sales_wire.make_sales_routes(self.sales, authorize), "sales")

    def scm_app(self, *homes: str) -> Faulty:
        """SCM and the login."""

        def authorize(request: Request) -> Claims | Response:
            return self.login.authorize(request, homes, bare=True)

        return self._app(scm_wire.make_scm_routes(self.scm, authorize), "scm")

    def _app(self, routes: Sequence[BaseRoute], system: System) -> Faulty:
        def system_of(scope: Scope) -> System:
            return "login" if _is_login(scope["path"]) else system

        app = Starlette(routes=[*logins.make_login_routes(self.login), *routes])
        return Faulty(
            app=Compressed(app=app), schedule=Schedule(faults=self.faults), system_of=system_of
        )


def make_world(
    folder: Path,
    data: Path | None,
    faults: Faults,
    application: Application,
    switches: Switches = STRICT,
) -> World:
    """Fill both twins from a folder of CSV files, if there is one. ``folder`` gets the database.

    ``switches`` are SCM's.

    Raises ``SourceError`` for files that cannot be read.
    """
    with contextlib.ExitStack() as stack:
        sales = open_sales(folder / "sales.db", data, faults)
        stack.callback(sales.close)
        scm = ScmTwin(
            switches=switches,
            companies=read_companies(data),
            applications=frozenset({logins.CLIENT}),
            columns=read_columns(data),
        )
        stack.callback(scm.close)
        with ThreadPoolExecutor(1) as pool:
            indexed = pool.submit(sales.service.store.index)
            load_known_customers(scm.desk, data)
            indexed.result()
        stack.pop_all()
    login = LoginTwin(applications=_applications(application), lifetime=faults.token)
    return World(sales=sales, scm=scm, login=login, faults=faults)


def _is_login(path: str) -> bool:
    return "/oauth2/" in path or "/.well-known/" in path or "/discovery/" in path


def _applications(main: Application) -> dict[str, Application]:
    """The client that everybody gets, and the two that show what else can happen."""
    others = [
        Application(id=name, secret=main.secret) for name in (logins.WITHOUT_ROLE, logins.STRANGER)
    ]
    return {one.id: one for one in (main, *others)}
