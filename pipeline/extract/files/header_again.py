"""The header of a table where it comes again among the rows: files were put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.errors import SourceError
from schemas.catalogue import Table

_BOM: Final = "\ufeff"
_FEW: Final = 2
"""Names of columns that a row must have at least to be a header."""


class HeaderAgain:
    """What tells the header from a row: it has the name of a column where rows have their id.

    ``column`` is the column of ids, ``place`` where it stands, ``names`` are those of all columns.
    """

    def __init__(
        self, header: Sequence[str], picked: Mapping[str, Sequence[int]], table: Table, file: str
    ) -> None:
        """``picked``: canonical column → the places of its spellings in the header."""
        self.column = table.key if table.key in picked else next(iter(picked), "")
        self.place = picked[self.column][0] if picked else 0
        self.names = frozenset(name for name in header if name.strip())
        self._header, self._table, self._file = _strip_end(header), table.name, file

    def is_header(self, cells: Sequence[object], number: int) -> bool:
        """Whether a row is the header once more.

        Args:
            cells: of the row.
            number: of its line or row.

        Raises:
            SourceError: it has the columns in another order.
        """
        if len(cells) <= self.place or _strip_mark(cells[self.place]) not in self.names:
            return False
        texts = [_strip_mark(cell) for cell in cells]
        if _strip_end(texts) == self._header:
            return True
        if len(self.names.intersection(texts)) < min(_FEW, len(self.names)):
            return False
        raise SourceError(
            f"row {number} has the names of the columns again, and not as in the first row: the "
            "file was put together from several. Put them, each by itself, into a folder "
            f"{self._table}.",
            where=self._file,
        )


def _strip_mark(cell: object) -> str:
    """Text without the byte order mark of the file that it began; other cells are blank."""
    return cell.removeprefix(_BOM) if isinstance(cell, str) else ""


def _strip_end(cells: Sequence[str]) -> list[str]:
    """Cells without blank ones at their end, as delimiters behind the last one make them."""
    count = max((place for place, cell in enumerate(cells, start=1) if cell.strip()), default=0)
    return list(cells[:count])
