"""Sales on the wire: what the Dataverse Web API is asked besides rows, and the headers that it likes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx

from pipeline.errors import RequestRefused, SystemStopped
from pipeline.suggest import near
from pipeline.wire.system import System, json_object

T = TypeVar("T")

ROOT: Final = "api/data/v9.2/"
PAGE_ROWS: Final = 5000
LOOKUP_TYPE: Final = "Microsoft.Dynamics.CRM.lookuplogicalname"

_HEADERS: Final = {
    "Accept": "application/json",
    "OData-MaxVersion": "4.0",
    "OData-Version": "4.0",
    "If-None-Match": "null",
}
_NO_PROPERTY: Final = re.compile(
    r"[Cc]ould not find a property named '([^']+)' on type '[\w.]*?(\w+)'"
)
_TABLE_GONE: Final = 404
_CURRENT: Final = (
    "RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Organization:
    """Whose Sales it is. ``name`` is blank where it is not told."""

    id: str
    name: str

    @property
    def told(self) -> str:
        """For people: name and id."""
        return f"{self.name} ({self.id})" if self.name else self.id


@dataclass(frozen=True, kw_only=True, slots=True)
class Sales:
    """Dataverse, asked through one system."""

    system: System

    def get(
        self,
        url: str,
        read: Any,
        *,
        subject: str,
        prefer: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """GET below the API's root, or a link of its own.

        Raises:
            SystemStopped: it failed for good; a missing column is named with its nearest neighbour.
        """
        preferences = {"Prefer": ",".join(prefer)} if prefer else {}
        where = url if url.startswith(("http://", "https://", "/")) else ROOT + url
        try:
            return self.system.ask(
                "GET",
                where,
                read,
                subject=subject,
                headers={**_HEADERS, **preferences, **(headers or {})},
            )
        except RequestRefused as refused:
            raise self._explained(refused, subject) from refused

    def _explained(self, refused: RequestRefused, subject: str) -> SystemStopped:
        found = _NO_PROPERTY.search(refused.message)
        if found is not None:
            name, table = found[1], found[2]
            hint = near(name, self.columns(table, quiet=True))
            if name.startswith("msdynce_") and not hint:
                hint = " Is the solution Prospect to Cash installed there?"
            told = (
                f"has no column '{name}' in table "
                f"{table}.{hint or ' Check the name in the project and its templates.'}"
            )
        elif refused.status == _TABLE_GONE:
            told = (
                f"has no table {subject} at this address. Check url, and that Sales is installed "
                "there."
            )
        else:
            return refused
        return RequestRefused(
            told,
            where=self.system.label,
            status=refused.status,
            detail=found[1] if found else refused.detail,
        )

    def columns(self, table: str, *, quiet: bool = False) -> dict[str, str]:
        """Column → how it is spelled in queries, of a table by its logical name.

        Empty if nobody tells and ``quiet``.
        """
        url = f"EntityDefinitions(LogicalName='{table}')/Attributes?$select=LogicalName,AttributeType,AttributeOf"
        try:
            answer = self.system.ask(
                "GET", ROOT + url, json_object, subject="metadata", headers=_HEADERS
            )
        except SystemStopped:
            if quiet:
                return {}
            raise
        rows = answer.get("value")
        return (
            {}
            if not isinstance(rows, list)
            else dict(_spelling(row) for row in rows if isinstance(row, dict))
        )

    def try_read(self, entity_set: str, key: str) -> None:
        """Read one row, whatever it is: who may not read the table learns it now.

        Raises ``SystemStopped``.
        """
        self.get(f"{entity_set}?$select={key}&$top=1", json_object, subject=entity_set)

    def totals(self, tables: Collection[str]) -> dict[str, int]:
        """Logical name → rows, as the server counted at some time of the last day.

        Those that it does not tell are left out.
        """
        found = self._totals(tables)
        if found is None and len(tables) > 1:
            parts = [self._totals([table]) or {} for table in tables]
            return {table: rows for part in parts for table, rows in part.items()}
        return found or {}

    def _totals(self, tables: Collection[str]) -> dict[str, int] | None:
        names = quote("[" + ",".join(f'"{name}"' for name in tables) + "]", safe="")
        url = f"{ROOT}RetrieveTotalRecordCount(EntityNames=@p1)?@p1={names}"
        try:
            return self.system.ask("GET", url, _counts, subject="totals", headers=_HEADERS)
        except RequestRefused:
            return None

    def tracked(self) -> frozenset[str]:
        """Logical names of tables with change tracking.

        None where the caller may not see definitions.
        """
        url = f"{ROOT}EntityDefinitions?$select=LogicalName&$filter=ChangeTrackingEnabled eq true"
        try:
            answer = self.system.ask("GET", url, json_object, subject="metadata", headers=_HEADERS)
        except SystemStopped as error:
            if error.status is None:
                raise
            return frozenset()
        rows = answer.get("value")
        return (
            frozenset(str(row.get("LogicalName")) for row in rows)
            if isinstance(rows, list)
            else frozenset()
        )

    def who_am_i(self) -> dict[str, str]:
        """UserId, BusinessUnitId and OrganizationId of the caller."""
        answer = self.system.ask(
            "GET", ROOT + "WhoAmI", json_object, subject="login", headers=_HEADERS
        )
        return {name: str(value) for name, value in answer.items() if not name.startswith("@")}

    def organization(self) -> Organization:
        """Whose Sales this is; it shows whether we can log in, too. Raises ``SystemStopped``."""
        identity = self.who_am_i().get("OrganizationId", "")
        try:
            answer = self.system.ask(
                "GET", ROOT + _CURRENT, json_object, subject="login", headers=_HEADERS
            )
        except RequestRefused:
            return Organization(id=identity, name="")
        detail = answer.get("Detail")
        name = detail.get("FriendlyName") if isinstance(detail, dict) else None
        return Organization(id=identity, name=str(name or ""))


def _spelling(row: Mapping[str, Any]) -> tuple[str, str]:
    name = str(row.get("LogicalName"))
    is_lookup = row.get("AttributeType") in {"Lookup", "Customer", "Owner"}
    return name, f"_{name}_value" if is_lookup else name


def _counts(response: httpx.Response) -> dict[str, int]:
    found = json_object(response)["EntityRecordCountCollection"]
    if not isinstance(found, dict):
        raise TypeError(type(found))
    return dict(zip(map(str, found["Keys"]), map(int, found["Values"]), strict=True))
