"""``p2c runs --html`` as a typed call."""

from __future__ import annotations

from pathlib import Path

from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.errors import UsageError
from pipeline.report.index import index_runs, render_index
from pipeline.run import folder
from pipeline.run.files import replace_file


def write_index(common: Flags, to: Path | None) -> Result:
    """``runs --html``: one page about all runs, in the folder of runs unless another is given."""
    path = to or common.runs / "index.html"
    found = folder.find_runs(common.runs)
    if not found:
        raise UsageError(f"there are no runs in {common.runs}.")
    runs = index_runs(found, path)
    page = render_index(runs).encode()
    replace_file(path, page)
    marked = [f"  {one.run}: {one.mark}. {one.trouble}" for one in runs if one.mark]
    lines = [f"Wrote {path} ({len(page):,} bytes).", *marked]
    items = [{"file": str(path), "bytes": len(page), "runs": len(found)}]
    return Result(command="runs", items=items, text="\n".join(lines))
