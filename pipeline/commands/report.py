"""``p2c report`` as a typed call."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from pipeline.commands.answers import answer_about
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.errors import InvariantBroken, Stopped, is_closed
from pipeline.events import Listener, Step
from pipeline.report.facts import collect_page_facts
from pipeline.report.page import render_report
from pipeline.run import folder
from pipeline.run.chain import REPORTED
from pipeline.run.files import LOCK, replace_file, try_lock
from pipeline.run.journal import Journal


def report_run(
    common: Flags, run: str, *, to: Path | None, values: bool, listener: Listener
) -> Result:
    """``report``: the page, in the run folder unless another place is given.

    Evidence on a disk that is read-only stays as it is: the page is then in the current folder.
    """
    found = folder.find_run(common.runs, run)
    listener(Step(name="reading the run", done=0))
    facts = collect_page_facts(found, values=values)
    page = render_report(facts).encode()
    path = to or _write_beside(found, page)
    if to is not None:
        replace_file(path, page)
    notes = [f"  {one.sentence}" for one in facts.troubles]
    text = "\n".join([f"{facts.sentence}", f"Wrote {path} ({len(page):,} bytes).", *notes])
    return answer_about(found, "report", items=[{"file": str(path), "bytes": len(page)}], text=text)


def _write_beside(found: folder.RunFolder, page: bytes) -> Path:
    """Write the page into the run folder; where nobody may write there, into the current one."""
    path = found.path / "report.html"
    try:
        _vouch_for_page(found, page)
        replace_file(path, page)
    except Stopped as error:
        if not is_closed(error):
            raise
        path = Path(f"{found.run}.html")
        replace_file(path, page)
    return path


def _vouch_for_page(found: folder.RunFolder, page: bytes) -> None:
    """Write down the hash of the page, so that ``verify`` knows it, before it is in its place.

    A journal that is damaged, or that another command writes to, stays as it is.
    """
    with try_lock(found.path / LOCK) as is_ours, suppress(InvariantBroken):
        if is_ours and found.journal.is_file():
            with Journal.open(found.journal, read_clock) as journal:
                digest = hashlib.sha256(page).hexdigest()
                journal.append(REPORTED, files={"report.html": digest})
