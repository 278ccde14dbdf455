"""What the counts of a plan say of the run as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipeline.plan.customers import list_entities_without
from pipeline.plan.prepare import Prepared, Routing
from pipeline.project.resolve import Project
from pipeline.run.findings import RunFinding
from pipeline.transform.decide import CUSTOMERS
from pipeline.transform.named import UNIT
from pipeline.transform.tally import Tally
from schemas.text import parse_guid

_FLAG: Final = "msdynce_isactivecustomer"
_MISSING: Final = {
    "SiteId": "site_missing",
    "WarehouseId": "warehouse_missing",
    "LanguageId": "language_missing",
}
"""Column of customers that may be blank, but should not → code."""


def find_nothing(contacts: int, selected: int) -> Iterator[RunFinding]:
    """What is wrong where nothing is left to work on.

    Args:
        contacts: of the source.
        selected: those that filter, ``--limit`` and ``--only`` leave.
    """
    if not contacts:
        yield RunFinding(code="no_contacts")
    elif not selected:
        yield RunFinding(code="nothing_selected", detail=f"{contacts:,}")


def list_warnings(
    tally: Tally, project: Project, routing: Routing, prepared: Prepared
) -> Iterator[RunFinding]:
    """Warnings of the run as a whole, each counted once."""
    yield from _list_flag_warnings(tally, project)
    yield from _list_takeovers(tally)
    lost = tally.lost.total()
    if lost:
        yield RunFinding(code="keys_lost", detail=f"{lost:,}", column="msdynce_contactnumber")
    yield from _list_unnamed_units(tally, routing, prepared)
    persons = tally.decisions["contact"]
    if persons and not prepared.parameters["scm_read"]:
        yield RunFinding(code="accounts_assumed", detail=f"{persons:,}")
    if project.scm is None and routing.known_customers is not None:
        unknown = list_entities_without(routing.known_customers, project.legal_entities)
        if unknown:
            yield RunFinding(code="known_customers_empty", detail=", ".join(unknown))
    for (task, column), count in tally.defaulted.items():
        if count:
            yield RunFinding(code="default_used", detail=f"{count:,}", column=f"{task}.{column}")
    for column, code in _MISSING.items():
        if tally.blanks[CUSTOMERS, column]:
            yield RunFinding(
                code=code, detail=f"{tally.blanks[CUSTOMERS, column]:,}", column=column
            )


def _list_takeovers(tally: Tally) -> Iterator[RunFinding]:
    """Why all that SCM has already is held: nobody remembers a load."""
    held = tally.reasons["held", "takeover"]
    ours = sum(
        rows for (_, _, action), rows in tally.actions.items() if action in ("update", "unchanged")
    )
    if held > 1 and not ours:
        yield RunFinding(code="memory_missing", detail=f"{held:,}", column="msdynce_contactnumber")


def _list_unnamed_units(tally: Tally, routing: Routing, prepared: Prepared) -> Iterator[RunFinding]:
    """Contacts held because nothing says which name the id of their business unit has."""
    held = sum(
        rows
        for ((code, _, _), value), rows in tally.values.items()
        if code == "legal_entity_unmapped" and parse_guid(value) is not None
    )
    names = any(parse_guid(name) is None for name in routing.organizations)
    if held and names and not prepared.units:
        yield RunFinding(code="units_not_named", detail=f"{held:,}", column=UNIT)


def _list_flag_warnings(tally: Tally, project: Project) -> Iterator[RunFinding]:
    contacts = sum(tally.decisions.values())
    left_out = sum(tally.reasons["skipped", name] for name in ("filtered_out", "not_selected"))
    yield from find_nothing(contacts, contacts - left_out)
    if contacts and not tally.flags["yes"] and tally.flags["unread"]:
        yield RunFinding(code="flag_not_read", detail=f"{tally.flags['unread']:,}", column=_FLAG)
    elif contacts and not tally.flags["yes"]:
        yield RunFinding(code="flag_never_set", column=_FLAG, rows=contacts)
    if tally.flags["blank"] and project.settings.source.flag_blank == "no":
        yield RunFinding(code="flag_null", detail=f"{tally.flags['blank']:,}", column=_FLAG)
