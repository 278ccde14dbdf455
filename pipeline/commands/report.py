"""``p2c report`` as a typed call."""

from __future__ import annotations

from pathlib import Path

from pipeline.commands.answers import answer_about
from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.events import Listener, Step
from pipeline.report.facts import collect_page_facts
from pipeline.report.page import render_report
from pipeline.run import folder
from pipeline.run.files import replace_file


def report_run(
    common: Flags, run: str, *, to: Path | None, values: bool, listener: Listener
) -> Result:
    """``report``: the page, in the run folder unless another place is given."""
    found = folder.find_run(common.runs, run)
    listener(Step(name="reading the run", done=0))
    facts = collect_page_facts(found, values=values)
    path = to or found.path / "report.html"
    page = render_report(facts).encode()
    replace_file(path, page)
    notes = [f"  {one.sentence}" for one in facts.troubles]
    text = "\n".join([f"{facts.sentence}", f"Wrote {path} ({len(page):,} bytes).", *notes])
    return answer_about(found, "report", items=[{"file": str(path), "bytes": len(page)}], text=text)
