"""``p2c accept`` as a typed call."""

from __future__ import annotations

import datetime as dt
import getpass
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.commands.answers import require_load
from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.errors import UsageError
from pipeline.plan.accepting import find_contacts_to_accept
from pipeline.project.accepted import (
    AcceptedEntry,
    add_entries,
    check_line,
    find_accepted_file,
    read_accepted,
    read_day,
    render_entry,
)
from pipeline.run.files import replace_file
from pipeline.run.folder import RunFolder, find_run
from pipeline.run.vouching import refuse_unlike_planned
from pipeline.suggest import check_codes, suggest_nearest

_WHY: Final = "Only runs of `p2c plan`, `p2c run` and `p2c retry` hold or reject contacts."


def accept_contacts(
    common: Flags, run: str, *, codes: Sequence[str], column: str | None, until: str, why: str
) -> Result:
    """``accept``: write down that contacts may stay held or rejected, until when and why."""
    chosen = list(dict.fromkeys(check_codes(codes)))
    found, day, reason = find_run(common.runs, run), _read_until(until), _read_why(why)
    facts = found.facts()
    require_load(found, facts.kind, _WHY)
    recorded = facts.project
    path = find_accepted_file(common.project or (Path(recorded) if recorded else None))
    before = read_accepted(path)
    if before.problems:
        raise UsageError(f"correct the file first. {before.problems[0]}", where=str(path.parent))
    refuse_unlike_planned(found, (found.decisions, found.findings))
    now = read_clock()
    contacts = {
        code: find_contacts_to_accept(found, before, now.date(), code=code, column=column)
        for code in chosen
    }
    total = sum(one.height for one in contacts.values())
    if not total:
        done = [one for _, one in before.entries if _is_of(one, found, chosen, column)]
        if done and all((one.until, one.why) == (day, reason) for one in done):
            # The same command wrote it down before, and may have been stopped before it said so.
            return _tell_accepted(found, {one.code: len(one.contacts) for one in done}, day, path)
        raise UsageError(_explain_nothing(found, chosen, column), where=found.run)

    def render(code: str) -> str:
        ids, numbers = contacts[code].select("contactid", "contact_number")
        entry = AcceptedEntry(
            code=code,
            column=column,
            until=day,
            why=reason,
            by=getpass.getuser(),
            at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
            run=found.run,
            contacts=ids.to_list(),
        )
        return render_entry(entry, numbers.to_list())

    entries = [render(code) for code in chosen if contacts[code].height]
    replace_file(path, add_entries(before.content, entries))
    return _tell_accepted(found, {code: one.height for code, one in contacts.items()}, day, path)


def _is_of(
    entry: AcceptedEntry, found: RunFolder, chosen: Sequence[str], column: str | None
) -> bool:
    """Whether an entry is of this run, and accepts what is asked for."""
    return (entry.run, entry.column) == (found.run, column) and entry.code in chosen


def _tell_accepted(found: RunFolder, counts: Mapping[str, int], day: dt.date, path: Path) -> Result:
    """``counts``: code → contacts."""
    items = [
        {"code": code, "contacts": count, "until": day.isoformat()}
        for code, count in counts.items()
    ]
    text = _describe(sum(counts.values()), day, path, found)
    return Result(command="accept", run=found.run, folder=str(found.path), items=items, text=text)


def _describe(total: int, day: dt.date, path: Path, found: RunFolder) -> str:
    noun = "contact is" if total == 1 else "contacts are"
    return (
        f"{total:,} {noun} accepted until {day.isoformat()}, that day included. It is written in "
        f"{path}.\nRuns from now on count them so; the run {found.run} stays as it is."
    )


def _read_until(text: str) -> dt.date:
    try:
        day = read_day(text)
    except ValueError as error:
        raise UsageError(f"--until {error}.") from error
    if day < read_clock().date():
        raise UsageError(f"--until {day.isoformat()} is over; name today or a later day.")
    return day


def _read_why(text: str) -> str:
    reason = " ".join(text.split())
    try:
        return check_line(reason)
    except ValueError as error:
        raise UsageError(f"--why {error}: why may these contacts stay as they are?") from error


def _explain_nothing(found: RunFolder, codes: Sequence[str], column: str | None) -> str:
    """Why there was no contact to accept, and what the run has instead."""
    where, near = "", ""
    if column:
        places = pl.scan_parquet(found.findings, glob=False).filter(pl.col("code").is_in(codes))
        names = places.select("destination", "column").collect()
        known = pl.concat([names["destination"], names["column"]]).drop_nulls().unique().sort()
        where, near = f" in the column {column}", suggest_nearest(column, known)
    reasons = [
        f"{rows:,} {name.partition('/')[2]}"
        for name, rows in found.read_summary().reasons.items()
        if name.startswith(("held/", "rejected/"))
    ]
    has = f"It has {', '.join(reasons)}." if reasons else "It holds and rejects none."
    return (
        f"the run has no contact that is held or rejected with {' or '.join(codes)}{where} and "
        f"not accepted already.{near} {has}"
    )
