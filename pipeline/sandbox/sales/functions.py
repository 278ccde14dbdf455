"""Unbound functions: who am I, which organisation is this, how many rows are there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.sandbox.odata.address import Segment
from pipeline.sandbox.sales.call import SalesCall
from pipeline.sandbox.sales.references import find_named_table
from pipeline.sandbox.sales.schema import CRM
from pipeline.sandbox.wire.batch import ODataAnswer

ORGANIZATION_VERSION: Final = "9.2.25074.00175"


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What does not stand in tables.

    ``totals``: rows by table, as they were counted when the twin began.
    """

    tenant: str
    unique_name: str
    totals: Mapping[str, int]


def answer_function(call: SalesCall, facts: Facts, segment: Segment) -> ODataAnswer | None:
    """The function that a segment calls; null if it is none."""
    function = _FUNCTIONS.get(segment.name.removeprefix(f"{CRM}."))
    if function is None:
        return None
    call.only("GET")
    return function(call, facts, segment)


def _who_am_i(call: SalesCall, _facts: Facts, _segment: Segment) -> ODataAnswer:
    unit = call.store.rows(
        "SELECT businessunitid FROM systemuser WHERE systemuserid = ?", (call.caller.id,)
    )
    found = {
        "BusinessUnitId": unit[0][0],
        "UserId": call.caller.id,
        "OrganizationId": _organization(call)[0],
    }
    return call.value(found, f"{CRM}.WhoAmIResponse")


def _organization(call: SalesCall) -> tuple[str, str]:
    found = call.store.rows("SELECT organizationid, name FROM organization")
    return found[0][0], found[0][1]


def _current_organization(call: SalesCall, facts: Facts, _segment: Segment) -> ODataAnswer:
    identity, name = _organization(call)
    site = call.root.partition("/api/")[0]
    endpoints = {
        "WebApplication": f"{site}/",
        "OrganizationService": f"{site}/XRMServices/2011/Organization.svc",
        "OrganizationDataService": f"{site}/XRMServices/2011/OrganizationData.svc",
    }
    detail = {
        "OrganizationId": identity,
        "FriendlyName": name,
        "OrganizationVersion": ORGANIZATION_VERSION,
        "EnvironmentId": identity,
        "DatacenterId": "00000000-0000-0000-0000-000000000000",
        "Geo": "EMEA",
        "TenantId": facts.tenant,
        "UrlName": facts.unique_name,
        "UniqueName": facts.unique_name,
        "State": "Enabled",
        "SchemaType": "Standard",
        "OrganizationType": "Developer",
        "Endpoints": {
            "Count": len(endpoints),
            "IsReadOnly": False,
            "Keys": list(endpoints),
            "Values": list(endpoints.values()),
        },
    }
    return call.value({"Detail": detail}, f"{CRM}.RetrieveCurrentOrganizationResponse")


def _total_record_count(call: SalesCall, facts: Facts, segment: Segment) -> ODataAnswer:
    """A snapshot, as old as the twin."""
    names = _texts((segment.texts or {}).get("EntityNames", "[]"))
    tables = [find_named_table(name) for name in names]
    counts = [facts.totals.get(table.name, 0) for table in tables]
    collection = {"Count": len(names), "IsReadOnly": False, "Keys": names, "Values": counts}
    return call.value(
        {"EntityRecordCountCollection": collection}, f"{CRM}.RetrieveTotalRecordCountResponse"
    )


def _texts(text: str) -> Sequence[str]:
    """A list of texts in either sort of quotes."""
    found: Any = json.loads(text.replace("'", '"')) if text.strip().startswith("[") else []
    return [str(one) for one in found]


def _version(call: SalesCall, _facts: Facts, _segment: Segment) -> ODataAnswer:
    return call.value({"Version": ORGANIZATION_VERSION}, f"{CRM}.RetrieveVersionResponse")


_FUNCTIONS: Final[Mapping[str, Callable[[SalesCall, Facts, Segment], ODataAnswer]]] = {
    "WhoAmI": _who_am_i,
    "RetrieveCurrentOrganization": _current_organization,
    "RetrieveTotalRecordCount": _total_record_count,
    "RetrieveVersion": _version,
}
