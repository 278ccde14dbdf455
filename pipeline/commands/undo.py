"""``p2c undo`` as a typed call."""

from __future__ import annotations

from dataclasses import replace as changed

from pipeline.apply import writeback
from pipeline.apply.writeback import is_write_back
from pipeline.backfill import planning
from pipeline.commands.answers import answer_about
from pipeline.commands.options import Flags, now
from pipeline.commands.result import Result
from pipeline.events import Listener, silent
from pipeline.plan import undo
from pipeline.plan.fingerprint import versions
from pipeline.project.resolve import project_of
from pipeline.run import folder
from pipeline.run.facts import exit_code
from pipeline.run.files import read_json
from pipeline.run.folder import RunFolder


def undo_run(common: Flags, run: str, listener: Listener = silent) -> Result:
    """``undo``: the pack as a plan; exit 1 when something of it cannot be undone."""
    found = folder.find_run(common.runs, run)
    if found.facts()["kind"] == "backfill":
        return _backfill_undone(common, found, listener)
    pack = undo.packed(found, versions(), now)
    items = [
        {"action": action, "rows": rows, "meaning": undo.ACTIONS[action]}
        for action, rows in pack.counts.items()
    ]
    result = answer_about(pack.folder, "undo", items=items, text=undo.told(pack, found))
    return changed(result, exit_code=exit_code(result.facts))


def _backfill_undone(common: Flags, found: RunFolder, listener: Listener) -> Result:
    """The undo of a backfill: what it wrote into Sales and what still stands there, as a plan to apply."""
    if is_write_back(found.facts()):
        made = writeback.undone(found, project_of(found.facts()), now)
    else:
        where = () if common.source is None else (f"source.path={common.source.resolve()}",)
        today = changed(common, assignments=(*common.assignments, *where)).today(found.facts())
        made = planning.undo_on_files(found, today, now, listener)
    facts = read_json(made.summary)
    left = sum(facts["findings"].values())
    lines = [
        (
            f"Undo of {found.run}, planned as {made.run}: {facts['outcomes']['pending']:,} "
            "contacts get back what they had."
        )
    ]
    lines += [f"  {left:,} were changed or removed since, and are left alone."] if left else []
    if facts["outcomes"]["pending"]:
        lines.append(f"The counter is not set back. `p2c apply {made.run}` does it.")
    return changed(answer_about(made, "undo", text="\n".join(lines)), exit_code=exit_code(facts))
