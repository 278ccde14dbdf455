"""``check``: what can be known without a plan. Settings and templates were held against the catalogues while loading."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from pipeline import known
from pipeline.plan import land_sources, template_sources
from pipeline.project import Project


def checked(project: Project) -> list[dict[str, Any]]:
    """What was checked: what, status (``ok``, ``warning``), message.

    Raises:
        Refused: a setting, a template or a table is wrong.
    """
    items = [
        {"what": f"template {one.task}", "status": "ok", "message": f"{len(one.rows)} rows into {one.entity}"}
        for one in project.templates.values()
    ]
    template_sources(project)
    with tempfile.TemporaryDirectory(prefix="p2c-check-") as folder:
        landed = land_sources(project, Path(folder), lambda _table, _rows: None)
    for table in landed.values():
        lost = len(table.unreadable)
        items.append(
            {
                "what": f"table {table.table}",
                "status": "warning" if lost else "ok",
                "message": f"{table.rows:,} rows, {len(table.columns)} known columns"
                + (f", {lost} rows cannot be read, the first in {table.unreadable[0].source_file} line "
                   f"{table.unreadable[0].source_line}" if lost else ""),
            }
        )  # fmt: skip
    if "accounts" not in landed:
        items.append({"what": "table accounts", "status": "warning", "message": "is missing; contacts with a company need it"})
    items += _destination(project)
    return items


def _destination(project: Project) -> list[dict[str, Any]]:
    destination = project.settings.destination
    items: list[dict[str, Any]] = []
    entities = ", ".join(project.legal_entities)
    items.append(
        {"what": "legal entities", "status": "ok", "message": entities}
        if entities
        else {
            "what": "legal entities",
            "status": "warning",
            "message": "none: set destination.legal_entity or [organizations]",
        }
    )
    for key in ("currency", "country"):
        value = getattr(destination, key)
        if value is None:
            items.append({"what": f"destination.{key}", "status": "warning", "message": "no default for contacts without one"})
        else:
            items.append({"what": f"destination.{key}", "status": "ok", "message": value})
    if project.known_customers is None:
        message = "not set: the plan will assume that the Accounts task has run"
        items.append({"what": "destination.known_customers", "status": "warning", "message": message})
    else:
        customers = known.customers(project.known_customers)
        items.append({"what": "destination.known_customers", "status": "ok", "message": f"{customers.height:,} customers"})
    return items
