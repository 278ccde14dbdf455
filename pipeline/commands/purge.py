"""``p2c purge`` as a typed call."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.audit import purge
from pipeline.commands.options import Flags, now
from pipeline.commands.result import Result
from pipeline.run import folder


def list_purgeable(
    common: Flags, runs: Sequence[str], days: float
) -> list[purge.Held | purge.Leftover]:
    """What ``purge`` would remove; without a run's name also what stopped extractions left."""
    chosen = (
        [folder.find_run(common.runs, one) for one in runs]
        if runs
        else purge.old(common.runs, now, days)
    )
    found = [one for one in map(purge.held, chosen) if one is not None]
    return [*found, *([] if runs else purge.leftovers(common.runs, now, days))]


def describe_purge(found: Sequence[purge.Held | purge.Leftover]) -> str:
    """What would go, before a person is asked."""
    return purge.told(found)


def purge_runs(found: Sequence[purge.Held | purge.Leftover], *, agreed: bool) -> Result:
    """``purge``: what was removed, or would be."""
    items = [
        {"run": purge.name_of(one), "files": len(one.files), "bytes": one.size, "purged": agreed}
        for one in found
    ]
    if agreed:
        for one in found:
            if isinstance(one, purge.Held):
                purge.purged(one, now)
            else:
                purge.cleared(one)
    ending = (
        "Their personal data was removed." if agreed else "Nothing was removed; --yes removes it."
    )
    return Result(
        command="purge",
        items=items,
        text="\n".join([purge.told(found), *([ending] if found else [])]),
    )
