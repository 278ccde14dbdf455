"""Two plans side by side: which contacts changed their place."""

from __future__ import annotations

from typing import Any

from pipeline.folder import RunFolder
from sql.session import literal, query, session


def compared(before: RunFolder, after: RunFolder) -> list[dict[str, Any]]:
    """Differences between two runs' decisions, one item per kind: change, before, after, contacts, example."""
    with session() as here:
        here.view("before", f"SELECT * FROM read_parquet({literal(str(before.decisions))})")
        here.view("after", f"SELECT * FROM read_parquet({literal(str(after.decisions))})")
        return here.frame(query("diff")).to_dicts()


def told(items: list[dict[str, Any]], before: RunFolder) -> str:
    """The differences as lines."""
    if not items:
        return f"Against {before.run}: every contact stands where it stood."
    lines = [f"Against {before.run}:"]
    lines += [
        f"  {one['contacts']:,} {one['change']}: {one['before'] or 'not there'} → {one['after'] or 'not there'}, "
        f"for example {one['example']}"
        for one in items
    ]
    return "\n".join(lines)
