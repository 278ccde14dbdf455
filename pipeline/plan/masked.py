"""Columns of which Sales, or whoever exported them, shows masks or signs in the place of values.

A masking rule shows ``*****`` for a name to who may not read it, and people and tools write ``-``
where they have no name. A load would write either into SCM.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

import polars as pl
from polars import selectors

from pipeline.extract.landing import LandedTable
from pipeline.run.findings import RunFinding
from schemas.catalogue import Type
from schemas.keys import BLANK_SIGN
from schemas.sales import CONTACTS
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
_TYPED: Final = frozenset(
    {
        "msdynce_contactnumber", "parentcustomeridtype",
        *(field.name for field in CONTACTS.fields if field.type is not Type.TEXT),
    }
)  # fmt: skip
"""Columns that are looked at cell by cell."""
_PART: Final = 5
"""One of so many filled cells, at least, is a sign where a column is told."""


def report_masked(
    session: Session, table: LandedTable, used: Collection[str], *, signs: bool = True
) -> Iterator[RunFinding]:
    """One finding for each column, of those used, that is masked.

    All of its first values have masks, or a few of them are nothing else. With ``signs``, columns
    of which many are signs that stand for a blank are told as well.
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
        elif signs and cells.name not in _TYPED:
            yield from _report_signs(filled)


def _report_signs(filled: pl.Series) -> Iterator[RunFinding]:
    found = filled.filter(filled.str.contains(rf"^\s*(?:{BLANK_SIGN})\s*$"))
    if len(found) < _FEW or len(found) * _PART < len(filled):
        return
    sign = str(found.str.strip_chars().mode().sort()[0])
    yield RunFinding(
        code="sign_for_blank",
        detail=f"{sign} in {len(found):,} of its first {len(filled):,} values",
        column=filled.name,
        rows=len(found),
    )
