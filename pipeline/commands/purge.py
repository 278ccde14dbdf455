"""``p2c purge`` as a typed call."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.audit import purge
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.run import folder


def list_purgeable(
    common: Flags, runs: Sequence[str], days: float
) -> list[purge.PersonalData | purge.Leftover]:
    """What ``purge`` would remove; without a run's name also what stopped extractions left."""
    chosen = (
        [folder.find_run(common.runs, one) for one in runs]
        if runs
        else purge.find_old(common.runs, read_clock, days)
    )
    found = [one for one in map(purge.find_personal_data, chosen) if one is not None]
    return [*found, *([] if runs else purge.find_leftovers(common.runs, read_clock, days))]


def describe_purge(found: Sequence[purge.PersonalData | purge.Leftover]) -> str:
    """What would go, before a person is asked."""
    return purge.render_purge(found)


def purge_runs(found: Sequence[purge.PersonalData | purge.Leftover], *, agreed: bool) -> Result:
    """``purge``: what was removed, or would be."""
    items = [
        {"run": purge.name_held(one), "files": len(one.files), "bytes": one.size, "purged": agreed}
        for one in found
    ]
    if agreed:
        for one in found:
            if isinstance(one, purge.PersonalData):
                purge.purge_run(one, read_clock)
            else:
                purge.clear_leftover(one)
    ending = (
        "Their personal data was removed." if agreed else "Nothing was removed; --yes removes it."
    )
    return Result(
        command="purge",
        items=items,
        text="\n".join([purge.render_purge(found), *([ending] if found else [])]),
    )
