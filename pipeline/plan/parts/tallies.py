"""Counts of a part as JSON, whose objects have texts as keys only."""

from __future__ import annotations

from pipeline.run.handed import PartModel
from pipeline.transform.tally import COUNTERS, Tally

ByText = tuple[tuple[str, int], ...]
ByTwo = tuple[tuple[tuple[str, str], int], ...]
ByThree = tuple[tuple[tuple[str, str, str], int], ...]
"""Pairs of key and count; a key is one text, two or three."""
ByPlace = tuple[tuple[tuple[tuple[str, str, str], str], int], ...]
"""The same by the place of a finding, and its value."""


class PartTally(PartModel):
    """``Tally`` of one part."""

    rows: int
    states: ByText
    decisions: ByText
    reasons: ByTwo
    findings: ByText
    actions: ByThree
    defaulted: ByTwo
    blanks: ByTwo
    key_uses: ByThree
    unmapped: ByThree
    flags: ByText
    lost: ByText
    units: ByText
    values: ByPlace

    @classmethod
    def of(cls, tally: Tally) -> PartTally:
        """A tally to be carried."""
        counters = {name: tuple(getattr(tally, name).items()) for name in COUNTERS}
        return cls(rows=tally.rows, **counters)

    def restore(self) -> Tally:
        """The tally that it was."""
        tally = Tally(rows=self.rows)
        for name in COUNTERS:
            getattr(tally, name).update(dict(getattr(self, name)))
        return tally
