"""The business units of an export, before there is a project for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.plan.null_words import view_tables
from pipeline.plan.prepare import Routing, prepare
from pipeline.plan.source import land_files
from pipeline.project.resolve import Project
from pipeline.run.room import open_room
from pipeline.transform.named import name_units
from sql.query import query
from sql.session import session

_TABLES: Final = ("contacts", "businessunits")


def count_units(project: Project) -> Mapping[str, int]:
    """Contact rows by the name of their business unit, most first.

    A unit that has no name in the export is there by its id; contacts without one are left out.

    Raises:
        Refused: the export is not there, or cannot be read.
    """
    with open_room("init") as place, session() as here:
        landed = land_files(project, place, lambda _table, _rows: None, _TABLES).tables
        view_tables(here, landed, (), used=())
        here.view("accounts_landed", query("plan/no_rows"))
        settings = project.settings
        routing = Routing(
            legal_entity=None,
            organizations={},
            filter=None,
            hold_blank_flags=False,
            number_pattern=settings.source.contact_number_pattern,
            is_routed=False,
        )
        prepared = prepare(here, {*landed, "accounts"}, routing)
        counted = here.frame(query("plan/units_counted")).drop_nulls()
        return dict(name_units(dict(counted.iter_rows()), prepared.units).most_common())
