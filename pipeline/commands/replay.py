"""``p2c replay`` as a typed call."""

from __future__ import annotations

from typing import Final

from pipeline.audit import replay
from pipeline.audit.verify import glance_at_folder
from pipeline.commands.answers import require_load
from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.errors import InvariantBroken
from pipeline.events import Listener
from pipeline.run import folder
from pipeline.run.room import open_room

_VERDICTS: Final = {True: "clean", False: "attention"}


def replay_run(common: Flags, run: str, listener: Listener) -> Result:
    """``replay``: exit 1 when a plan that is made again comes out otherwise, or cannot be made."""
    found = folder.find_run(common.runs, run)
    facts = found.facts()
    why = "Only plans that load contacts into SCM can be made again."
    require_load(found, facts.kind, why)
    checked = glance_at_folder(found)
    if checked.altered:
        raise InvariantBroken(
            f"the run folder was altered, so a replay proves nothing. `p2c verify {found.run}` "
            "says what was altered.",
            where=found.run,
        )
    with open_room("replay") as place:
        made = replay.compare_with_folder(found, facts, place, listener)
    verdict = _VERDICTS[made.is_same]
    return Result(
        command="replay",
        run=str(found.run),
        folder=str(found.path),
        facts=checked.evidence.summary.replace(verdict=verdict),
        exit_code=0 if made.is_same else 1,
        items=replay.list_differences(made),
        text=replay.render_replay(found.run, made),
    )
