"""``p2c undo`` as a typed call."""

from __future__ import annotations

from dataclasses import replace as changed

from pipeline.apply import writeback
from pipeline.backfill.undo_on_files import plan_undo_on_files
from pipeline.commands.answers import answer_about, require_whole
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.events import Listener, report_nothing
from pipeline.plan import undo
from pipeline.plan.fingerprint import list_versions
from pipeline.project.layers import find_source
from pipeline.project.resolve import project_of_run
from pipeline.run import folder
from pipeline.run.facts import Kind
from pipeline.run.folder import RunFolder


def undo_run(common: Flags, run: str, listener: Listener = report_nothing) -> Result:
    """``undo``: the pack as a plan; exit 1 when something of it cannot be undone."""
    found = folder.find_run(common.runs, run)
    require_whole(found)
    if found.facts().kind is Kind.BACKFILL:
        return _undo_backfill(common, found, listener)
    pack = undo.make_undo(found, list_versions(), read_clock)
    items = [
        {"action": action, "rows": rows, "meaning": undo.ACTIONS[action]}
        for action, rows in pack.counts.items()
    ]
    result = answer_about(pack.folder, "undo", items=items, text=undo.render_undo(pack, found))
    return changed(result, exit_code=result.summary.exit_code)


def _undo_backfill(common: Flags, found: RunFolder, listener: Listener) -> Result:
    """Plan the undo of a backfill: what it wrote into Sales and what still stands there."""
    facts = found.facts()
    if facts.is_write_back:
        made = writeback.plan_write_back_undo(found, project_of_run(facts), read_clock)
    else:
        where = () if common.source is None else (f"source.path={find_source(common.source)}",)
        today = changed(common, assignments=(*common.assignments, *where)).today(facts)
        made = plan_undo_on_files(found, today, read_clock, listener)
    summary = made.read_summary()
    left = sum(summary.findings.values())
    lines = [
        (
            f"Undo of {found.run}, planned as {made.run}: {summary.outcomes['pending']:,} "
            "contacts get back what they had."
        )
    ]
    lines += [f"  {left:,} were changed or removed since, and are left alone."] if left else []
    if summary.outcomes["pending"]:
        lines.append(f"The counter is not set back. `p2c apply {made.run}` does it.")
    return changed(answer_about(made, "undo", text="\n".join(lines)), exit_code=summary.exit_code)
