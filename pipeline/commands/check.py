"""``p2c check`` as a typed call."""

from __future__ import annotations

from pipeline.check import offline
from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.events import Listener


def check_project(common: Flags, listener: Listener) -> Result:
    """``check``: settings, templates, sources and systems; no plan is kept."""
    items = offline.check_project_parts(common.load(), common.runs, listener)
    wrong = [one for one in items if one["status"] == "warning"]
    verdict = (
        f"ATTENTION: look at {len(wrong)} of these before you plan."
        if wrong
        else "CLEAN: the next step is `p2c plan`."
    )
    text = "\n".join(
        [*(f"{one['status']:<8} {one['what']}: {one['message']}" for one in items), verdict]
    )
    return Result(command="check", items=items, text=text, exit_code=1 if wrong else 0)
