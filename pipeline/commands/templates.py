"""``p2c templates`` and ``p2c codes`` as typed calls."""

from __future__ import annotations

from functools import partial

from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.errors import UsageError
from pipeline.project.resolve import FILE, make_bare_project
from pipeline.show.templates import (
    list_code_items,
    list_template_rows,
    render_codes,
    render_template,
    render_templates,
)
from pipeline.suggest import suggest_nearest


def show_templates(common: Flags, task: str | None) -> Result:
    """``templates``: the list, or one template as a table."""
    has_project = common.project is not None or common.source is not None or FILE.is_file()
    known = (common.load() if has_project else make_bare_project({}, "default")).templates
    if task is None:
        items = [
            {
                "task": one.task,
                "name": one.name,
                "source": one.source,
                "entity": one.entity,
                "rows": len(one.rows),
            }
            for one in known.values()
        ]
        return Result(command="templates", items=items, text=render_templates(known.values()))
    names = {name.casefold(): name for name in known}
    if task.casefold() not in names:
        raise UsageError(
            f"there is no task '{task}'.{suggest_nearest(task, known)} "
            f"Tasks are {', '.join(known)}."
        )
    template = known[names[task.casefold()]]
    return Result(
        command="templates",
        items=list_template_rows(template),
        text=partial(render_template, template),
    )


def show_codes() -> Result:
    """``codes``."""
    return Result(command="codes", items=list_code_items(), text=render_codes)
