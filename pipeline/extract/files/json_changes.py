"""Deletions in a saved page of changes (``$deltatoken``): they name the row, and nothing else.

OData 4.0 writes ``{"@odata.context": "…/$deletedEntity", "id": …, "reason": "deleted"}``, 4.01
writes ``{"@removed": {"reason": "deleted"}, "@id": …}``. A reason ``changed`` means that the row no
longer belongs to what was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_CONTEXT: Final = "@odata.context"
_SHORT_CONTEXT: Final = "@context"
_DELETED: Final = "/$deletedEntity"
_REMOVED: Final = ("@removed", "@odata.removed")
CHANGES: Final = frozenset({_CONTEXT, _SHORT_CONTEXT, *_REMOVED})
"""Keys of which each deletion has one."""
_IDS: Final = ("id", "@odata.id", "@id")
_KEY_IN_URL: Final = re.compile(r"\(([^()]*)\)$")

Row = dict[str, object]
"""An object as it was parsed."""


def read_deletions(rows: Sequence[Row], key: str) -> list[Row]:
    """The rows, with those that name a deleted row as ``key`` and ``isdelete``."""
    return [_read_deletion(row, key) if _is_deletion(row) else row for row in rows]


def _is_deletion(row: Row) -> bool:
    if any(name in row for name in _REMOVED):
        return True
    context = row.get(_CONTEXT) or row.get(_SHORT_CONTEXT)
    return isinstance(context, str) and context.endswith(_DELETED)


def _read_deletion(row: Row, key: str) -> Row:
    ids = [row.get(name) for name in (key, *_IDS)]
    found = next((one for one in ids if isinstance(one, str)), None)
    in_url = _KEY_IN_URL.search(found) if found is not None else None
    return {key: found if in_url is None else in_url.group(1), "isdelete": "true"}
