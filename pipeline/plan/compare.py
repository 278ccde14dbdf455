"""Two plans side by side: which contacts changed their place, and which rows of SCM differ."""

from __future__ import annotations

from typing import Final, TypedDict, cast

import polars as pl

from pipeline.mapping.template import list_entities_by_task
from pipeline.run.folder import RunFolder
from pipeline.run.room import open_room
from pipeline.scm.differences import NEW, OLD, find_differences
from schemas.catalogue import Column, Entity
from schemas.run import PLANNED
from sql.query import SelectColumn, query
from sql.session import Session, session

_PLANNED: Final = pl.Schema({"contactid": pl.String(), "row_hash": pl.String()})
"""What is compared of planned rows."""

_ROWS: Final = 65_536

_WORDS: Final = {
    "new": "was not there before",
    "gone": "is no longer there",
    "decision": "decided differently",
    "key": "has another key in SCM",
    "content": "has other values",
    "field": "has another value",
}


class Change(TypedDict):
    """Contacts that changed in one way: where they stood before and after, and one of them.

    Of a field that differs, ``before`` and ``after`` are null, and ``column`` is its task and name.
    """

    change: str
    column: str | None
    before: str | None
    after: str | None
    contacts: int
    example: str | None


def compare_runs(before: RunFolder, after: RunFolder) -> list[Change]:
    """Differences between two runs, one item per kind."""
    with (
        open_room("compare") as scratch,
        session(scratch=scratch) as here,
    ):
        for name, folder in (("before", before), ("after", after)):
            here.parquet(f"{name}_decisions", folder.decisions)
            rows = folder.list_all_rows()
            here.parquet(f"{name}_rows", rows, schema=_PLANNED, by_name=True)
        ways = here.frame(query("plan/diff")).with_columns(column=pl.lit(None, pl.String))
        fields = [
            one
            for task, entity in list_entities_by_task().items()
            for one in _compare_fields(here, before, after, task, entity)
        ]
        return [*cast("list[Change]", ways.to_dicts()), *fields]


def _compare_fields(
    here: Session, before: RunFolder, after: RunFolder, task: str, entity: Entity
) -> list[Change]:
    """The columns in which rows of a task differ that both runs planned, most rows first."""
    sides = {"before": before.rows_files(task), "after": after.rows_files(task)}
    if not all(sides.values()):
        return []
    for name, files in sides.items():
        here.parquet(f"{name}_planned", files, by_name=True)
    there, now = (here.columns(f"{name}_planned") for name in sides)
    columns = {
        name: entity.column(name) or Column(name=name) for name in now if name not in PLANNED
    }
    text = query(
        "plan/diff_pairs",
        new=[SelectColumn(name=NEW + name, of=name) for name in columns],
        old=[SelectColumn(name=OLD + name, of=name) for name in columns if name in there],
    )
    found = [
        find_differences(pl.DataFrame(batch), columns)
        .group_by("column")
        .agg(rows=pl.len(), example=pl.col("contactid").min())
        for batch in here.stream(text, _ROWS)
    ]
    if not found:
        return []
    counted = pl.concat(found).group_by("column").agg(pl.col("rows").sum(), pl.col("example").min())
    ordered = counted.sort(["rows", "column"], descending=[True, False])
    return [
        {"change": "field", "column": f"{task}.{column}", "before": None, "after": None,
         "contacts": rows, "example": example}
        for column, rows, example in ordered.iter_rows()
    ]  # fmt: skip


def render_changes(items: list[Change], before: RunFolder) -> str:
    """The differences as lines."""
    if not items:
        return f"Against {before.run}: every contact stands where it stood, with the same values."
    return "\n".join([f"Against {before.run}", *map(render_change, items)])


def render_change(one: Change) -> str:
    """One difference as a line."""
    places = (
        [one["before"], one["after"]]
        if one["change"] == "decision"
        else [one["after"] or one["before"]]
    )
    shown = one["column"] or " → ".join(place or "" for place in places)
    example = f", for example {one['example']}" if one["example"] else ""
    return f"{one['contacts']:>11,} {_WORDS[one['change']]}: {shown}{example}"
