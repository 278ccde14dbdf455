"""``p2c confirm`` as a typed call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as changed
from pathlib import Path

from pipeline.apply import confirm
from pipeline.commands.answers import answer_about, require_whole
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.errors import count_of
from pipeline.run import folder


def confirm_import(
    common: Flags, run: str, *, errors: Sequence[Path], packages: Sequence[str]
) -> Result:
    """``confirm``: after a manual import of a folder load."""
    found = folder.find_run(common.runs, run)
    require_whole(found)
    done = confirm.record_import(found, read_clock, errors=errors, packages=packages)
    outcomes = ", ".join(f"{rows:,} {name}" for name, rows in done.facts.outcomes.items() if rows)
    were = "was" if done.rows == 1 else "were"
    rows = count_of(done.rows, "written row")
    lines = [f"{rows} {were} confirmed. Outcomes now: {outcomes}."]
    if done.late:
        lines.append(
            f"{count_of(done.late, 'row')} that had been confirmed before "
            f"{'is' if done.late == 1 else 'are'} failed now: SCM refused."
        )
    code = 0 if done.facts.verdict == "clean" else 1
    items = [{"confirmed": done.rows, "refused_late": done.late}]
    return changed(
        answer_about(found, "confirm", items=items, text="\n".join(lines)), exit_code=code
    )
