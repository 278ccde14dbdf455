"""What every query over the contacts of a backfill reads, and which contacts it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pipeline.backfill.results import RESULT
from pipeline.events import Step
from pipeline.plan.null_words import view_tables
from pipeline.plan.only import find_missing_only, read_only_ids
from pipeline.plan.prepare import Prepared, Routing, prepare
from pipeline.plan.request import Planning
from pipeline.plan.routing import list_month_first, list_small
from pipeline.plan.warnings import find_nothing
from pipeline.run.findings import RunFinding
from pipeline.run.folder import RunFolder
from sql.query import query
from sql.session import Session

HashParts = Callable[[Session, Mapping[str, Sequence[str]]], None]
"""Stores ``hashes`` (``sql/backfill/hashes.sql``) in another way than by a query over all contacts;
it hears the blank words of each table."""


def prepare_contacts(
    main: Session, planning: Planning, hash_parts: HashParts | None = None
) -> Prepared:
    """Name the tables that were landed, and compute what contacts are joined with."""
    request, landed, settings = planning.request, planning.source.landed, planning.project.settings
    blank = view_tables(
        main,
        landed,
        settings.source.null_words,
        used=("msdynce_contactnumber",),
        is_live=planning.source.is_live,
        is_mapped=False,
    )
    if "accounts" not in landed:
        main.view("accounts_landed", query("plan/no_rows"))
    planning.listener(Step(name="looking for repeats", done=0))
    routing = Routing(
        legal_entity=None,
        organizations={},
        filter=settings.source.filter,
        hold_blank_flags=False,
        number_pattern=settings.source.contact_number_pattern,
        only=None if request.only is None else read_only_ids(request.only),
        is_routed=False,
        labels=settings.labels,
        month_first=list_month_first(landed),
        by_state=settings.backfill.statuses is not None,
    )
    prepared = prepare(
        main,
        {*landed, "accounts"},
        routing,
        list_small(landed, settings.run.morsel_rows) if hash_parts is None else (),
        None if hash_parts is None else lambda session: hash_parts(session, blank.words),
    )
    prepared.findings += blank.findings
    prepared.findings += [] if routing.only is None else find_missing_only(main)
    return prepared


def prepare_export(main: Session, planning: Planning, of: RunFolder) -> None:
    """Name what the undo of a backfill reads: ``contacts_there`` is a later export's contacts."""
    main.parquet("backfilled", of.path / RESULT)
    prepare_contacts(main, planning)
    main.view("contacts_selected", query("backfill/selected_all"))
    main.view("candidates", query("backfill/candidates"))
    main.store("contacts_there", query("backfill/there"))


def name_candidates(main: Session, planning: Planning) -> None:
    """Name ``contacts_selected`` and ``candidates``."""
    selected = "selected" if planning.request.only is None else "selected_only"
    main.view("contacts_selected", query(f"backfill/{selected}"))
    main.view("candidates", query("backfill/candidates"))


def find_last_row(main: Session, limit: int | None, rows: int) -> int:
    """The last row of ``candidates`` that a limit lets through; ``rows`` is how many there are."""
    if limit is None:
        return rows
    return int(main.frame(query("backfill/last_row"), limit=limit).item())


def find_none_chosen(
    planning: Planning, rows: int, *, are_there: bool, are_selected: bool
) -> list[RunFinding]:
    """What is wrong where a backfill has no contact to look at.

    ``rows`` were read; whether there are contacts, and some of them are selected.
    """
    chosen = are_selected and planning.request.limit != 0
    return list(find_nothing(rows if are_there else 0, int(chosen)))
