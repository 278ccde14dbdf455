"""Exit 2 promises that nothing was sent, also where a login is refused halfway."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.apply.guards import keep_promise
from pipeline.commands.options import read_clock
from pipeline.errors import AccessDenied, LoginFailed, SystemStopped
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal, read_journal

IDS = {"task": "Contacts", "legal_entity": "usmf", "batch": 1, "part": 1}


@pytest.mark.parametrize("kind", [LoginFailed, AccessDenied])
@pytest.mark.parametrize(
    ("results", "code"),
    [
        ((), 2),
        (("not_sent",), 2),
        (("busy", "not_sent"), 2),
        (("too_large",), 2),
        (("sent",), 3),
        ((None,), 3),
    ],
)
def test_what_was_sent_in_this_start_makes_a_refused_login_a_stop(
    tmp_path: Path, kind: type[SystemStopped], results: tuple[str | None, ...], code: int
) -> None:
    run = RunFolder(tmp_path)
    with Journal.open(run.journal, read_clock) as journal:
        journal.intent("odata", **IDS, attempt=0)
        journal.done("odata", **IDS, attempt=0, result="sent")  # By an earlier start.
    lines = len(read_journal(run.journal).entries)
    with Journal.open(run.journal, read_clock) as journal:
        for attempt, result in enumerate(results, start=1):
            journal.intent("odata", **IDS, attempt=attempt)
            if result is not None:
                journal.done("odata", **IDS, attempt=attempt, result=result)
        with pytest.raises(SystemStopped, match="says no") as caught, keep_promise(run, lines):
            raise kind("says no.", where="SCM")
    assert caught.value.exit_code == code
    assert ("A part of the rows was sent" in caught.value.message) == (code == 3)
