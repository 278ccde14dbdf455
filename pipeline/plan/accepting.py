"""Held and rejected contacts that the project accepts for a while.

A contact is accepted by its contactid (or contact number) together with the code: with another code
it needs a person again, and so does another contact with the same code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Final

import polars as pl

from pipeline.plan.request import Planning
from pipeline.project.accepted import AcceptedEntry, AcceptedFile, find_accepted_file, read_accepted
from pipeline.run.files import replace_file
from pipeline.run.folder import RunFolder
from pipeline.run.summary import AcceptedContacts
from schemas.text import guid_of, key_of

_KEYS: Final = pl.Schema(
    {
        "entry": pl.Int64,
        "code": pl.String,
        "column": pl.String,
        "until": pl.Date,
        "place": pl.Int64,
        "text": pl.String,
    }
)
"""One row per contact of an entry; ``place`` is its number within the entry."""


def count_accepted(planning: Planning, now: datetime) -> AcceptedContacts:
    """Count the accepted contacts of a plan whose tables are written.

    The file is copied into the run folder: it decides on the verdict.
    """
    path = find_accepted_file(planning.project.file)
    found = read_accepted(path)
    if found.content is None:
        return AcceptedContacts(notes=found.problems)
    replace_file(planning.folder.accepted, found.content)
    return judge_accepted(
        planning.folder, path.name, found, now.date(), whole=not planning.request.is_partial
    )


def judge_accepted(
    folder: RunFolder, name: str, found: AcceptedFile, today: date, *, whole: bool
) -> AcceptedContacts:
    """Which contacts of a run are accepted, and what is to be said of the file.

    Args:
        folder: the run.
        name: what the file is called.
        found: what it says.
        today: the day.
        whole: whether the run is about all contacts, so that those it does not hold are fine now.
    """
    matched = match_accepted(folder, found, today)
    in_force = matched.filter("accepted")
    counted = in_force.unique("row").group_by("decision", "reason").len()
    ends = [day.isoformat() for day in in_force["until"].unique().sort()]
    return AcceptedContacts(
        contacts=in_force["row"].n_unique(),
        reasons={
            f"{decision}/{reason}": rows
            for decision, reason, rows in counted.sort("decision", "reason").iter_rows()
        },
        until=ends[0] if ends else "",
        until_last=ends[-1] if ends else "",
        notes=(*found.problems, *_list_notes(name, found, matched, today, whole=whole)),
    )


def match_accepted(folder: RunFolder, found: AcceptedFile, today: date) -> pl.DataFrame:
    """One row per entry and contact that the entry names and the run holds or rejects.

    Returns:
        row, contactid, decision, reason, entry, until, place, and ``accepted``: whether the entry
        is in force and covers every finding that stops the contact.
    """
    keys = _list_keys(found.entries)
    waiting = _read_waiting(folder, keys)
    columns = ["row", "contactid", "decision", "reason"]
    pairs = pl.concat(
        [
            waiting.join(keys, left_on=[key, "reason"], right_on=[key, "code"], how="inner").select(
                *columns, "entry", "column", "until", "place"
            )
            for key in ("id", "number")
        ]
    ).unique(["row", "entry"], keep="first", maintain_order=True)
    current = pairs.filter(pl.col("until") >= today)
    covered = pl.concat(
        [
            current.filter(pl.col("column").is_null()).select("row", "entry"),
            _cover_columns(folder, current),
        ]
    ).with_columns(accepted=pl.lit(value=True))
    return pairs.join(covered, on=["row", "entry"], how="left", maintain_order="left").with_columns(
        pl.col("accepted").fill_null(value=False)
    )


def find_contacts_to_accept(
    folder: RunFolder, found: AcceptedFile, today: date, *, code: str, column: str | None
) -> pl.DataFrame:
    """Contacts that a run holds or rejects with a code, and that are not accepted yet.

    Those whose contactid cannot be read are left out: nothing tells them apart.

    Args:
        folder: the run.
        found: what is accepted already.
        today: the day.
        code: the code.
        column: only those with a finding in this column of source or destination; null: all.

    Returns:
        contactid and contact_number, in source order, each contactid once.
    """
    contactid = pl.col("contactid")
    waiting = (
        pl.scan_parquet(folder.decisions, glob=False)
        .filter(
            pl.col("decision").is_in(["held", "rejected"])
            & (pl.col("reason") == code)
            & guid_of(contactid).is_not_null()
        )
        .select("contactid", "contact_number")
        .collect(engine="streaming")
        .unique("contactid", keep="first", maintain_order=True)
    )
    matched = match_accepted(folder, found, today).filter("accepted", pl.col("reason") == code)
    waiting = waiting.join(matched, on="contactid", how="anti", maintain_order="left")
    if column is None:
        return waiting
    there = (
        pl.scan_parquet(folder.findings, glob=False)
        .filter(
            (pl.col("code") == code)
            & ((pl.col("destination") == column) | (pl.col("column") == column))
        )
        .select("contactid")
        .collect(engine="streaming")
    )
    return waiting.join(there, on="contactid", how="semi", maintain_order="left")


def _list_keys(entries: Sequence[tuple[int, AcceptedEntry]]) -> pl.DataFrame:
    rows = [
        (number, entry.code, entry.column, entry.until, place, text)
        for number, entry in entries
        for place, text in enumerate(entry.contacts, 1)
    ]
    frame = pl.DataFrame(rows, schema=_KEYS, orient="row")
    return frame.with_columns(id=guid_of(pl.col("text"))).with_columns(
        number=pl.when(pl.col("id").is_null()).then(key_of(pl.col("text")))
    )


def _read_waiting(folder: RunFolder, keys: pl.DataFrame) -> pl.DataFrame:
    """Held and rejected contacts that some entry names."""
    number = key_of(pl.col("contact_number"))
    named = pl.col("contactid").is_in(keys["id"].drop_nulls().implode()) | number.is_in(
        keys["number"].drop_nulls().implode()
    )
    return (
        pl.scan_parquet(folder.decisions, glob=False)
        .select("contactid", "contact_number", "decision", "reason")
        .with_row_index("row")
        .filter(pl.col("decision").is_in(["held", "rejected"]) & named)
        .select("row", "contactid", "decision", "reason", id="contactid", number=number)
        .collect(engine="streaming")
    )


def _cover_columns(folder: RunFolder, current: pl.DataFrame) -> pl.DataFrame:
    """Pairs of entries with a column, where entries cover all columns that stop the contact."""
    some = current.filter(pl.col("column").is_not_null())
    if some.is_empty():
        return some.select("row", "entry")
    stopping = (
        pl.scan_parquet(folder.findings, glob=False)
        .filter(
            pl.col("severity").is_in(["error", "hold"])
            & pl.col("contactid").is_in(some["contactid"].unique().implode())
        )
        .select("contactid", pl.col("code").alias("reason"), "destination", source="column")
        .collect(engine="streaming")
        .with_row_index("finding")
    )
    each = some.join(stopping, on=["contactid", "reason"], how="inner").with_columns(
        hit=(
            (pl.col("column") == pl.col("destination")) | (pl.col("column") == pl.col("source"))
        ).fill_null(value=False)
    )
    whole = (
        each.group_by("row", "finding")
        .agg(pl.col("hit").any())
        .group_by("row")
        .agg(pl.col("hit").all())
        .filter("hit")
    )
    return each.filter("hit").select("row", "entry").unique().join(whole, on="row", how="semi")


def _list_notes(
    name: str, found: AcceptedFile, matched: pl.DataFrame, today: date, *, whole: bool
) -> Iterator[str]:
    """Which entries are over, and which are no longer needed."""
    seen: dict[int, int] = dict(matched.group_by("entry").agg(pl.col("place").n_unique()).rows())
    for number, entry in found.entries:
        head = f"{name}, entry {number} ({entry.code})"
        again = seen.get(number, 0)
        if entry.until < today:
            need = "needs" if again == 1 else "need"
            rest = f"{again:,} of its contacts {need} a person again" if again else "remove it"
            yield f"{head} ended on {entry.until.isoformat()}; {rest}."
        elif whole and again < len(entry.contacts):
            first = _find_unused(entry, number, matched)
            unused = len(entry.contacts) - again
            verb = "is" if unused == 1 else "are"
            yield (
                f"{head}: {unused:,} of its {len(entry.contacts):,} contacts {verb} not held or "
                f"rejected with this code; the first is number {first} in its list. Check the "
                "spelling, or remove it."
            )


def _find_unused(entry: AcceptedEntry, number: int, matched: pl.DataFrame) -> int:
    used = set(matched.filter(pl.col("entry") == number)["place"])
    return next(one for one in range(1, len(entry.contacts) + 1) if one not in used)
