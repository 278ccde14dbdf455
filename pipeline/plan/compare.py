"""Two plans side by side: which contacts changed their place, and which rows of SCM would be others."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final, TypedDict, cast

from pipeline.run.folder import RunFolder
from sql.session import Session, literal, query, session

_WORDS: Final = {
    "new": "was not there before",
    "gone": "is not there any more",
    "decision": "decided otherwise",
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


def compared(before: RunFolder, after: RunFolder) -> list[Change]:
    """Differences between two runs, one item per kind."""
    with (
        tempfile.TemporaryDirectory(prefix="p2c-compare-") as scratch,
        session(scratch=Path(scratch)) as here,
    ):
        for name, folder in (("before", before), ("after", after)):
            here.view(
                f"{name}_decisions", f"SELECT * FROM read_parquet({literal(str(folder.decisions))})"
            )
            _rows(here, f"{name}_rows", sorted((folder.path / "rows").glob("*/*.parquet")))
        return cast("list[Change]", here.frame(query("diff")).to_dicts())


def _rows(here: Session, name: str, files: list[Path]) -> None:
    """Contact and hash of every planned row of a run."""
    if not files:
        here.view(name, "SELECT NULL::VARCHAR AS contactid, NULL::VARCHAR AS row_hash WHERE false")
        return
    listed = ", ".join(literal(str(path)) for path in files)
    here.view(
        name, f"SELECT contactid, row_hash FROM read_parquet([{listed}], union_by_name = true)"
    )


def told(items: list[Change], before: RunFolder) -> str:
    """The differences as lines."""
    if not items:
        return f"Against {before.run}: every contact stands where it stood, with the same values."
    return "\n".join([f"Against {before.run}", *map(_line, items)])


def _line(one: Change) -> str:
    places = (
        [one["before"], one["after"]]
        if one["change"] == "decision"
        else [one["after"] or one["before"]]
    )
    shown = " → ".join(place or "" for place in places)
    example = f", for example {one['example']}" if one["example"] else ""
    return f"{one['contacts']:>11,} {_WORDS[one['change']]}: {shown}{example}"
