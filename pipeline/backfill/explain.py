"""``explain`` for a backfill.

One contact's row of the plan or its result, with the findings about it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypedDict, cast

import polars as pl

from pipeline.backfill.results import RESULT
from pipeline.errors import UsageError
from pipeline.run.folder import RunFolder
from schemas.text import WHITE_SPACE

_WORDS: Final = {
    "number": "gets a Contact Number",
    "activate": "Is Active Customer changes",
    "both": "gets a Contact Number, and Is Active Customer changes",
    "other": "Is Company An Account changes",
    "none": "nothing changes",
}


class BackfillFinding(TypedDict):
    """A row of ``findings.parquet``, as far as ``explain`` shows it."""

    severity: str
    code: str
    message: str


class BackfillStory(TypedDict):
    """A row of ``backfill.parquet`` with its findings."""

    contactid: str
    action: str
    company_flag_before: bool | None
    company_flag_after: bool | None
    rank: int | None
    number_before: str | None
    number_after: str | None
    active_before: bool | None
    active_after: bool | None
    quotes: int | None
    orders: int | None
    invoices: int | None
    first_activity: datetime | None
    last_activity: datetime | None
    document: str | None
    outcome: str | None
    findings: list[BackfillFinding]


def find_stories(folder: RunFolder, contact: str) -> list[BackfillStory]:
    """Rows of ``backfill.parquet`` for a contactid or contact number, each with its findings.

    Raises:
        UsageError: the run has no such contact.
    """
    wanted = contact.strip(WHITE_SPACE).strip("{}").lower()
    known = pl.any_horizontal(
        pl.col(name).str.to_lowercase() == wanted
        for name in ("contactid", "number_before", "number_after")
    )
    rows = pl.scan_parquet(folder.path / RESULT, glob=False).filter(known).collect()
    if rows.is_empty():
        raise UsageError(
            f"no contact of the run {folder.run} has that contactid or contact number. Check it in "
            "Sales, or name another run with --run."
        )
    findings = (
        pl.scan_parquet(folder.findings, glob=False)
        .filter(pl.col("contactid").is_in(rows["contactid"].implode()))
        .collect()
    )
    found = [
        {**row, "findings": findings.filter(pl.col("contactid") == row["contactid"]).to_dicts()}
        for row in rows.iter_rows(named=True)
    ]
    return cast("list[BackfillStory]", found)


def render_backfill_story(row: BackfillStory) -> str:
    """One row as text."""
    lines = [f"Contact {row['contactid']}: {_WORDS[row['action']]}"]
    if row["rank"] is not None:
        lines.append(f"  number    rank {row['rank']:,}: {row['number_after'] or 'not written'}")
    elif row["number_before"]:
        lines.append(f"  number    {row['number_before']}")
    lines.append(
        f"  active    {_render_flag(row['active_before'])} → {_render_flag(row['active_after'])}"
    )
    before, after = map(_render_flag, (row["company_flag_before"], row["company_flag_after"]))
    lines.append(f"  company   {before} → {after} (Is Company An Account)")
    documents = {
        "quotes": row["quotes"],
        "orders": row["orders"],
        "invoices": row["invoices"],
    }
    counts = ", ".join(f"{count:,} {name}" for name, count in documents.items() if count)
    lines.append(
        f"  evidence  {counts}, for example {row['document'] or 'one without a number'}"
        if counts
        else "  evidence  none"
    )
    if row["first_activity"]:
        lines.append(
            f"            from {row['first_activity']:%Y-%m-%d} to {row['last_activity']:%Y-%m-%d}"
        )
    lines.append(
        "  outcome   "
        f"{row['outcome'] or ('nothing to write' if row['action'] == 'none' else 'not applied')}"
    )
    lines += [f"  {one['severity']:<9} {one['code']}: {one['message']}" for one in row["findings"]]
    return "\n".join(lines)


def _render_flag(value: bool | None) -> str:
    return {True: "Yes", False: "No", None: "blank"}[value]
