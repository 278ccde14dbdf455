"""One Sales environment: its database, its Web API and its limits, made and closed together."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final

from pipeline.sandbox.login.login import CLIENT, TENANT, WITHOUT_ROLE
from pipeline.sandbox.sales.call import Caller
from pipeline.sandbox.sales.failures import SalesFailure
from pipeline.sandbox.sales.functions import Facts
from pipeline.sandbox.sales.limits import Limits
from pipeline.sandbox.sales.load import LoadedFile, load_rows
from pipeline.sandbox.sales.schema import TABLES
from pipeline.sandbox.sales.seed import User, add_missing_rows
from pipeline.sandbox.sales.service import SalesService
from pipeline.sandbox.sales.store import SalesStore
from pipeline.sandbox.wire.faultspec import NONE, Faults

USERS: Final = (
    User(application=CLIENT, name="p2c"),
    User(application=WITHOUT_ROLE, name="p2c without a role"),
)
"""The application users of every environment; the first owns what has no owner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SalesTwin:
    """One Sales environment.

    ``without_role``: applications that are users and may do nothing; ``loaded``: what became of
    the files that it was filled from, by table.
    """

    service: SalesService
    limits: Limits
    without_role: frozenset[str] = frozenset()
    dop: int = NONE.dop
    loaded: Mapping[str, LoadedFile] = field(default_factory=dict)

    def close(self) -> None:
        """Close the database."""
        self.service.store.close()

    def find_caller(self, application: str) -> Caller:
        """The application user behind a token. Raises ``SalesFailure``."""
        sql = "SELECT systemuserid FROM systemuser WHERE applicationid = ? AND isdisabled = 0"
        found = self.service.store.rows(sql, (application,))
        if not found:
            message = "The user is not a member of the organization."
            raise SalesFailure(status=HTTPStatus.FORBIDDEN, code="0x80072560", message=message)
        return Caller(id=found[0][0], privileged=application not in self.without_role)


def open_sales(path: Path, data: Path | None, faults: Faults = NONE) -> SalesTwin:
    """An environment in a new database, filled from a folder of CSV files if there is one.

    Its indexes are still to be made. Raises ``SourceError`` for files that cannot be read.
    """
    with contextlib.ExitStack() as stack:
        store = SalesStore(path)
        stack.callback(store.close)
        loaded = {} if data is None else load_rows(store, data)
        with store.transaction():
            add_missing_rows(store, USERS, "Contoso")
        twin = SalesTwin(
            service=SalesService(store=store, facts=_facts(store), now=lambda: datetime.now(UTC)),
            limits=_limits(faults),
            without_role=frozenset({WITHOUT_ROLE}),
            dop=faults.dop,
            loaded=loaded,
        )
        stack.pop_all()
    return twin


def _facts(store: SalesStore) -> Facts:
    totals = {name: int(store.rows(f"SELECT count(*) FROM {name}")[0][0]) for name in TABLES}
    return Facts(tenant=TENANT, unique_name="sandbox", totals=totals)


def _limits(faults: Faults) -> Limits:
    if faults.limits is None:
        return Limits(now=time.monotonic)
    requests, window = faults.limits
    return Limits(now=time.monotonic, enforced=True, requests=requests, window=window)
