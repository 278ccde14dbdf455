"""Several marks of one row become one: whether it is deleted, or an old state of its row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

DELETED: Final = "isdelete"
_UPDATE: Final = "isupdate"
_TEXT: Final = f'"raw:{DELETED}"'


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkColumn:
    """A landed column of marks as SQL: its value as declared, and its text as written."""

    read: str
    written: str


def build_deletion_columns(marks: Mapping[str, MarkColumn]) -> list[str]:
    """The columns ``isdelete``, ``raw:isdelete`` and ``isformer`` of a select list.

    ``isdelete`` is true if any mark says so, and null with ``raw:isdelete`` filled if one cannot be
    read. ``isformer`` is true for an old state of a row: it is gone, but no deletion.

    Args:
        marks: field of ``schemas.marks`` → its column, for those that are there.
    """
    if not marks.keys() - {_UPDATE}:
        none = f"CAST(NULL AS BOOLEAN) AS {DELETED}"
        return [none, f"CAST(NULL AS VARCHAR) AS {_TEXT}", "false AS isformer"]
    if marks.keys() == {DELETED}:
        only = marks[DELETED]
        return [f"{only.read} AS {DELETED}", f"{only.written} AS {_TEXT}", "false AS isformer"]
    said = dict(_list_said(marks))
    gone, known = " OR ".join(said.values()), ", ".join(f"({one})" for one in said.values())
    texts = [f"CASE WHEN ({said[name]}) IS NULL THEN {marks[name].written} END" for name in said]
    unreadable = f"coalesce({', '.join(f'trimmed({text})' for text in texts)})"
    is_deleted = f"CASE WHEN {gone} THEN true WHEN {unreadable} IS NULL THEN coalesce({known}) END"
    return [
        f"{is_deleted} AS {DELETED}",
        f"CASE WHEN {gone} THEN 'true' ELSE {unreadable} END AS {_TEXT}",
        f"{_build_former(marks)} AS isformer",
    ]


def _list_said(marks: Mapping[str, MarkColumn]) -> Iterator[tuple[str, str]]:
    """Each mark as a condition that is true for rows that are gone."""
    for name, one in marks.items():
        match name:
            case "isupdate":
                continue  # It says nothing by itself.
            case "deletedon" | "endedon":
                yield name, f"has_ended({one.read}, {one.written})"
            case "changetype":
                yield name, f"change_of({one.written}) <> 'live'"
            case "iscurrent":
                yield name, f"NOT {one.read}"
            case _:
                yield name, one.read


def _build_former(marks: Mapping[str, MarkColumn]) -> str:
    said = dict(_list_said(marks))
    old = [said[name] for name in ("iscurrent", "endedon") if name in said]
    deleted = [said[name] for name in (DELETED, "deletedon") if name in said]
    if "changetype" in marks:
        change = f"change_of({marks['changetype'].written})"
        is_update = f"coalesce({marks[_UPDATE].read}, false)" if _UPDATE in marks else "false"
        old.append(f"({change} = 'former' OR ({change} = 'deleted' AND {is_update}))")
        deleted.append(f"({change} = 'deleted' AND NOT {is_update})")
    if not old:
        return "false"
    is_old = f"coalesce({' OR '.join(old)}, false)"
    return f"{is_old} AND NOT coalesce({' OR '.join(deleted)}, false)" if deleted else is_old
