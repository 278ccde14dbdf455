"""``p2c templates`` and ``p2c codes`` as typed calls."""

from __future__ import annotations

from functools import partial

from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.errors import UsageError
from pipeline.project.resolve import FILE, bare_project
from pipeline.show.templates import (
    code_items,
    codes_text,
    template_items,
    template_text,
    templates_text,
)
from pipeline.suggest import near


def show_templates(common: Flags, task: str | None) -> Result:
    """``templates``: the list, or one template as a table."""
    has_project = common.project is not None or common.source is not None or FILE.is_file()
    known = (common.load() if has_project else bare_project({}, "default")).templates
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
        return Result(command="templates", items=items, text=templates_text(known.values()))
    names = {name.casefold(): name for name in known}
    if task.casefold() not in names:
        raise UsageError(f"there is no task '{task}'.{near(task, known)}")
    template = known[names[task.casefold()]]
    return Result(
        command="templates", items=template_items(template), text=partial(template_text, template)
    )


def show_codes() -> Result:
    """``codes``."""
    return Result(command="codes", items=code_items(), text=codes_text)
