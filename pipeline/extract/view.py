"""Landed tables as SQL reads them, with file and line of each row."""

from __future__ import annotations

import itertools

from pipeline.extract.landing import Landed
from sql.session import identifier, literal


def landed_view(table: Landed) -> str:
    """The landed table under its canonical column names, with file and line of each row."""
    columns = [
        f"{identifier(physical)} AS {identifier(name)}" for name, physical in table.columns.items()
    ]
    files = ", ".join(literal(str(path)) for path in table.files)
    if len(table.files) == 1:
        row, name = "file_row_number", literal(table.sources[0].name)
    else:
        which = f"list_position([{files}], filename)"
        row = f"[{', '.join(map(str, _starts(table)))}][{which}] + file_row_number"
        name = f"[{', '.join(literal(one.name) for one in table.sources)}][{which}]"
    place = (
        f"{name} AS source_file, file_row_number + 1 AS source_line"
        if table.in_place
        else "source_file, source_line"
    )
    return (
        f"SELECT {row} AS source_row, {place}, {', '.join(columns)} "
        f"FROM read_parquet([{files}], filename = true, file_row_number = true, hive_partitioning "
        "= false)"
    )


def _starts(table: Landed) -> list[int]:
    """How many rows come before each file of a table."""
    return list(itertools.accumulate((one.rows for one in table.sources[:-1]), initial=0))
