"""``[organizations]`` against the business units of a live Sales."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.extract.dataverse.extraction import ExtractionScope, land_dataverse
from pipeline.plan.null_words import view_tables
from pipeline.plan.prepare import Routing, prepare
from pipeline.project.resolve import Project
from pipeline.project.systems import connect_sales
from pipeline.run.room import open_room
from pipeline.scm.look import Item
from schemas.sales import BUSINESSUNITS
from sql.session import session


def check_units(project: Project) -> Iterator[Item]:
    """The names in ``[organizations]``, looked for as a plan does.

    Raises:
        ConfigurationError: one of them is no business unit, or has two legal entities.
    """
    organizations, name = project.settings.organizations, BUSINESSUNITS.name
    if not organizations:
        return
    wish = ExtractionScope(tables=[name], tracking="never")
    with (
        connect_sales(project) as sales,
        open_room("check") as place,
        session(views=True) as here,
    ):
        into, work = place / "source", place / "work"
        into.mkdir()
        landed = land_dataverse(sales, into, wish, work=work, progress=lambda *_told: None).landed
        if name not in landed:
            yield "table businessunits", "warning", "[organizations] cannot be checked without it"
            return
        view_tables(here, landed, None, used=(), is_live=True)
        prepare(here, set(landed), _route_by_units(project))
    yield "[organizations]", "ok", f"{len(organizations):,} business units of Sales"


def _route_by_units(project: Project) -> Routing:
    """What is prepared where contacts are not read: what ``[organizations]`` means."""
    settings = project.settings
    return Routing(
        legal_entity=settings.destination.legal_entity,
        organizations=settings.organizations,
        filter=None,
        hold_blank_flags=False,
        number_pattern=settings.source.contact_number_pattern,
    )
