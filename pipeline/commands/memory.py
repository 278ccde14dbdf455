"""``p2c memory`` as a typed call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.commands.options import Flags, read_clock
from pipeline.commands.result import Result
from pipeline.load.carrying import CarriedTable, export_memory, import_memory


def save_memory(common: Flags, file: Path) -> Result:
    """``memory export``."""
    tables = export_memory(common.runs, file, read_clock())
    head = f"Wrote what was loaded to {file}. It has keys and hashes, no values of contacts."
    return _describe_tables(tables, head)


def take_memory(common: Flags, file: Path, *, replace: bool) -> Result:
    """``memory import``."""
    tables = import_memory(common.runs, file, read_clock(), replace=replace)
    head = (
        f"Took what was loaded from {file}. A project uses it if its destination.name is the name "
        "below."
    )
    return _describe_tables(tables, head)


def _describe_tables(tables: Sequence[CarriedTable], head: str) -> Result:
    lines = [
        f"{one.rows:>11,} keys  {one.destination} {one.task}, newest run {one.newest_run or 'none'}"
        for one in tables
    ]
    return Result(
        command="memory",
        items=[one.model_dump() for one in tables],
        text="\n".join([head, *lines]),
    )
