"""``p2c check`` as a typed call."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.check import offline
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.events import Listener
from pipeline.project.accepted import find_accepted_file, read_accepted
from pipeline.project.resolve import Project


def check_project(common: Flags, listener: Listener) -> Result:
    """``check``: settings, templates, sources and systems; no plan is kept."""
    project = common.load()
    items = [
        *offline.check_project_parts(project, common.runs, listener),
        *_check_accepted(project),
    ]
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


def _check_accepted(project: Project) -> Iterator[offline.Checked]:
    """What is wrong with the list of accepted contacts, else how many entries it has."""
    path = find_accepted_file(project.file)
    found = read_accepted(path)
    for problem in found.problems:
        yield {"what": "accepted contacts", "status": "warning", "message": problem}
    today = read_clock().date()
    over = [number for number, entry in found.entries if entry.until < today]
    if over:
        text = f"{path.name}: entries that have ended, by number: {', '.join(map(str, over))}"
        yield {"what": "accepted contacts", "status": "note", "message": text}
    if found.entries:
        text = f"entries in force: {len(found.entries) - len(over):,}"
        yield {"what": "accepted contacts", "status": "ok", "message": text}
