"""Columns of which Sales, or whoever exported them, shows masked values: ``*****`` for a name.

A masking rule shows such values to who may not read the others. A load would write them into SCM.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from polars import selectors

from pipeline.extract.landing import LandedTable
from pipeline.run.findings import RunFinding
from sql.query import query
from sql.session import Session

_MASKED: Final = r"\*{3}|#{3}|[•●■]{3}"
"""What a masked value has, whole or next to letters that are still shown."""
_WHOLLY: Final = r"^[\s.,;:@/()+-]*([*#•●■][\s.,;:@/()+-]*){3,}$"
"""What a value is of which nothing is shown. Somebody may see some rows and not others."""
_ROWS: Final = 1_000
"""Rows that show whether a column is masked."""
_FEW: Final = 3
"""Fewer values show nothing."""


def report_masked(
    session: Session, table: LandedTable, used: Collection[str]
) -> Iterator[RunFinding]:
    """One finding for each column, of those used, that is masked.

    All of its first values have masks, or a few of them are nothing else.
    """
    rows = session.frame(query("plan/first_rows", rows=f"{table.table}_landed"), few=_ROWS)
    for cells in rows.select(selectors.string()):
        if cells.name not in used or cells.name not in table.columns:
            continue
        filled = cells.filter(cells != "")
        masked = filled.str.contains(_MASKED)
        few = int(filled.str.contains(_WHOLLY).sum())
        if len(filled) >= _FEW and (masked.all() or few >= _FEW):
            share = f"all of its first {len(filled):,} values"
            if not masked.all():
                share = f"{few:,} of its first {len(filled):,} values"
            yield RunFinding(code="text_masked", detail=share, column=cells.name)
