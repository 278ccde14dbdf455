"""Sales on the wire: what the Dataverse Web API is asked besides rows, and its headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote

import httpx

from pipeline.errors import (
    ConfigurationError,
    LoginFailed,
    RequestRefused,
    SystemStopped,
    Throttled,
)
from pipeline.suggest import suggest_nearest
from pipeline.wire.json_body import MalformedError, read_json_object, read_rows
from pipeline.wire.retry import RetryPolicy
from pipeline.wire.system import System

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
_OPTIONAL: Final = RetryPolicy(attempts=3)
"""Questions that a plan can do without are not asked for minutes."""
_NO_PROPERTY: Final = re.compile(
    r"[Cc]ould not find a property named '([^']+)' on type '[\w.]*?(\w+)'"
)
_NOT_THERE: Final = 404
_CURRENT: Final = (
    "RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Organization:
    """Whose Sales it is. ``name`` is blank where Sales does not say."""

    id: str
    name: str

    @property
    def name_and_id(self) -> str:
        """For people: the name with the id, or the id alone."""
        return f"{self.name} ({self.id})" if self.name else self.id


@dataclass(frozen=True, kw_only=True, slots=True)
class Sales:
    """Dataverse, asked through one system."""

    system: System

    def get(
        self,
        url: str,
        read: Callable[[httpx.Response], T],
        *,
        subject: str,
        prefer: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """GET below the API's root, or a link that Sales gave us.

        Raises:
            SystemStopped: it failed for good; a missing column is named, with the nearest name
                that is there.
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
            raise self._explain(refused, subject) from refused

    def _explain(self, refused: RequestRefused, subject: str) -> SystemStopped:
        found = _NO_PROPERTY.search(refused.refusal.cause)
        if found is not None:
            name, table = found[1], found[2]
            hint = suggest_nearest(name, self.columns(table, quiet=True))
            if name.startswith("msdynce_") and not hint:
                hint = " Is the solution Prospect to Cash installed there?"
            message = (
                f"has no column '{name}' in table "
                f"{table}.{hint or ' Check the name in the project and its templates.'}"
            )
        elif refused.status == _NOT_THERE:
            message = (
                f"has no table {subject} at this address. Check url, and that Sales is installed "
                "there."
            )
        else:
            return refused
        return RequestRefused(message, where=self.system.label, refusal=refused.refusal)

    def columns(self, table: str, *, quiet: bool = False) -> dict[str, str]:
        """Column → its spelling in queries, of a table by its logical name.

        Empty if Sales does not say and ``quiet``.
        """
        url = (
            f"EntityDefinitions(LogicalName='{table}')/Attributes"
            "?$select=LogicalName,AttributeType,AttributeOf"
        )
        try:
            rows = self.system.ask(
                "GET", ROOT + url, read_rows, subject="metadata", headers=_HEADERS
            )
        except SystemStopped:
            if quiet:
                return {}
            raise
        return dict(_spell(row) for row in rows)

    def secured(self, table: str) -> frozenset[str]:
        """The columns of a table that column security may hide; empty if Sales does not say."""
        url = f"EntityDefinitions(LogicalName='{table}')/Attributes?$select=LogicalName,IsSecured"
        try:
            rows = self.system.ask(
                "GET", ROOT + url, read_rows, subject="metadata", headers=_HEADERS
            )
        except SystemStopped:
            return frozenset()
        return frozenset(
            str(row.get("LogicalName")) for row in rows if row.get("IsSecured") is True
        )

    def try_read(self, entity_set: str, key: str) -> None:
        """Read any one row: whoever may not read the table learns of it now.

        Raises ``SystemStopped``.
        """
        self.get(f"{entity_set}?$select={key}&$top=1", read_json_object, subject=entity_set)

    def totals(self, tables: Collection[str]) -> dict[str, int]:
        """Logical name → rows, as the server counted at some time within the last day.

        Tables that it did not count are left out, all of them where it fails at counting.
        """
        found = self._ask_totals(tables)
        if found is None and len(tables) > 1:
            parts = [self._ask_totals([table]) or {} for table in tables]
            return {table: rows for part in parts for table, rows in part.items()}
        return found or {}

    def _ask_totals(self, tables: Collection[str]) -> dict[str, int] | None:
        names = quote("[" + ",".join(f'"{name}"' for name in tables) + "]", safe="")
        url = f"{ROOT}RetrieveTotalRecordCount(EntityNames=@p1)?@p1={names}"
        try:
            return self.system.ask(
                "GET", url, _read_counts, subject="totals", headers=_HEADERS, policy=_OPTIONAL
            )
        except SystemStopped as error:
            if not _is_optional(error):
                raise
            return None if isinstance(error, RequestRefused) else {}

    def tracked(self) -> frozenset[str]:
        """Logical names of the tables with change tracking.

        Empty where the caller may not see definitions.
        """
        url = f"{ROOT}EntityDefinitions?$select=LogicalName&$filter=ChangeTrackingEnabled eq true"
        try:
            rows = self.system.ask(
                "GET", url, read_rows, subject="metadata", headers=_HEADERS, policy=_OPTIONAL
            )
        except SystemStopped as error:
            if not _is_optional(error):
                raise
            return frozenset()
        return frozenset(str(row.get("LogicalName")) for row in rows)

    def who_am_i(self) -> dict[str, str]:
        """UserId, BusinessUnitId and OrganizationId of the caller.

        Raises:
            ConfigurationError: what is at the address is not a Dataverse.
            SystemStopped: it failed, or does not let us in.
        """
        try:
            answer = self.system.ask(
                "GET", ROOT + "WhoAmI", _read_caller, subject="login", headers=_HEADERS
            )
        except RequestRefused as refused:
            if refused.status != _NOT_THERE:
                raise
            raise ConfigurationError(
                "is not Sales: nothing here answers to the Dataverse Web API (HTTP 404). "
                "Check source.url, and that it is not the address of SCM.",
                where=self.system.label,
            ) from refused
        return answer

    def organization(self) -> Organization:
        """Whose Sales this is, which also shows whether we can log in. Raises ``SystemStopped``."""
        identity = self.who_am_i().get("OrganizationId", "")
        try:
            answer = self.system.ask(
                "GET",
                ROOT + _CURRENT,
                read_json_object,
                subject="login",
                headers=_HEADERS,
                policy=_OPTIONAL,
            )
        except SystemStopped as error:
            if not _is_optional(error):
                raise
            return Organization(id=identity, name="")
        detail = answer.get("Detail")
        name = detail.get("FriendlyName") if isinstance(detail, dict) else None
        return Organization(id=identity, name=" ".join(str(name or "").split()))


def _is_optional(error: SystemStopped) -> bool:
    """Whether an answer may be missing: Sales refused this question, or fails at it for good.

    A system that cannot be reached, or does not let us in, would fail at the next question, too.
    """
    return error.status is not None and not isinstance(error, LoginFailed | Throttled)


def _spell(row: Mapping[str, object]) -> tuple[str, str]:
    name = str(row.get("LogicalName"))
    is_lookup = str(row.get("AttributeType")) in {"Lookup", "Customer", "Owner"}
    return name, f"_{name}_value" if is_lookup else name


def _read_caller(response: httpx.Response) -> dict[str, str]:
    """Who we are, and in which organization: without that nobody knows whose Sales it is."""
    answer = read_json_object(response)
    if not isinstance(answer.get("OrganizationId"), str):
        raise MalformedError("JSON that names no organization")
    return {name: str(value) for name, value in answer.items() if not name.startswith("@")}


def _read_counts(response: httpx.Response) -> dict[str, int]:
    found = read_json_object(response)["EntityRecordCountCollection"]
    if not isinstance(found, dict):
        raise TypeError(type(found))
    return dict(zip(map(str, found["Keys"]), map(int, found["Values"]), strict=True))
