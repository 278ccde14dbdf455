"""Which rows of a headerless file may lack cells at their end.

Synapse Link adds a new column behind all others and does not write old rows again, so an old row is
short and whole. A row that an export broke off is short, too, and must not pass for an old one:

- Columns are added behind ``IsDelete``, so an old row reaches it.
- Rows come in the order of their time, so no old row follows a longer one.
- Where the model has no ``IsDelete``, a short row counts only if the rows near it include another
  one of its length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

_LAST: Final = frozenset({"isdelete", "is_delete", "isdeleted"})


class ShortRows:
    """The rule for one file; it remembers the longest row that it let pass."""

    def __init__(self, header: Sequence[str], *, is_headerless: bool) -> None:
        """``header``: the columns; without ``is_headerless`` no row may be short."""
        self._width = len(header)
        self._may = is_headerless
        places = [n for n, name in enumerate(header, 1) if name.strip().casefold() in _LAST]
        self._least = max(places, default=None)
        self._reached = 0

    def pass_whole(self) -> None:
        """Rows of full width were read."""
        self._reached = self._width

    def explain(self, counts: Sequence[int], *, is_cut: bool) -> list[str | None]:
        """What is wrong with the number of fields of each row; none where it may be so.

        Args:
            counts: fields of some rows that follow one another.
            is_cut: the file breaks off in the last one, which must not be short.
        """
        alike = Counter(counts)
        return [
            self._judge(count, alike[count], is_last=is_cut and place == len(counts))
            for place, count in enumerate(counts, start=1)
        ]

    def _judge(self, count: int, alike: int, *, is_last: bool) -> str | None:
        reason = None if count == self._width else self._refuse(count, alike, is_last=is_last)
        if reason is None:
            self._reached = max(self._reached, count)
            return None
        noun = "field" if count == 1 else "fields"
        return f"it has {count} {noun} where the header has {self._width}{reason}"

    def _refuse(self, count: int, alike: int, *, is_last: bool) -> str | None:
        """Why a row that is not of full width cannot be whole; blank: that says enough."""
        if count > self._width or not self._may or is_last:
            return ""
        if self._least is not None and count < self._least:
            return ", and stops before IsDelete"
        if count < self._reached:
            return ", fewer than a row before it"
        if self._least is None and alike == 1:
            return ", and no row near it has as few"
        return None
