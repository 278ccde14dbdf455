"""What ``check`` looks at in SCM."""

from __future__ import annotations

from pipeline.plan.columns import ask_columns
from pipeline.plan.destination import scm_needs
from pipeline.project.resolve import Project
from pipeline.project.systems import connect_scm
from pipeline.run.room import open_room
from pipeline.scm.look import Item, list_items, look_at_scm


def check_scm(project: Project) -> list[Item]:
    """Ask SCM for all that a plan needs; what was looked at.

    Raises:
        ConfigurationError: something is missing or wrong there.
        Stopped: it cannot be reached or fails.
    """
    with connect_scm(project) as scm, open_room("check") as folder:
        live = ask_columns(project, scm)
        seen = look_at_scm(scm, scm_needs(live), folder, lambda _what, _rows: None)
        return [*list_items(seen), *live.list_items()]
