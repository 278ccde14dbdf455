"""Columns of which Sales, or whoever exported them, shows masked values: ``*****`` for a name.

A masking rule shows such values to who may not read the others. A load would write them into SCM.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from pipeline.extract.landing import LandedTable
from pipeline.run.findings import RunFinding
from sql.query import query
from sql.session import Session

_MASKED: Final = r"\*{3}|#{3}|[•●■]{3}"
"""What a masked value has, whole or next to letters that are still shown."""
_ROWS: Final = 1_000
"""Rows that show whether a column is masked."""
_FEW: Final = 3
"""Fewer values show nothing."""


def report_masked(
    session: Session, table: LandedTable, used: Collection[str]
) -> Iterator[RunFinding]:
    """One finding for each column, of those used, of which all of the first values are masked."""
    view = f"{table.table}_landed"
    for column, physical in session.columns(view).items():
        if physical != "VARCHAR" or column not in used or column not in table.columns:
            continue
        text = query("plan/masked", rows=view, column=column)
        filled, masked = session.frame(text, few=_ROWS, masked=_MASKED).row(0)
        if filled >= _FEW and filled == masked:
            yield RunFinding(
                code="text_masked", detail=f"all of its first {filled:,} values", column=column
            )
