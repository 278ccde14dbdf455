"""Two plans side by side: which contacts changed their place, and which rows of SCM differ."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final, TypedDict, cast

import polars as pl

from pipeline.run.folder import RunFolder
from sql.query import query
from sql.session import session

_PLANNED: Final = pl.Schema({"contactid": pl.String(), "row_hash": pl.String()})
"""What is compared of planned rows."""

_WORDS: Final = {
    "new": "was not there before",
    "gone": "is no longer there",
    "decision": "decided differently",
    "key": "has another key in SCM",
    "content": "has other values",
}


class Change(TypedDict):
    """Contacts that changed in one way: where they stood before and after, and one of them."""

    change: str
    before: str | None
    after: str | None
    contacts: int
    example: str | None


def compare_runs(before: RunFolder, after: RunFolder) -> list[Change]:
    """Differences between two runs, one item per kind."""
    with (
        tempfile.TemporaryDirectory(prefix="p2c-compare-") as scratch,
        session(scratch=Path(scratch)) as here,
    ):
        for name, folder in (("before", before), ("after", after)):
            here.parquet(f"{name}_decisions", folder.decisions)
            rows = sorted((folder.path / "rows").glob("*/*.parquet"))
            here.parquet(f"{name}_rows", rows, schema=_PLANNED, by_name=True)
        return cast("list[Change]", here.frame(query("plan/diff")).to_dicts())


def render_changes(items: list[Change], before: RunFolder) -> str:
    """The differences as lines."""
    if not items:
        return f"Against {before.run}: every contact stands where it stood, with the same values."
    return "\n".join([f"Against {before.run}", *map(_render_line, items)])


def _render_line(one: Change) -> str:
    places = (
        [one["before"], one["after"]]
        if one["change"] == "decision"
        else [one["after"] or one["before"]]
    )
    shown = " → ".join(place or "" for place in places)
    example = f", for example {one['example']}" if one["example"] else ""
    return f"{one['contacts']:>11,} {_WORDS[one['change']]}: {shown}{example}"
