"""Columns that look like marks of deletion, and that p2c does not know: counted, never obeyed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import count_of
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.records import Note
from pipeline.extract.spellings import Cells
from schemas.marks import says_current
from schemas.text import WHITE_SPACE

_NO: Final = ("", "false", "0", "0.0", "no", "n", "f")
_YES: Final = ("", "true", "1", "1.0", "yes", "y", "t")
_NEVER: Final = "9999-12-31"
"""The end of time, which history tables write for rows that are current."""


@dataclass(slots=True)
class UnknownMarks:
    """How many rows of a table have something else than No in such a column."""

    selection: ColumnSelection
    counts: Counter[str] = field(default_factory=Counter)

    def count(self, rows: pa.Table) -> list[str]:
        """Add rows of a chunk; the names of its other columns, which are canonical."""
        wanted = {*self.selection.names, "source_line"}
        marks = [name for name in rows.column_names if name not in wanted]
        self.counts.update({name: _count_filled(name, rows[name]) for name in marks})
        return [name for name in rows.column_names if name not in {*marks, "source_line"}]

    def list_notes(self) -> Iterator[Note]:
        """What is to be said of each such column that is filled."""
        for name, count in self.counts.items():
            if count:
                detail = f"{count_of(count, 'row')} of {self.selection.table.name}"
                yield Note(code="mark_unknown", column=name, detail=detail)


def _count_filled(name: str, cells: Cells) -> int:
    """Cells that are neither blank nor the end of time, nor the word for rows that count."""
    if pa.types.is_nested(cells.type):
        return int(len(cells) - cells.null_count)
    texts = pc.utf8_lower(pc.utf8_trim(cells.cast(pa.string()), WHITE_SPACE))
    words = _YES if says_current(name.lower()) else _NO
    says_nothing = pc.is_in(texts, value_set=pa.array([*words, None]))
    filled = pc.invert(pc.or_kleene(says_nothing, pc.starts_with(texts, _NEVER)))
    count: int | None = pc.sum(filled).as_py()
    return count or 0
