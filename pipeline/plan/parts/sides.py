"""What the driver writes for its workers: contacts as they lie, side tables, and the kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pipeline.plan.deciding import take_rules
from pipeline.plan.large import KEYS
from pipeline.plan.parts.keys import ACTIVE
from pipeline.plan.parts.kit import (
    CONTACTS_READ,
    Kit,
    LandedContacts,
    PartSource,
)
from pipeline.plan.parts.route import BY_ROW, SMALL, VIEWS, name_side
from pipeline.plan.prepare import Prepared, Routing
from pipeline.plan.reading import add_own, find_plain_columns
from pipeline.plan.request import Planning
from pipeline.plan.states import DOCUMENTS
from schemas.sales import CONTACTS
from sql.query import query
from sql.session import Session

_PART_ROWS: Final = 122_880
_OPTIONAL: Final = ("company_names", "currency_names")
"""Side tables that are there only where contacts name records instead of their ids."""


def write_activity(main: Session, folder: Path) -> None:
    """Write the contacts that documents name."""
    main.copy(query("plan/parts/active"), folder / ACTIVE)


def store_keys(session: Session, folder: Path, files: Sequence[str]) -> None:
    """Store ``hashes`` (``sql/plan/hashes.sql``), as the parts made them."""
    session.parquet("hashes_of_parts", [folder / name for name in files])
    session.store("hashes", query("plan/parts/whole", rows="hashes_of_parts"))


def describe_source(
    planning: Planning, main: Session, blank: Sequence[str], folder: Path
) -> PartSource:
    """Contacts as workers read them; ``main`` has them declared."""
    run = planning.project.settings.run
    return PartSource(
        contacts=LandedContacts.of(planning.source.landed[CONTACTS.name]),
        blank=tuple(blank),
        text=main.list_views([CONTACTS_READ])[CONTACTS_READ],
        part_rows=run.part_rows or _PART_ROWS,
        folder=folder.resolve(),
        memory=run.count_joins_memory(),
        threads=None if planning.engine is None else planning.engine.threads,
        has_filter=planning.project.settings.source.filter is not None,
    )


def make_kit(
    planning: Planning,
    main: Session,
    source: PartSource,
    routing: Routing,
    prepared: Prepared,
    keys: Sequence[str],
) -> Kit:
    """Write the side tables, and describe everything that parts are decided with.

    ``main`` has what ``sql/plan/route.sql`` reads; ``keys`` are the files of the first pass.
    """
    views = main.list_views(VIEWS)
    sides = _list_sides(views)
    for name in sides:
        main.copy(query("plan/parts/whole", rows=name), source.folder / name_side(name))
    landed = main.columns(f"{CONTACTS.name}_landed")
    known = add_own(CONTACTS, routing.own)
    return Kit(
        source=source,
        views=views,
        sides=sides,
        parameters=prepared.parameters,
        plain=find_plain_columns(known, landed, routing.said),
        has_documents=any(one.name in planning.source.landed for one in DOCUMENTS),
        settings=planning.project.effective(),
        rules=take_rules(planning),
        morsel_rows=planning.project.settings.run.morsel_rows,
        keys=tuple(keys),
    )


def _list_sides(views: Mapping[str, str]) -> tuple[str, ...]:
    """The side tables that routing, or a view before it, reads."""
    return tuple(
        name
        for name in (*BY_ROW, *SMALL, *KEYS)
        if name not in _OPTIONAL or any(name in text for text in views.values())
    )
