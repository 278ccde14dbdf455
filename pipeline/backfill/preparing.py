"""What every query over the contacts of a backfill reads, and which contacts it takes."""

from __future__ import annotations

from pipeline.events import Step
from pipeline.extract.view import landed_view
from pipeline.plan import known
from pipeline.plan.prepare import NO_ROWS, Prepared, Routing, prepare
from pipeline.plan.request import Planning
from sql.session import Session, query


def prepare_contacts(main: Session, planning: Planning) -> Prepared:
    """Name the tables that were landed, and compute what contacts are joined with."""
    request, landed, settings = planning.request, planning.source.landed, planning.project.settings
    for table in landed.values():
        main.view(f"{table.table}_landed", landed_view(table))
    if "accounts" not in landed:
        main.view("accounts_landed", NO_ROWS)
    planning.listener(Step(name="looking for repeats", done=0))
    routing = Routing(
        legal_entity=None,
        organizations={},
        filter=settings.source.filter,
        hold_blank_flags=False,
        number_pattern=settings.source.contact_number_pattern,
        only=None if request.only is None else known.only_ids(request.only),
        is_routed=False,
    )
    return prepare(main, {*landed, "accounts"}, routing)


def choose_contacts(main: Session, planning: Planning, rows: int) -> int:
    """Name ``contacts_selected`` and ``candidates``; the last row that ``--limit`` lets through.

    ``rows`` is how many there are.
    """
    selected = "SELECT *, passes_filter AS selected FROM contacts_filtered"
    if planning.request.only is not None:
        selected = (
            "SELECT *, passes_filter AND contactid IN (FROM only_ids) AS selected FROM "
            "contacts_filtered"
        )
    main.view("contacts_selected", selected)
    main.view("candidates", query("backfill_candidates"))
    limit = planning.request.limit
    if limit is None:
        return rows
    chosen = (
        "SELECT source_row FROM candidates WHERE selected AND state NOT IN ('superseded', "
        "'deleted') ORDER BY source_row"
    )
    return int(
        main.frame(f"SELECT coalesce(max(source_row), -1) FROM ({chosen} LIMIT {limit})").item()
    )
