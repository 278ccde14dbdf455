"""``p2c verify`` as a typed call."""

from __future__ import annotations

from typing import Final

from pipeline.audit import verify
from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.run import folder

_VERDICTS: Final = {0: "clean", 1: "attention", 3: "stopped", 4: "broken"}


def verify_run(common: Flags, run: str) -> Result:
    """``verify``: exit 4 when the run folder was altered, 3 when a command was interrupted."""
    found = folder.find_run(common.runs, run)
    checked = verify.verify_folder(found)
    facts = checked.evidence.summary
    stands = _VERDICTS[checked.exit_code]
    return Result(
        command="verify",
        run=str(found.run),
        folder=str(found.path),
        facts=facts.replace(verdict=stands, balanced=facts.balanced and not checked.altered),
        exit_code=checked.exit_code,
        items=verify.list_checks(checked),
        text=verify.render_checks(checked),
    )
